import type { IsaState } from '#shared/contracts/alarm.ts'
import type { LimitLevel } from '#shared/contracts/alarm-definition.ts'
import type { AlarmPhase, AlarmValue } from '#shared/contracts/alarm-event.ts'

/** Name of a limit level; null for conditions that have none. */
export type LevelName = LimitLevel['level'] | null

/** A shelving. One-shot lasts for the current or the next activation, at most until `until`. */
export interface Shelving {
  readonly kind: 'timed' | 'one-shot'
  readonly until: number
  readonly by: string
  readonly reason: string
  readonly since: number
}

/** Taken out of service under an open work order. */
export interface OutOfService {
  readonly workOrderId: string
  readonly by: string
  readonly since: number
}

/** What must outlive a sample while an occurrence is open. Its raise details stand in the event that opened it. */
export interface OpenOccurrence {
  readonly id: string
  readonly openedAt: number
  /** Newest activation, so that a return cut short keeps its age. */
  readonly activatedAt: number
  /** Times raised. */
  readonly count: number
  /** When it was last annunciated; null while it never was, because something suppressed it. */
  readonly raisedAt: number | null
  readonly reAlarms: number
  readonly peak: number | null
  readonly peakAt: number | null
  /** Opened while suppressed: nobody is notified of it. */
  readonly isSuppressed: boolean
}

/** Values by which a rate of change is measured: the one a window ago, and those that will become it, oldest first. */
export interface RateMemory {
  readonly base: number | null
  readonly entries: readonly (readonly [at: number, value: number])[]
}

/**
 * State of one alarm point: the four regions of ISA-18.2 (condition, acknowledgement and confirmation, latch, suppression),
 * the open occurrence and what the detector remembers. Plain JSON; times are event time in ms since 1970.
 */
export interface AlarmState {
  readonly phase: AlarmPhase
  /** Level in force, or the one a delay runs for. */
  readonly level: LevelName
  /** Begin of the phase; null in a pending phase whose delay waits for good quality. */
  readonly since: number | null
  readonly isBad: boolean
  /** Server time at which the signal went silent. */
  readonly staleSince: number | null

  readonly isAcked: boolean
  readonly ackedAt: number | null
  readonly ackedBy: string | null
  readonly isConfirmed: boolean

  readonly latchedSince: number | null

  readonly shelving: Shelving | null
  /** Rules that suppress by design. */
  readonly byDesign: readonly string[]
  readonly outOfService: OutOfService | null

  readonly occurrence: OpenOccurrence | null
  /** Activations that an on-delay kept away. */
  readonly fleetingBlocked: number

  /** Newest good value and the time of the newest sample of any quality: a sample not younger than that changes nothing. */
  readonly value: AlarmValue
  readonly valueAt: number | null
  readonly rate: RateMemory | null
}

/** A point that has never seen a value: state A. */
export const INITIAL_STATE: AlarmState = {
  phase: 'normal',
  level: null,
  since: null,
  isBad: false,
  staleSince: null,
  isAcked: true,
  ackedAt: null,
  ackedBy: null,
  isConfirmed: true,
  latchedSince: null,
  shelving: null,
  byDesign: [],
  outOfService: null,
  occurrence: null,
  fleetingBlocked: 0,
  value: null,
  valueAt: null,
  rate: null,
}

/** True from activation until the return, the off-delay included. */
export const isActive = (state: Pick<AlarmState, 'phase'>) => state.phase === 'active' || state.phase === 'pending-off'

/** True while anything keeps the alarm from the operator. */
export const isSuppressed = (state: AlarmState) =>
  state.shelving !== null || state.byDesign.length > 0 || state.outOfService !== null

/** True while the alarm calls the operator. */
export const isAnnunciated = (state: AlarmState) =>
  !isSuppressed(state) && (isActive(state) || state.latchedSince !== null || !state.isAcked)

/** The quality by which the condition is judged; stale wins over bad. */
export function qualityOf(state: AlarmState): 'good' | 'bad' | 'stale' {
  if (state.staleSince !== null) return 'stale'
  return state.isBad ? 'bad' : 'good'
}

/** The ISA-18.2 state that the regions make. I stands before H, H before G. */
export function isaState(state: AlarmState): IsaState {
  if (state.outOfService) return 'I'
  if (state.byDesign.length > 0) return 'H'
  if (state.shelving) return 'G'
  if (isActive(state)) return state.isAcked ? 'C' : 'B'
  if (state.latchedSince !== null) return state.isAcked ? 'F' : 'E'
  return state.isAcked ? 'A' : 'D'
}
