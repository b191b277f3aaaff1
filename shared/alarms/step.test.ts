import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALARM_ACTIONS } from '#shared/contracts/alarm-command.ts'
import type { AlarmDefinition, LimitLevel } from '#shared/contracts/alarm-definition.ts'
import type { AlarmChange } from './draft.ts'
import { restore } from './restore.ts'
import { type AlarmRule, alarmRule, SHELVE_MAXIMUM_MS } from './rule.ts'
import { type AlarmState, INITIAL_STATE, isActive, isaState, isSuppressed } from './state.ts'
import { type AlarmInput, dueOnServer, step, toAlarmValue } from './step.ts'

const name = { en: 'x', 'zh-CN': 'x' }
const base = { alarm: 'high', name, tag: 't', priority: 'medium' as const }

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

type Condition = AlarmDefinition['condition']

const levels: LimitLevel[] = [
  { level: 'H', setpoint: 6, deadband: 1 },
  { level: 'HH', setpoint: 8, deadband: 1, priority: 'critical' },
  { level: 'L', setpoint: 2, inclusive: true },
]

const conditions = fc.oneof(
  fc.constant<Condition>({ kind: 'limit', levels }),
  fc.record({
    kind: fc.constant('rate-of-change' as const),
    perMinute: fc.constantFrom(30, 90),
    windowSeconds: fc.constantFrom(1, 3),
    direction: fc.constantFrom('rising' as const, 'falling' as const, 'both' as const),
  }),
  fc.constant<Condition>({ kind: 'discrete', abnormal: [7, 8] }),
  fc.constant<Condition>({ kind: 'no-data', afterSeconds: 2 }),
  fc.constant<Condition>({ kind: 'bad-quality' }),
)

const definitions = fc
  .record({
    condition: conditions,
    onDelaySeconds: fc.constantFrom(0, 1.5, 3),
    offDelaySeconds: fc.constantFrom(0, 2),
    latching: fc.boolean(),
    requiresConfirmation: fc.boolean(),
    reAlarmMinutes: optional(fc.constant(0.1)),
    acknowledgeTimeoutMinutes: optional(fc.constant(0.1)),
    class: fc.constantFrom('process' as const, 'safety' as const),
  })
  .map((parts): AlarmDefinition => {
    const given = Object.entries(parts).filter(([, value]) => value !== undefined)
    return { ...base, ...(Object.fromEntries(given) as typeof parts as Omit<AlarmDefinition, keyof typeof base>) }
  })

const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1, max: 2500 }),
    act: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('sample' as const),
          value: fc.integer({ min: 0, max: 10 }),
          quality: fc.constantFrom(192 as const, 192 as const, 192 as const, 64 as const, 0 as const),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constantFrom('tick' as const, 'stale' as const, 'fresh' as const) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom(...ALARM_ACTIONS),
          by: fc.constant('wang'),
          comment: optional(fc.constant('reason')),
          forMs: fc.integer({ min: -10, max: 9000 }),
          reference: optional(fc.constantFrom('a', 'b')),
        }),
      },
    ),
  }),
  { maxLength: 60 },
)

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never

function inputsOf(list: Steps): AlarmInput[] {
  let at = 0
  return list.map(({ afterMs, act }) => {
    at += afterMs
    if (!('forMs' in act)) return { ...act, at }
    const { forMs, ...rest } = act
    return { ...rest, at, until: at + forMs }
  })
}

interface Played {
  readonly states: readonly AlarmState[]
  readonly events: readonly AlarmChange[]
  readonly inputs: readonly AlarmInput[]
}

/** Plays inputs, with the firings of the server's clock between them. */
function play(rule: AlarmRule, inputs: readonly AlarmInput[], hasClock = true): Played {
  const states: AlarmState[] = [INITIAL_STATE]
  const events: AlarmChange[] = []
  const all: AlarmInput[] = []
  const feed = (input: AlarmInput) => {
    const result = step(rule, states.at(-1)!, input)
    states.push(result.state)
    events.push(...result.events)
    all.push(input)
  }
  for (const input of inputs) {
    if (hasClock) {
      for (let due = dueOnServer(rule, states.at(-1)!); due && due.at <= input.at; ) {
        feed(due)
        due = dueOnServer(rule, states.at(-1)!)
      }
    }
    feed(input)
  }
  return { states, events, inputs: all }
}

const ruleOf = (definition: AlarmDefinition) => alarmRule('g/e/d/high', 1, definition)
const cases = fc.record({ definition: definitions, list: steps })
const check = (holds: (rule: AlarmRule, played: Played) => void) =>
  fc.assert(
    fc.property(cases, ({ definition, list }) => {
      const rule = ruleOf(definition)
      holds(rule, play(rule, inputsOf(list)))
    }),
    { numRuns: 1000 },
  )

describe('the alarm engine', () => {
  it('replays inputs and recorded firings to the same state and events, bit for bit', () => {
    check((rule, played) => {
      const again = play(rule, played.inputs, false)
      expect(JSON.stringify(again.states)).toBe(JSON.stringify(played.states))
      expect(again.events).toEqual(played.events)
    })
  })

  it('goes on from a checkpoint taken anywhere as if it had never stopped', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ definition, list }, cut) => {
        const rule = ruleOf(definition)
        const played = play(rule, inputsOf(list))
        const at = cut % played.states.length
        let state = restore(rule, JSON.parse(JSON.stringify(played.states[at])) as AlarmState, 0).state
        for (const input of played.inputs.slice(at)) state = step(rule, state, input).state
        expect(state).toEqual(played.states.at(-1))
      }),
      { numRuns: 500 },
    )
  })

  it('adds nothing when samples are sent again', () => {
    check((rule, played) => {
      const last = played.states.at(-1)!
      for (const input of played.inputs) {
        if (input.kind === 'sample') expect(step(rule, last, input)).toEqual({ state: last, events: [] })
      }
    })
  })

  it('lets ticks between samples change nothing: a delay ends at its own moment', () => {
    fc.assert(
      fc.property(definitions, steps, fc.integer({ min: 50, max: 700 }), (definition, list, every) => {
        const rule = ruleOf(definition)
        const samples = inputsOf(list).filter((input) => input.kind === 'sample')
        const end: AlarmInput = { kind: 'tick', at: (samples.at(-1)?.at ?? 0) + 10_000 }
        const sparse = [...samples, end]
        const dense = sparse.flatMap((input, i) => {
          const from = sparse[i - 1]?.at ?? input.at
          const ticks = Array.from({ length: Math.floor((input.at - from) / every) }, (_, k) => ({
            kind: 'tick' as const,
            at: from + (k + 1) * every,
          }))
          return [...ticks, input]
        })
        const outcome = ({ events, states }: Played) => ({ events, state: states.at(-1) })
        expect(outcome(play(rule, dense, false))).toEqual(outcome(play(rule, sparse, false)))
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps one occurrence open at a time, and none longer than something is left to do', () => {
    check((_, { events, states }) => {
      let open: string | null = null
      for (const event of events) {
        if (event.transition === 'activated' && open === null) open = event.occurrenceId
        if (event.occurrenceId !== null) expect(event.occurrenceId).toBe(open)
        if (event.transition === 'closed') open = null
      }
      const last = states.at(-1)!
      expect(last.occurrence?.id ?? null).toBe(open)
      const isDone = !isActive(last) && last.isAcked && last.latchedSince === null && last.isConfirmed
      expect(last.occurrence === null).toBe(isDone)
    })
  })

  it('gives every event an id of its own', () => {
    check((_, { events }) => {
      const samplesOnly = events.filter((event) => !event.by)
      expect(new Set(samplesOnly.map((event) => event.id)).size).toBe(samplesOnly.length)
    })
  })

  it('never annunciates or raises what is suppressed, and never shelves without end and person', () => {
    check((_, { events, states }) => {
      for (const event of events) {
        if ('GHI'.includes(event.state)) expect(event.isAnnunciated || event.isRaised).toBe(false)
        if (event.transition === 'shelved') expect(event.until! - event.eventAt).toBeLessThanOrEqual(SHELVE_MAXIMUM_MS)
      }
      for (const state of states) {
        expect('GHI'.includes(isaState(state))).toBe(isSuppressed(state))
        if (state.shelving) expect(state.shelving.by && state.shelving.until).toBeTruthy()
      }
    })
  })

  it('leaves the condition alone when an operator acts', () => {
    check((_, { inputs, states }) => {
      for (const [i, input] of inputs.entries()) {
        if (!('by' in input)) continue
        const [before, after] = [states[i]!, states[i + 1]!]
        expect([after.phase, after.level, after.since]).toEqual([before.phase, before.level, before.since])
      }
    })
  })

  it('tells the state of each event, so that the log alone gives it', () => {
    check((_, { events, states }) => {
      expect(events.at(-1)?.state ?? 'A').toBe(isaState(states.at(-1)!))
    })
  })
})

describe('the cost of a value', () => {
  it('stays under a microsecond for a limit alarm, and far under what would betray a slip', () => {
    const rule = ruleOf({ ...base, condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90, deadband: 2 }] } })
    let state = INITIAL_STATE
    const run = (count: number, from: number) => {
      for (let i = 0; i < count; i++) {
        state = step(rule, state, { kind: 'sample', at: from + i, value: 20 + (i % 50), quality: 192 }).state
      }
    }
    run(100_000, 1)
    const began = process.hrtime.bigint()
    run(300_000, 1_000_000)
    const nanos = Number(process.hrtime.bigint() - began) / 300_000
    expect(nanos).toBeLessThan(5000)
    process.stdout.write(`limit alarm: ${nanos.toFixed(0)} ns a value\n`)
  })
})

describe('a value of an event', () => {
  it('is always one that JSON and SQL can carry', () => {
    expect(toAlarmValue(2n ** 60n)).toBe('1152921504606846976')
    expect(toAlarmValue(7n)).toBe(7)
    expect(toAlarmValue(Number.NaN)).toBeNull()
    expect(toAlarmValue('trip\0ped \ud800')).toBe('tripped \ufffd')
  })
})
