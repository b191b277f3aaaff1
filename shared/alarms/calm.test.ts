import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import { calmRange } from './calm.ts'
import { alarmRule } from './rule.ts'
import { type AlarmState, INITIAL_STATE } from './state.ts'
import { type AlarmInput, step } from './step.ts'

const base = { alarm: 'odd', name: { en: 'x', 'zh-CN': 'x' }, tag: 't', priority: 'medium' as const }

const definitions = fc.record({
  condition: fc.constantFrom<AlarmDefinition['condition'][]>(
    { kind: 'limit', levels: [{ level: 'H', setpoint: 6, deadband: 1, inclusive: true }] },
    { kind: 'limit', levels: [{ level: 'L', setpoint: 2, deadband: 1 }] },
    {
      kind: 'limit',
      levels: [
        { level: 'H', setpoint: 6, deadband: 1 },
        { level: 'HH', setpoint: 8, priority: 'critical' },
        { level: 'L', setpoint: 2, inclusive: true },
      ],
    },
    { kind: 'discrete', abnormal: [7] },
    { kind: 'bad-quality' },
    { kind: 'no-data', afterSeconds: 2 },
    { kind: 'rate-of-change', perMinute: 60, windowSeconds: 3, direction: 'both' },
  ),
  onDelaySeconds: fc.constantFrom(0, 2),
  offDelaySeconds: fc.constantFrom(0, 2),
  latching: fc.boolean(),
})

const values = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 2, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom<(number | boolean | string | null)[]>(1, 9, 2.5, true, 'text', null) },
)

const inputs = fc.array(
  fc.record({
    kind: fc.constantFrom('sample', 'sample', 'sample', 'sample', 'tick', 'stale', 'fresh'),
    afterMs: fc.integer({ min: -500, max: 2500 }),
    value: values,
    quality: fc.constantFrom(192 as const, 192 as const, 64 as const, 0 as const),
  }),
  { minLength: 20, maxLength: 40 },
)

describe('a number within the calm range of an alarm point', () => {
  it('changes nothing but the newest value and its time', () => {
    let calm = 0
    fc.assert(
      fc.property(definitions, inputs, (parts, given) => {
        const rule = alarmRule('g/e/d/odd', 1, { ...base, ...parts })
        let state: AlarmState = INITIAL_STATE
        let now = 1_000_000
        for (const { kind, afterMs, value, quality } of given) {
          now += afterMs
          const input = (kind === 'sample' ? { kind, at: now, value, quality } : { kind, at: now }) as AlarmInput
          const { above, below } = calmRange(rule, state)
          const next = step(rule, state, input)
          if (kind === 'sample' && quality !== 0 && typeof value === 'number' && value > above && value < below) {
            calm++
            const isNewer = now > (state.valueAt ?? Number.NEGATIVE_INFINITY)
            expect(next.state).toEqual(isNewer ? { ...state, value, valueAt: now } : state)
            expect(next.events).toEqual([])
          }
          state = next.state
        }
      }),
      { numRuns: 500 },
    )
    expect(calm).toBeGreaterThan(100)
  })
})
