import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { ConfigError, type Fault } from './config-error.ts'
import { parseYaml, unknownName } from './yaml.ts'

const closed = { additionalProperties: false }
const Condition = Type.Union([
  Type.Object({ kind: Type.Literal('limit'), setpoint: Type.Number() }, closed),
  Type.Object({ kind: Type.Literal('no-data'), afterSeconds: Type.Number({ exclusiveMinimum: 0 }) }, closed),
])
const Settings = Type.Object(
  {
    version: Type.Literal(1),
    group: Type.String({ minLength: 1 }),
    mode: Type.Optional(Type.Union([Type.Literal('fast'), Type.Literal('careful')])),
    mqtt: Type.Object(
      { url: Type.String(), password: Type.Optional(Type.String({ secret: true, maxLength: 4 })) },
      closed,
    ),
    scan: Type.Optional(
      Type.Object({ fast: Type.Integer({ minimum: 10, maximum: 1000, default: 200 }) }, { ...closed, default: {} }),
    ),
    words: Type.Optional(Type.Record(Type.String(), Type.String())),
    devices: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), port: Type.Integer(), when: Type.Optional(Condition) }, closed)),
    ),
  },
  closed,
)

function faultsOf(text: string): readonly Fault[] {
  try {
    parseYaml(text, 'edge.yaml', Settings)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

const GOOD = `version: 1
group: plant
mqtt: { url: "mqtt://127.0.0.1" }
`

describe('a configuration file without faults', () => {
  it('is typed, has its defaults and cannot be changed', () => {
    const value = parseYaml(GOOD, 'edge.yaml', Settings)
    expect(value.scan).toEqual({ fast: 200 })
    expect(Object.isFrozen(value.mqtt)).toBe(true)
  })

  it('keeps references to the environment as they are', () => {
    const reference = `$${'{PLANT}'}`
    expect(parseYaml(GOOD.replace('plant', reference), 'e', Settings).group).toBe(reference)
  })
})

describe('the faults of a configuration file', () => {
  it('are all told at once, in the order of the lines', () => {
    const faults = faultsOf(`version: 2
group: 7
mode: carefull
mqtt:
  ulr: mqtt://x
devices:
  - name: a
    port: high
    when: { kind: limit, setpiont: 3 }
`)
    expect(faults.map((f) => [f.line, f.path])).toEqual([
      [1, 'version'],
      [2, 'group'],
      [3, 'mode'],
      [4, 'mqtt.url'],
      [5, 'mqtt.ulr'],
      [8, 'devices[0].port'],
      [9, 'devices[0].when.setpoint'],
      [9, 'devices[0].when.setpiont'],
    ])
  })

  it('name the nearest known key', () => {
    const [missing, unknown] = faultsOf('version: 1\ngroup: a\nmqtt:\n  ulr: x\n')
    expect(missing?.fix).toBe("rename 'ulr' to 'url'")
    expect(unknown).toMatchObject({ line: 4, column: 3, nearest: 'url', found: "unknown key 'ulr'" })
  })

  it('name the nearest allowed word', () => {
    expect(faultsOf(`${GOOD}mode: fats\n`)).toMatchObject([
      { path: 'mode', found: "'fats'", expected: 'one of fast, careful', nearest: 'fast', line: 4, column: 7 },
    ])
  })

  it('say that a number must be quoted where text is expected', () => {
    expect(faultsOf('version: 1\ngroup: 7\nmqtt: { url: x }')[0]?.fix).toBe('put the value in quotes: "7"')
  })

  it('name both places of a duplicate key by its path and still check the rest', () => {
    const faults = faultsOf('version: 1\ngroup: a\nmqtt:\n  url: x\n  url: y\nscan: { fast: 1 }\n')
    expect(faults).toMatchObject([
      { line: 5, path: 'mqtt.url', found: 'the same key again' },
      { line: 6, path: 'scan.fast', found: '1', expected: 'a whole number (at least 10, at most 1000)' },
    ])
  })

  it('judge a union by the branch that its kind names', () => {
    const faults = faultsOf(`${GOOD}devices:\n  - { name: a, port: 1, when: { kind: no-data, afterSeconds: 0 } }\n`)
    expect(faults).toMatchObject([{ path: 'devices[0].when.afterSeconds', expected: 'a number (more than 0)' }])
  })

  it('name the kinds when the kind is unknown or missing', () => {
    const unknown = faultsOf(`${GOOD}devices:\n  - { name: a, port: 1, when: { kind: limits } }\n`)
    expect(unknown).toMatchObject([{ path: 'devices[0].when.kind', nearest: 'limit' }])
    const missing = faultsOf(`${GOOD}devices:\n  - { name: a, port: 1, when: { setpoint: 4 } }\n`)
    expect(missing).toMatchObject([{ path: 'devices[0].when.kind', line: 5 }])
  })

  it('never show a secret', () => {
    const text = 'version: 1\ngroup: a\nmqtt: { url: x, password: hunter22 }\n'
    expect(faultsOf(text)).toMatchObject([{ path: 'mqtt.password', found: '[secret]' }])
  })

  it('tell broken syntax with its line', () => {
    expect(faultsOf('version: 1\ngroup: "open\nmqtt: x\n')[0]).toMatchObject({
      file: 'edge.yaml',
      expected: 'valid YAML',
    })
    expect(faultsOf('version: 1\n\tgroup: a\n')[0]?.line).toBe(2)
  })

  it('tell an empty file', () => {
    expect(faultsOf('')).toMatchObject([{ path: '', found: 'nothing' }])
  })

  it('say when a comma has cut a text in two', () => {
    const [fault] = faultsOf('version: 1\ngroup: a\nmqtt: { url: here, or over there }\n')
    expect(fault).toMatchObject({ path: 'mqtt.or over there', fix: 'put the text with the comma before it in quotes' })
  })

  it('read as text for a terminal', () => {
    const error = new ConfigError(faultsOf(`${GOOD}mod: fast\n`))
    expect(error.message).toBe(
      "edge.yaml: 1 fault\n  edge.yaml:4:1  mod: found unknown key 'mod', expected one of the keys version, group, mode, mqtt, scan, words, devices\n    → did you mean 'mode'? Rename it, or remove it",
    )
  })
})

describe('a cross-check', () => {
  it('adds faults with their place when the shape is right', () => {
    const check = (v: { group: string }) => [unknownName(['group'], v.group, 'a plant', ['plants', 'other'])]
    expect(() => parseYaml(GOOD, 'edge.yaml', Settings, check)).toThrow(/edge.yaml:2:8 {2}group: found 'plant'/)
  })

  it('tells its faults beside those of the shape, but none that may only follow from one', () => {
    const check = (v: { group: string }) => [
      unknownName(['group'], v.group, 'a plant', ['plants']),
      unknownName(['mqtt', 'url'], 'x', 'a broker', ['y']),
    ]
    const text = GOOD.replace(/mqtt:.*/, 'mqtt: { url: 7 }')
    const faults = () => parseYaml(text, 'edge.yaml', Settings, check)
    expect(faults).toThrow(/group: found 'plant'/)
    expect(faults).toThrow(/mqtt.url: found 7/)
    expect(faults).not.toThrow(/the name of a broker/)
  })
})
