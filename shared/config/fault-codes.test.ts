import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { ConfigError, type Fault } from './config-error.ts'
import { parseYaml } from './yaml.ts'

const Shape = Type.Object(
  {
    group: Type.String({ minLength: 1, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    mode: Type.Optional(Type.Union([Type.Literal('fast'), Type.Literal('careful')])),
  },
  { additionalProperties: false },
)

function faultsOf(text: string): readonly Fault[] {
  try {
    parseYaml(text, 'x.yaml', Shape)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

const wordedAs = (text: string) => faultsOf(text).map(({ code, params, accepts }) => ({ code, params, accepts }))

describe('a fault', () => {
  it('carries what may stand there in parts', () => {
    const bounds = [
      { bound: 'minimum', value: '1' },
      { bound: 'maximum', value: '65535' },
    ]
    expect(wordedAs('group: a\nport: 0')).toEqual([
      { code: 'value', params: {}, accepts: [{ type: 'integer', values: [], bounds, words: null }] },
    ])
    expect(wordedAs('group: a\nport: [1, 2]')).toMatchObject([{ code: 'value', params: { found: 'list', count: 2 } }])
    expect(wordedAs('group: a\nmode: fats')).toMatchObject([
      { code: 'value-near', params: { guess: 'fast' }, accepts: [{ values: ['fast', 'careful'] }] },
    ])
  })

  it('of a key names it, and the one that was meant', () => {
    expect(wordedAs('grop: a')).toMatchObject([
      { code: 'misspelt', params: { key: 'group', other: 'grop' } },
      { code: 'unknown-key-near', params: { key: 'grop', guess: 'group' } },
    ])
    expect(wordedAs('group: a\nzzz: 1')).toMatchObject([
      { code: 'unknown-key', params: { known: 'group, port, mode' } },
    ])
    expect(wordedAs('group: 7')).toMatchObject([{ code: 'unquoted', params: { value: '7' } }])
  })

  it('of YAML is told by its kind', () => {
    expect(wordedAs('group: a\ngroup: b')).toMatchObject([{ code: 'yaml-duplicate-key' }])
    expect(wordedAs('group: a\n---\ngroup: b')).toMatchObject([{ code: 'yaml-documents' }])
    expect(wordedAs("group: 'a")[0]).toMatchObject({ code: 'yaml', params: { detail: expect.any(String) } })
  })
})
