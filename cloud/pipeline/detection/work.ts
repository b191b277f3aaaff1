import type { AlarmRule, AlarmState } from '#shared/alarms/index.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { TakenMemory } from './checkpoint.ts'
import type { DetectionEdge, MachineStateChanged, OffsetRange } from './contract.ts'
import type { GapEdit } from './gaps.ts'
import type { PastOccurrence } from './late.ts'
import type { StoredRanges } from './marks.ts'
import type { ActionResult, MachineMemory, PointMemory } from './tables.ts'

/** One alarm point in memory; `state` is replaced by every step. See AlarmPoint. */
export interface PointSlot extends PointMemory {
  readonly edge: DetectionEdge
  readonly device: string
  profile: string
  rule: AlarmRule
  state: AlarmState
  /** Event or server time of the newest change of the regions. */
  changedAt: number
  isRetired: boolean
  /** True when a newer sample of this number, good or uncertain, would change nothing but the newest value. */
  isCalm(value: number): boolean
  /** Takes such a sample. */
  take(at: number, value: number): void
}

/** A point as one commit writes it. */
export interface PointRow {
  readonly slot: PointSlot
  readonly state: AlarmState
  readonly changedAt: number
  /** Of the edge, see Memory. */
  readonly revision: number
}

/** A change of what a machine does. At the begin of the present interval it replaces that interval. */
export interface MachineRow extends MachineStateChanged {
  readonly org: string
}

export interface AppliedAction {
  readonly id: string
  readonly at: number
  readonly result: ActionResult
}

/** An alarm event with the organisation whose log it joins. */
export interface LoggedEvent {
  readonly org: string
  /** Definition version in force. */
  readonly version: number
  readonly event: AlarmEvent
}

/** What the samples of an edge have moved, as it stood when a commit took it. */
export interface EdgeMark {
  readonly edge: DetectionEdge
  readonly revision: number
  readonly eventAt: number | null
  readonly points: TakenMemory
  /** By device; undefined while they are as the last commit wrote them. */
  readonly machines: Readonly<Record<string, MachineMemory>> | undefined
  /** By epoch; only those that changed since the last commit. */
  readonly ranges: ReadonlyMap<bigint, StoredRanges>
}

/** An occurrence found by a replay of late samples: it began and ended in the past, so it is closed at once. */
export interface LateOccurrence extends PastOccurrence {
  readonly slot: PointSlot
  /** Something kept the alarm from the operator when it began, as the log tells. */
  readonly isSuppressed: boolean
}

/** A gap of an edge, as GapWork tells it. */
export interface GapOf<T> {
  readonly edge: DetectionEdge
  readonly of: T
}

/** What one transaction writes. Each point's row comes with the last of its events, and marks with the last of all. */
export interface Batch {
  readonly events: readonly LoggedEvent[]
  readonly bound: readonly PointSlot[]
  readonly points: readonly PointRow[]
  readonly machines: readonly MachineRow[]
  readonly actions: readonly AppliedAction[]
  readonly late: readonly LateOccurrence[]
  readonly marks: readonly EdgeMark[]
  readonly notedGaps: readonly GapOf<GapEdit>[]
  readonly judgedGaps: readonly GapOf<GapEdit>[]
  readonly closedGaps: readonly GapOf<OffsetRange>[]
}
