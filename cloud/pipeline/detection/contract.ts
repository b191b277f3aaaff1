import type { AlarmCommand } from '#shared/contracts/alarm-command.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent, AlarmValue } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { DataColumns } from '#shared/sparkplug/columns.ts'

/** An edge node as detection knows it; `org` is the organisation of its group. */
export interface DetectionEdge {
  readonly org: string
  readonly group: string
  readonly edge: string
}

/** One value as the host decoded it. Times in ms since 1970. */
export interface DetectionSample {
  /** From `EdgeDetection.tag()`; a sample of a tag that nothing watches (-1) may be left out or handed in. */
  readonly tag: number
  readonly sourceAt: number
  readonly value: Scalar
  readonly quality: Quality
  /** Offset in the edge's journal; absent for a third-party edge. */
  readonly offset?: bigint
}

/** Samples of one payload. The range covers every offset of the payload, also of tags that nothing watches. */
export interface DetectionBatch {
  readonly samples: readonly DetectionSample[]
  /** Absent for a third-party edge, whose samples move no mark. */
  readonly range?: OffsetRange
}

/** The tags of a device by the slots of a payload's columns. */
export interface WatchedColumns {
  /** The numbers of `EdgeDetection.tag()`; -1: nothing watches it. */
  readonly watch: Int32Array
  /** 1 where 0 and 1 in the columns mean false and true. */
  readonly truth: Uint8Array
  /** The value of an entry as an object path would read it. */
  scalarAt(data: DataColumns, index: number): Scalar
}

/** As DetectionBatch, in columns; the range, where there is one, gives the k-th entry the offset first + k. */
export interface DetectionColumns {
  readonly data: DataColumns
  readonly tags: WatchedColumns
  readonly range?: OffsetRange
}

/** Offsets of one journal, inclusive. */
export interface OffsetRange {
  readonly epoch: bigint
  readonly first: bigint
  readonly last: bigint
}

/** What a birth tells of a journal: the oldest offset that the edge still has, and the newest that it has accepted. */
export interface AcceptedOffsets {
  readonly epoch: bigint
  readonly first: bigint
  readonly newest: bigint
}

/** A value told by a birth: evaluated only by points that have not seen a value yet, because a birth's values are not samples. */
export interface BirthValue {
  readonly tag: string
  readonly sourceAt: number
  readonly value: Scalar
  readonly quality: Quality
}

/** Stored values, from which late samples are judged. */
export interface LateHistory {
  /** True when history has every offset of the range: read() sees its samples then. */
  hasAll(edge: DetectionEdge, range: OffsetRange): boolean
  /** Values of a tag (`group/edge/device/tag`) with `from` ≤ time < `to` in ms since 1970, oldest first, at most `limit`. */
  read(query: {
    path: string
    from: number
    to: number
    limit: number
  }): Promise<readonly { readonly at: number; readonly value: Scalar; readonly quality: Quality }[]>
}

/** Everything detection holds for one edge. All calls are synchronous; what they change is committed by itself, in order. */
export interface EdgeDetection {
  readonly edge: DetectionEdge
  /**
   * Binds the alarms and the machine-state tag of the profile to the device; the same profile again changes nothing. Called
   * at start for devices known before, whose samples may come ahead of their next birth.
   */
  bind(device: string, profile: DeviceProfile): void
  /** Called at every DBIRTH: binds, and ends the device's staleness. A device without a profile has no alarms. */
  onBirth(device: string, profile: DeviceProfile | undefined, values?: readonly BirthValue[]): void
  /** The number by which samples of a tag are handed in; -1 when nothing watches it. Valid until the device's next birth. */
  tag(device: string, tag: string): number
  /** Evaluates samples in the order given. Offsets that were committed before are skipped, one by one. */
  onSamples(batch: DetectionBatch): void
  /** The same for a payload in columns, without an object for a sample that changes nothing. */
  onColumns(batch: DetectionColumns): void
  /** An event of an alarm that a device judges itself: a fact, which the same again does not change. */
  onAlarmEvent(event: AlarmEvent): void
  /**
   * Closes offsets that will never carry samples (a gap record); of one device where the record names it. Delays begin anew there.
   */
  onGap(range: OffsetRange, device?: string): void
  /** Call after the payload's samples. The edge's event clock: the payload timestamp of every NDATA and DDATA, heartbeats included. Never moves back. */
  onEventTime(at: number): void
  /**
   * Call instead of onEventTime after a payload of historical samples, sent at `at`: the edge tells what was, so the time of
   * sending says nothing about how far its signals are known. Delays go on by the samples' own times; while more may follow,
   * heartbeats move no clock either.
   */
  onBacklog(at: number): void
  /**
   * The edge is silent (no `device`) or the device is dead: conditions freeze, no-data alarms run. `at` is server time. Of an edge
   * with a journal nothing is lost meanwhile, so its delays go on in event time with the samples that follow.
   */
  onStale(at: number, device?: string): void
  /**
   * Called at every NBIRTH: the edge speaks. Of a journal, the event clock stands until all that it has accepted has come, for at
   * most 10 s without samples.
   */
  onSession(journal: AcceptedOffsets | undefined): void
  /**
   * Messages of an edge with a journal may have been lost on the way to this process: as for onSession, until samples come; `first` is
   * the oldest offset that the edge still has, as far as is known.
   */
  mayHaveMissed(journal: Omit<AcceptedOffsets, 'newest'>): void
  /** The edge speaks again (any other call but onStale says so too). Devices that died stay stale until their own birth. */
  onFresh(): void
  /** End of the first unbroken range of committed offsets from `from` (the oldest unacknowledged one) on; from - 1 when none. */
  mark(epoch: bigint, from: bigint): bigint
}

/** An alarm point with its current state. Times in ms since 1970. */
export interface AlarmPointStatus {
  readonly id: string
  readonly org: string
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly tag: string
  readonly alarm: string
  readonly definition: AlarmDefinition
  readonly definitionVersion: number
  readonly profile: string
  readonly priority: AlarmEvent['priority']
  readonly state: AlarmEvent['state']
  readonly isActive: boolean
  readonly isUnacknowledged: boolean
  readonly isUnconfirmed: boolean
  readonly isLatched: boolean
  readonly isShelved: boolean
  readonly isSuppressedByDesign: boolean
  readonly isOutOfService: boolean
  readonly isAnnunciated: boolean
  readonly quality: 'good' | 'bad' | 'stale'
  readonly level: string | null
  readonly value: AlarmValue
  readonly setpoint: number | null
  readonly occurrenceId: string | null
  readonly activeSince: number | null
  readonly changedAt: number
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: number | null
  readonly shelvedUntil: number | null
}

/** Filters of the alarm list. All that are given must hold. */
export interface AlarmFilter {
  readonly ids?: readonly string[]
  readonly isAnnunciated?: boolean
  readonly states?: readonly AlarmEvent['state'][]
  readonly priorities?: readonly AlarmEvent['priority'][]
  /** Device paths `group/edge/device`. */
  readonly devices?: readonly string[]
  /** Part of the alarm's key, name, device or tag, in any case. */
  readonly text?: string
  readonly cursor?: string
  /** 100 unless told, at most 500. */
  readonly limit?: number
}

export interface OccurrenceStatus {
  readonly id: string
  readonly org: string
  readonly pointId: string
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly tag: string
  readonly alarm: string
  readonly causeId: string
  readonly openedAt: number
  readonly returnedAt: number | null
  readonly closedAt: number | null
  readonly priority: AlarmEvent['priority']
  readonly level: string | null
  readonly value: AlarmValue
  readonly setpoint: number | null
  readonly peakValue: number | null
  readonly peakAt: number | null
  readonly count: number
  readonly isSuppressed: boolean
  readonly isLate: boolean
}

/** One line of the alarm log with its number, gapless per organisation. */
export interface AlarmLogLine extends AlarmEvent {
  readonly seq: bigint
}

/** What a machine did from `since` to `until`; `until` is null for the present. */
export interface MachineStateInterval {
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly state: MachineState
  readonly since: number
  readonly until: number | null
}

/** Data of the outbox event `machine-state.changed`. */
export interface MachineStateChanged {
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly state: MachineState
  readonly previous: MachineState | null
  readonly at: number
}

/** Reads of alarms and machine states for the suite; each from committed rows, within one organisation. */
export interface DetectionQueries {
  /** Unacknowledged first, then priority, then newest. No time window: a standing alarm never drops out. */
  alarms(org: string, filter?: AlarmFilter): Promise<{ items: AlarmPointStatus[]; nextCursor: string | null }>
  /** Annunciated points by priority, and how many of them are unacknowledged. */
  alarmCounts(org: string): Promise<{ byPriority: Record<AlarmEvent['priority'], number>; unacknowledged: number }>
  alarm(org: string, pointId: string): Promise<AlarmPointStatus | undefined>
  occurrence(org: string, id: string): Promise<OccurrenceStatus | undefined>
  /** Newest first. */
  occurrences(
    org: string,
    filter: { pointId?: string; devices?: readonly string[]; from?: number; to?: number; limit?: number },
  ): Promise<OccurrenceStatus[]>
  /** The newest lines (100 unless told, at most 500), oldest of them first. */
  alarmLog(org: string, filter: { occurrenceId?: string; pointId?: string; limit?: number }): Promise<AlarmLogLine[]>
  /** Present state of devices (`group/edge/device`); devices that never told one are absent. */
  machineStates(org: string, devices?: readonly string[]): Promise<MachineStateInterval[]>
  /** Intervals of a device that touch [from, to), oldest first. */
  machineStateHistory(org: string, device: string, from: number, to: number): Promise<MachineStateInterval[]>
}

/** The detection of all edges of this process. */
export interface Detection extends DetectionQueries {
  /** The edge's detection, which went on from its checkpoint when the edge was taken on. */
  edge(edge: DetectionEdge): EdgeDetection
  /** Goes on with these edges, or with all, from their checkpoints; the alarms of those that stay silent freeze. */
  takeOn(edges?: readonly DetectionEdge[]): Promise<void>
  /** Ends work on these edges: once it resolves, what they brought is committed and nothing more is written for them. */
  letGo(edges: readonly DetectionEdge[]): Promise<void>
  /** Applies the operator actions that wait. NOTIFY `andon_alarm_actions` calls it by itself. */
  applyActions(): Promise<void>
  /** Fires what the server's clock has made due. It does so by itself; a hand-moved clock calls it. */
  checkServerClock(): void
  /** Judges the late samples that are due; called after each commit of history. Resolves when it is done. */
  judgeLate(): Promise<void>
  /** Resolves when all that was handed in before is committed, checkpoint and marks included. */
  settled(): Promise<void>
  /** Called when a person has acknowledged an alarm that a device judges itself: the edge is to tell the device. */
  onDeviceAcknowledgement(listener: (edge: DetectionEdge, command: AlarmCommand) => void): () => void
  /** Called after each commit that moved an edge's mark, with the edge. Returns the function that ends it. */
  onMark(listener: (edge: DetectionEdge) => void): () => void
  /** What keeps alarm events from being committed, in words; undefined while all is well. */
  fault(): string | undefined
  /** Commits what waits and stops. */
  close(): Promise<void>
}
