import type { AlarmRefusal } from '#shared/contracts/alarm-command.ts'
import type { AlarmEvent, AlarmTransition } from '#shared/contracts/alarm-event.ts'
import { uuidV8 } from './identity.ts'
import { type AlarmRule, levelNamed } from './rule.ts'
import { type AlarmState, isActive, isAnnunciated, isaState, qualityOf } from './state.ts'

/** A log line as the engine makes it; who carries it adds where the point is and when it was recorded. */
export type AlarmChange = Omit<AlarmEvent, 'group' | 'edge' | 'device' | 'tag' | 'alarm' | 'recordedAt' | 'isLate'>

/** What one input did. `refusal` tells why an operator's action changed nothing. */
export interface StepResult {
  readonly state: AlarmState
  readonly events: readonly AlarmChange[]
  readonly refusal?: AlarmRefusal
}

/** A step in the making: the state is replaced piece by piece, events gather in order. */
export interface Draft {
  readonly rule: AlarmRule
  state: AlarmState
  readonly events: AlarmChange[]
}

/** Facts of a log line that the state does not hold. */
export type ChangeFacts = Partial<
  Pick<AlarmChange, 'by' | 'comment' | 'until' | 'reference' | 'reason' | 'isRaised'>
> & {
  /** Id of the operator's action, so that two of one millisecond are two events. */
  readonly actionId?: string
}

/** Replaces parts of the state. */
export function change(draft: Draft, parts: Partial<AlarmState>): void {
  draft.state = { ...draft.state, ...parts }
}

const NONE = {} as const

function peakOf({ occurrence }: AlarmState): { peak?: number; peakAt?: number } {
  if (!occurrence || occurrence.peak === null || occurrence.peakAt === null) return NONE
  return { peak: occurrence.peak, peakAt: occurrence.peakAt }
}

/** Adds the log line of a transition, as the state stands after it. */
export function emit(draft: Draft, transition: AlarmTransition, at: number, facts: ChangeFacts = NONE): void {
  const { rule, state } = draft
  const { actionId = '', isRaised = false, ...rest } = facts
  const occurrenceId = state.occurrence?.id ?? null
  const level = levelNamed(rule, state.level)
  draft.events.push({
    id: uuidV8('alarm-event', rule.pointId, occurrenceId ?? '', transition, at, actionId),
    occurrenceId,
    pointId: rule.pointId,
    transition,
    eventAt: at,
    state: isaState(state),
    condition: state.phase,
    priority: level?.priority ?? rule.definition.priority,
    isAnnunciated: isAnnunciated(state),
    isRaised,
    count: state.occurrence?.count ?? 0,
    value: state.value,
    quality: qualityOf(state),
    ...(state.level === null ? NONE : { level: state.level }),
    ...(level && !Number.isNaN(level.setpoint) ? { setpoint: level.setpoint } : NONE),
    ...peakOf(state),
    ...rest,
  })
}

/** Unacknowledges and marks the moment of annunciation; `count` tells whether the occurrence counts one more. */
export function raise(draft: Draft, at: number, count: number): void {
  const { occurrence } = draft.state
  change(draft, {
    isAcked: false,
    ackedAt: null,
    ackedBy: null,
    occurrence: occurrence && { ...occurrence, raisedAt: at, count: occurrence.count + count },
  })
}

/** Closes the occurrence when nothing is left to do: returned, unlatched, acknowledged and, where needed, confirmed. */
export function closeWhenDone(draft: Draft, at: number): void {
  const { state } = draft
  if (!state.occurrence || isActive(state)) return
  if (!state.isAcked || state.latchedSince !== null || !state.isConfirmed) return
  emit(draft, 'closed', at)
  change(draft, { occurrence: null })
}
