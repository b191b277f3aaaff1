import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { LOSS_KINDS } from '#edge/drivers/driver.ts'
import { texts as en } from './en/index.ts'

const SOURCES = [
  ...['shared/config/check-value.ts', 'shared/config/yaml.ts', 'edge/config.ts', 'edge/drivers/modbus/config.ts'],
  ...[
    'edge/management/judge.ts',
    'edge/management/configure.ts',
    'edge/management/trial.ts',
    'edge/management/agent.ts',
  ],
]
const source = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')

/** Codes as they stand in the code: `code: 'x'`, one of a choice, or a value of the table of YAML's own. */
const codes = SOURCES.flatMap((path) =>
  [...source(path).matchAll(/(?:\bcode: |code: [^\n]*[?:] |const code = [^\n]*[?:] |_\w+: )'([a-z][a-z.-]+)'/g)].map(
    (m) => m[1] ?? '',
  ),
)

describe('the codes of what a box tells', () => {
  it('have words in the console', () => {
    const { push } = en.edges.refusal
    const known = [
      ...Object.keys(en.edges.configurationFault),
      ...Object.keys(en.edges.wentBack),
      ...Object.keys(push).map((name) => `push.${name}`),
    ]
    expect(codes.length).toBeGreaterThan(30)
    expect(codes.filter((code) => !known.includes(code))).toEqual([])
  })

  it('have them for each kind of a lost link; what is none of them stays as the box words it', () => {
    expect(Object.keys(en.edges.loss).sort()).toEqual(LOSS_KINDS.filter((kind) => kind !== 'other').sort())
  })
})
