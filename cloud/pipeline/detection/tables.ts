import type { GeneratedAlways } from 'kysely'
import type { Int8, JsonColumn, OutboxTable } from '#cloud/platform/database/tables.ts'
import type { AlarmChange, AlarmState } from '#shared/alarms/index.ts'
import type { AlarmActionKind } from '#shared/contracts/alarm-command.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent, AlarmTransition, AlarmValue } from '#shared/contracts/alarm-event.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { StoredRanges } from './marks.ts'

type IsaState = AlarmEvent['state']
type Priority = AlarmEvent['priority']

/** What every sample changes; kept in the edge's checkpoint between the writes of a point's own row. */
export type PointMemory = Pick<AlarmState, 'value' | 'valueAt' | 'rate'>

export interface MachineMemory {
  readonly valueAt: number
  readonly told: MachineState | null
}

/** What the detectors of an edge remembered at its marks. */
export interface Memory {
  /** Grows with each commit of the edge: the row of a point with a greater one is newer than its memory. */
  readonly revision: number
  readonly eventAt: number | null
  /** By point id; points that have seen nothing are absent. */
  readonly points: ReadonlyMap<string, PointMemory>
  readonly machines: Readonly<Record<string, MachineMemory>>
}

export interface DefinitionsTable {
  org_id: string
  profile: string
  alarm: string
  version: number
  document: JsonColumn<AlarmDefinition>
}

export interface PointsTable {
  id: string
  org_id: string
  group_key: string
  edge: string
  device: string
  device_path: string
  tag: string
  alarm: string
  profile: string
  definition_version: number
  name: JsonColumn<LocalizedText>
  priority: Priority
  urgency: number
  state: IsaState
  is_annunciated: boolean
  is_acked: boolean
  quality: 'good' | 'bad' | 'stale'
  level: string | null
  value: JsonColumn<AlarmValue>
  setpoint: number | null
  occurrence_id: string | null
  active_since: Date | null
  acknowledged_at: Date | null
  acknowledged_by: string | null
  shelved_until: Date | null
  changed_at: Date
  newest: GeneratedAlways<string>
  regions: JsonColumn<AlarmState>
  retired_at: Date | null
  revision: Int8
}

export interface OccurrencesTable {
  id: string
  org_id: string
  point_id: string
  cause_id: string
  definition_version: number
  opened_at: Date
  returned_at: Date | null
  closed_at: Date | null
  priority: Priority
  level: string | null
  value: JsonColumn<AlarmValue>
  setpoint: number | null
  peak_value: number | null
  peak_at: Date | null
  count: number
  is_suppressed: boolean
  is_late: boolean
}

export interface LogTable {
  id: string
  org_id: string
  seq: Int8
  point_id: string
  occurrence_id: string | null
  transition: AlarmTransition
  event_at: Date
  recorded_at: Date
  state: IsaState
  by: string | null
  event: JsonColumn<AlarmEvent>
}

/** What became of an operator's action. */
export interface ActionResult {
  readonly status: 'applied' | 'refused'
  readonly error?: string
  readonly state: IsaState | null
}

export interface ActionsTable {
  position: GeneratedAlways<string>
  id: string
  org_id: string
  point_id: string
  kind: AlarmActionKind
  by: string
  comment: string | null
  until: Date | null
  occurrence_id: string | null
  reference: string | null
  at: Date
  applied_at: Date | null
  result: JsonColumn<ActionResult | null>
}

export interface MarksTable {
  group_key: string
  edge: string
  epoch: string
  org_id: string
  ranges: JsonColumn<StoredRanges>
}

export interface CheckpointsTable {
  group_key: string
  edge: string
  org_id: string
  revision: Int8
  event_at: number | null
  machines: JsonColumn<Readonly<Record<string, MachineMemory>> | null>
  base: Buffer | null
  changes: Buffer
}

export interface GapsTable {
  group_key: string
  edge: string
  epoch: string
  first_offset: string
  last_offset: string
  org_id: string
  first_late_at: number | null
  late_from: number | null
  late_to: number | null
}

/** A Replayed, its states without what they have in common with one that has seen nothing. */
export interface StoredReplay {
  readonly state: Partial<AlarmState>
  readonly live?: Partial<AlarmState>
  readonly activated?: AlarmChange
}

export interface GapTagsTable extends Pick<GapsTable, 'group_key' | 'edge' | 'epoch' | 'first_offset' | 'org_id'> {
  device: string
  tag: string
  live_at: number
  is_late: boolean
  points: JsonColumn<Readonly<Record<string, StoredReplay>>>
}

export interface MachineStatesTable {
  device_path: string
  since: Date
  org_id: string
  group_key: string
  edge: string
  device: string
  state: MachineState
  until: Date | null
}

/** The tables of `0003-detection.sql`, `0007-detection-checkpoint.sql` and `0008-detection-gaps.sql`, and the outbox to which alarm events go in the same transaction. */
export interface DetectionTables {
  alarm_definitions: DefinitionsTable
  alarm_points: PointsTable
  occurrences: OccurrencesTable
  alarm_log: LogTable
  alarm_log_heads: { org_id: string; seq: Int8 }
  alarm_actions: ActionsTable
  detection_marks: MarksTable
  detection_checkpoints: CheckpointsTable
  detection_gaps: GapsTable
  detection_gap_tags: GapTagsTable
  machine_states: MachineStatesTable
  outbox: OutboxTable
}
