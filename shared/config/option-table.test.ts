import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { optionTable } from './option-table.ts'

describe('an option table', () => {
  it('has a row for each option, inner ones by their path', () => {
    const schema = Type.Object({
      url: Type.String({ minLength: 1, description: 'Where the broker is.' }),
      scan: Type.Optional(Type.Object({ fast: Type.Integer({ minimum: 10, default: 200, description: 'ms.' }) })),
      devices: Type.Array(Type.Object({ mode: Type.Union([Type.Literal('a'), Type.Literal('b')]) })),
    })
    expect(optionTable(schema)).toBe(`| option | accepts | default | what it does |
| --- | --- | --- | --- |
| \`url\` | text (not empty) | required | Where the broker is. |
| \`scan\` | a group of keys |  |  |
| \`scan.fast\` | a whole number (at least 10) | \`200\` | ms. |
| \`devices\` | a list | required |  |
| \`devices[].mode\` | one of a, b | required |  |`)
  })

  it('tells a text in both languages in one row, and what the branches of a union share in one', () => {
    const Text = Type.Object({ en: Type.String(), 'zh-CN': Type.String() })
    const a = Type.Object({ kind: Type.Literal('a'), size: Type.Number() })
    const b = Type.Object({ kind: Type.Literal('b'), size: Type.Number() })
    expect(
      optionTable(Type.Object({ name: Text, when: Type.Union([a, b]) }))
        .split('\n')
        .slice(2),
    ).toEqual([
      '| `name` | a text in both languages: { en, zh-CN } | required |  |',
      '| `when` | a group of keys | required |  |',
      '| `when.kind` | one of a, b | required |  |',
      '| `when.size` | a number | required |  |',
    ])
  })
})
