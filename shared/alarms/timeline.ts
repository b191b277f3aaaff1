import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import { BAD, GOOD, type Quality, type Scalar, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { AlarmChange } from './draft.ts'
import type { OperatorInput } from './operate.ts'
import { type AlarmRule, alarmRule } from './rule.ts'
import { type AlarmState, INITIAL_STATE, isaState } from './state.ts'
import { type AlarmInput, dueOnServer, step } from './step.ts'

/** What else happens in a second of a timeline, before its value is read: an operator's action, silence or its end, a gap. */
export type TimelineAct =
  | (Omit<OperatorInput, 'at' | 'by' | 'until'> & { readonly by?: string; readonly untilSecond?: number | undefined })
  | Signal

/** What happens to the signal itself. */
type Signal = { readonly kind: 'stale'; readonly isDeferred?: boolean } | { readonly kind: 'fresh' | 'gap' }

/** Acts by the second at which they happen. */
export type TimelineActs = Readonly<Record<number, TimelineAct | readonly TimelineAct[]>>

/** One second of a timeline: a value with its quality, or no sample. */
export type TimelineValue = { readonly value: Scalar; readonly quality: Quality } | null

export interface TimelineResult {
  /** One ISA state letter a second, `.` for A. */
  readonly letters: string
  readonly events: readonly AlarmChange[]
  readonly state: AlarmState
  readonly rule: AlarmRule
  /** Codes of refused actions, in order. */
  readonly refusals: readonly string[]
}

const TOKEN = /^(.+?)([?!])?(?:x(\d+))?$/

function scalarOf(text: string): Scalar {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

const QUALITIES: Readonly<Record<string, Quality>> = { '!': BAD, '?': UNCERTAIN }

function valuesOf(token: string): TimelineValue[] {
  const [, body = '', mark = '', times = '1'] = TOKEN.exec(token) ?? []
  if (body === '') throw new RangeError('A timeline needs at least one value')
  const value = body === '_' ? null : { value: scalarOf(body), quality: QUALITIES[mark] ?? GOOD }
  return Array.from({ length: Number(times) }, () => value)
}

/**
 * Reads the notation: one value a second; `VxN` N values V; `_` no sample; `V?` uncertain; `V!` bad.
 * Throws a RangeError on an empty text.
 */
export const parseTimeline = (text: string): TimelineValue[] => text.trim().split(/\s+/).flatMap(valuesOf)

const isSignal = (act: TimelineAct): act is Signal => act.kind === 'stale' || act.kind === 'fresh' || act.kind === 'gap'

function inputOf(act: TimelineAct, at: number): AlarmInput {
  if (isSignal(act)) return { ...act, at }
  const { untilSecond, by = 'operator', ...rest } = act
  return { ...rest, by, at, ...(untilSecond === undefined ? {} : { until: untilSecond * 1000 }) }
}

/** Inputs of one second: first the acts, then the value, then the event clock. */
function inputsOf(second: number, value: TimelineValue, acts: TimelineActs): AlarmInput[] {
  const at = second * 1000
  const own = acts[second] ?? []
  return [
    ...(Array.isArray(own) ? own : [own]).map((act) => inputOf(act, at)),
    ...(value ? [{ kind: 'sample' as const, at, ...value }] : []),
    { kind: 'tick', at },
  ]
}

/** Plays a timeline from a fresh point; second 0 is 1970, so that times read as seconds. Firings of the server's clock come by themselves. */
export function playTimeline(alarm: AlarmDefinition, values: string, acts: TimelineActs = {}): TimelineResult {
  const rule = alarmRule(`group/edge/device/${alarm.alarm}`, 1, alarm)
  const events: AlarmChange[] = []
  const refusals: string[] = []
  let state = INITIAL_STATE
  const feed = (input: AlarmInput) => {
    const result = step(rule, state, input)
    state = result.state
    events.push(...result.events)
    if (result.refusal) refusals.push(result.refusal)
  }
  const fireUntil = (at: number) => {
    for (let due = dueOnServer(rule, state); due && due.at <= at; due = dueOnServer(rule, state)) feed(due)
  }
  const letters = parseTimeline(values).map((value, second) => {
    fireUntil(second * 1000)
    for (const input of inputsOf(second, value, acts)) feed(input)
    const letter = isaState(state)
    return letter === 'A' ? '.' : letter
  })
  return { letters: letters.join(''), events, state, rule, refusals }
}

/**
 * Holds an alarm to a drawn timeline: `expectTimeline(ALARM, '91x4 89x6', '...BBBBBBB')`.
 * Throws an Error that draws both lines when they differ; answers the events for further questions.
 */
export function expectTimeline(
  alarm: AlarmDefinition,
  values: string,
  expected: string,
  acts: TimelineActs = {},
): TimelineResult {
  const result = playTimeline(alarm, values, acts)
  const wanted = expected.replaceAll(/\s/g, '')
  if (result.letters === wanted) return result
  const differs = [...wanted].findIndex((letter, second) => letter !== result.letters[second])
  const second = differs === -1 ? wanted.length : differs
  const lines = [`The alarm “${alarm.alarm}” differs in second ${second} of “${values}”`]
  throw new Error([...lines, `expected ${wanted}`, `but was  ${result.letters}`].join('\n'))
}
