import type { AlarmValue } from '#shared/contracts/alarm-event.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { isInside, isQuiet } from './calm.ts'
import { activate, advance, delayEndsAt, isFrozen, judgesSilence, settle, windowMs } from './condition.ts'
import { change, type Draft, emit, raise, type StepResult } from './draft.ts'
import { canJudge, heldLevel, judge, nextBaseAt, remember } from './judge.ts'
import { endShelving, type OperatorInput, operate } from './operate.ts'
import type { AlarmRule } from './rule.ts'
import { type AlarmState, isActive, isSuppressed } from './state.ts'

/** A firing of the server's clock, timed by `dueOnServer` and recorded, so that a replay reads it instead of timing again. */
export interface ServerFiring {
  readonly kind: 'shelving-expired' | 're-alarm' | 'acknowledgement-timed-out' | 'no-data'
  readonly at: number
}

/** Everything that can happen to an alarm point. Times in ms since 1970. */
export type AlarmInput =
  | { readonly kind: 'sample'; readonly at: number; readonly value: Scalar; readonly quality: Quality }
  /** The edge's event clock has reached `at`. */
  | { readonly kind: 'tick'; readonly at: number }
  /** The signal went silent (server time). Deferred: what it says meanwhile is not lost but comes later, whole and in order. */
  | { readonly kind: 'stale'; readonly at: number; readonly isDeferred?: boolean }
  /** It speaks again. */
  | { readonly kind: 'fresh'; readonly at: number }
  /** Samples are missing for good between the newest and the next. */
  | { readonly kind: 'gap'; readonly at: number }
  | ServerFiring
  | OperatorInput

type Sample = Extract<AlarmInput, { kind: 'sample' }>

const NO_EVENTS: StepResult['events'] = []

/** A value as the engine and its events hold it: finite numbers; integers beyond 2^53 as decimal text; text that JSON and SQL can carry. */
export function toAlarmValue(value: Scalar): AlarmValue {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed()
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}

const stopDelay = ({ phase }: AlarmState): Partial<AlarmState> =>
  phase === 'pending-on' || phase === 'pending-off' ? { since: null } : {}

/** T18, T23: the condition freezes, a running delay starts again when the quality returns or samples come again. */
function freeze(draft: Draft, parts: Partial<AlarmState>): void {
  change(draft, { ...stopDelay(draft.state), rate: null, ...parts })
}

/** T23: a delay that waited for good quality starts again. */
function restartDelay(draft: Draft, at: number): void {
  const { phase, since } = draft.state
  if (since === null && (phase === 'pending-on' || phase === 'pending-off')) change(draft, { since: at })
}

function heard(draft: Draft): void {
  if (draft.state.staleSince !== null) change(draft, { staleSince: null })
}

function evaluateSample(draft: Draft, { at, quality }: Sample, value: AlarmValue): void {
  const { rule } = draft
  const { kind } = rule.condition
  heard(draft)
  advance(draft, at)
  const isBad = quality === 0 || !canJudge(kind, value)
  if (isBad && !judgesSilence(kind)) {
    freeze(draft, { isBad, valueAt: at })
    return
  }
  change(draft, isBad ? { isBad, valueAt: at } : { isBad, value, valueAt: at })
  restartDelay(draft, at)
  if (kind === 'rate-of-change' && typeof value === 'number') {
    change(draft, { rate: remember(draft.state.rate, windowMs(draft), at, value) })
  }
  const held = heldLevel(rule, draft.state.phase, draft.state.level)
  settle(draft, at, judge(rule, draft.state, held))
}

/** The same answer as evaluateSample for the common case: nothing pending, good before and now, no change of level. */
const isSteady = (rule: AlarmRule, state: AlarmState, value: AlarmValue): boolean =>
  typeof value === 'number' && isQuiet(rule, state) && isInside(rule.levels, value)

function stepSample(rule: AlarmRule, state: AlarmState, input: Sample): StepResult {
  if (state.valueAt !== null && input.at <= state.valueAt) return { state, events: NO_EVENTS }
  const value = toAlarmValue(input.value)
  if (input.quality !== 0 && isSteady(rule, state, value)) {
    return { state: { ...state, value, valueAt: input.at }, events: NO_EVENTS }
  }
  const draft: Draft = { rule, state, events: [] }
  evaluateSample(draft, input, value)
  return draft
}

function tick(draft: Draft, at: number): void {
  const { rule, state } = draft
  if (isFrozen(rule.condition.kind, state)) return
  restartDelay(draft, at)
  if (rule.condition.kind === 'rate-of-change' && state.rate === null && typeof state.value === 'number') {
    change(draft, { rate: remember(null, windowMs(draft), at, state.value) })
  }
  advance(draft, at)
}

/** A silence that hides nothing for good is shown, and stops no delay: event time goes on where the samples go on. */
function silence(draft: Draft, { at, isDeferred }: Extract<AlarmInput, { kind: 'stale' }>): void {
  if (draft.state.staleSince !== null) return
  if (isDeferred) change(draft, { staleSince: at })
  else freeze(draft, { staleSince: at })
}

function skip(draft: Draft): void {
  const { since, phase, rate } = draft.state
  const isDelayed = since !== null && (phase === 'pending-on' || phase === 'pending-off')
  if (isDelayed || rate !== null) freeze(draft, {})
}

function hearAgain(draft: Draft, at: number): void {
  heard(draft)
  if (draft.rule.condition.kind === 'no-data') settle(draft, at, null)
}

function fireNoData(draft: Draft, at: number): void {
  const level = draft.rule.levels[0]
  if (level && !isActive(draft.state)) activate(draft, at, at, level)
}

/** T16, T17: raised again because the operator's time is over. */
function raiseAgain(draft: Draft, firing: ServerFiring): void {
  const { occurrence } = draft.state
  if (!occurrence || !isActive(draft.state) || isSuppressed(draft.state)) return
  const isRepeat = firing.kind === 're-alarm'
  if (isRepeat) change(draft, { occurrence: { ...occurrence, reAlarms: occurrence.reAlarms + 1 } })
  raise(draft, firing.at, isRepeat ? 1 : 0)
  emit(draft, 're-alarmed', firing.at, { isRaised: true, reason: firing.kind })
}

function act(draft: Draft, input: Exclude<AlarmInput, Sample>): StepResult {
  switch (input.kind) {
    case 'tick':
      tick(draft, input.at)
      return draft
    case 'stale':
      silence(draft, input)
      return draft
    case 'gap':
      skip(draft)
      return draft
    case 'fresh':
      hearAgain(draft, input.at)
      return draft
    case 'no-data':
      fireNoData(draft, input.at)
      return draft
    case 'shelving-expired':
      if (draft.state.shelving) endShelving(draft, input.at, { reason: input.kind })
      return draft
    case 're-alarm':
    case 'acknowledgement-timed-out':
      raiseAgain(draft, { kind: input.kind, at: input.at })
      return draft
    default: {
      const refusal = operate(draft, input)
      return refusal ? { ...draft, refusal } : draft
    }
  }
}

/**
 * Takes an alarm point one input further. Pure: the same rule, state and input give the same result on edge, cloud and in a
 * replay. The given state object comes back when nothing changed.
 */
export function step(rule: AlarmRule, state: AlarmState, input: AlarmInput): StepResult {
  if (input.kind === 'sample') return stepSample(rule, state, input)
  return act({ rule, state, events: [] }, input)
}

/** True while the event clock matters to the point: a delay runs or waits, or a window moves. */
export function needsTick(rule: AlarmRule, state: AlarmState): boolean {
  if (state.phase === 'pending-on' || state.phase === 'pending-off') return true
  return rule.condition.kind === 'rate-of-change' && state.value !== null
}

/** The next event time at which a tick would act; null when none is set. */
export function nextEventAt(rule: AlarmRule, state: AlarmState): number | null {
  const delay = delayEndsAt({ rule, state })
  const base = nextBaseAt(state.rate, windowMs({ rule }))
  if (delay === null || base === null) return delay ?? base
  return Math.min(delay, base)
}

function noDataAt({ condition }: AlarmRule, state: AlarmState): number | null {
  if (condition.kind !== 'no-data' || state.staleSince === null || isActive(state)) return null
  return state.staleSince + Math.round(condition.afterSeconds * 1000)
}

function raiseAgainAt(rule: AlarmRule, state: AlarmState): ServerFiring | null {
  if (!isActive(state) || isSuppressed(state)) return null
  if (rule.acknowledgeTimeoutMs !== null && state.ackedAt !== null) {
    return { kind: 'acknowledgement-timed-out', at: state.ackedAt + rule.acknowledgeTimeoutMs }
  }
  const raisedAt = state.occurrence?.raisedAt ?? null
  const repeats = state.occurrence?.reAlarms ?? 0
  if (rule.reAlarmMs === null || raisedAt === null || repeats >= rule.reAlarmRepeats) return null
  return { kind: 're-alarm', at: raisedAt + rule.reAlarmMs }
}

/** The next firing of the server's clock for the point; null when none waits. Step it once `at` has passed. */
export function dueOnServer(rule: AlarmRule, state: AlarmState): ServerFiring | null {
  const silentAt = noDataAt(rule, state)
  const again = raiseAgainAt(rule, state)
  const expiry: ServerFiring | null = state.shelving && { kind: 'shelving-expired', at: state.shelving.until }
  const noData: ServerFiring | null = silentAt === null ? null : { kind: 'no-data', at: silentAt }
  return [expiry, noData, again].reduce((first, one) => (one && (!first || one.at < first.at) ? one : first), null)
}
