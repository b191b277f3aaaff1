import type { TagSample } from '#edge/model.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import type { ScalarType } from '#shared/contracts/sample.ts'
import type { OffsetRange } from '#shared/sparkplug/range-set.ts'

/**
 * What a record holds. `live`: samples just read. `backfill`: samples read later for a time that has passed (sent as
 * historical, source time kept). `alarm`: alarm events as JSON. `gap`: gap records as JSON.
 */
export type JournalClass = 'live' | 'backfill' | 'alarm' | 'gap'

export interface Clock {
  /** Gateway time in ms since 1970. */
  now(): number
  /** ms on a clock that nobody sets; with it the journal notices and records that gateway time was set. */
  monotonic?(): number
  /** A time that has certainly passed, ms since 1970: a clock that shows less is not believed. */
  earliest?(): number
}

/** One payload to be: samples of one device (or of the node: alarm events and gaps), in offset order. */
export interface JournalRecord extends OffsetRange {
  readonly class: JournalClass
  /** Device of all its samples; undefined for the node. */
  readonly device: string | undefined
  /** Sorted by source time; sample k has offset first + k, unless the record was thinned. */
  readonly samples: readonly TagSample[]
  /** Of a thinned record: each sample's own offset. Those between are covered by a gap record. */
  readonly offsets?: readonly bigint[]
}

/** A tag as the journal knows it, also when the configuration no longer does. */
export interface JournaledTag {
  readonly id: number
  /** Undefined for a metric of the node. */
  readonly device: string | undefined
  readonly tag: string
  readonly type: ScalarType
}

/** The answer to append(): bounds of the commit that holds the samples; other batches may share it. */
export type Accepted = OffsetRange

export interface JournalStatus {
  readonly epoch: bigint
  /** Newest accepted offset; 0 when nothing was ever accepted. */
  readonly newest: bigint
  /** All offsets up to this one are with the host. */
  readonly acknowledged: bigint
  /** Samples accepted and not acknowledged, jumps of offsets left out. */
  readonly depth: number
  readonly segments: number
  /** In these segments, acknowledged ones that still lie there too. */
  readonly samples: number
  readonly sizeBytes: number
  /** False while gateway time cannot be right. */
  readonly isTimeBelieved: boolean
  /** Source time in ms of the oldest sample not acknowledged. */
  readonly oldestAt: number | undefined
  readonly counters: JournalCounters
}

/** Counts since the journal was opened. */
export interface JournalCounters {
  readonly accepted: number
  readonly commits: number
  /** Samples replaced by a later one of the same tag and millisecond in one commit. */
  readonly replaced: number
  /** Samples moved on by 1 ms because their tag had one of that millisecond already. */
  readonly shifted: number
  /** Samples dropped because their tag had the very same one already. */
  readonly repeated: number
  /** Live samples that took gateway time because their own was more than 2 s off. */
  readonly retimed: number
  /** Samples read while gateway time could not be right, journaled as uncertain. */
  readonly unsynchronised: number
  /** Samples whose value does not fit their tag's type, journaled as bad without a value. */
  readonly mistyped: number
  /** Samples given up to the limits, each covered by a gap record. */
  readonly discarded: number
  /** Samples left out between the extremes and the last of an interval, each covered by a gap record. */
  readonly thinned: number
  /** Closed segments packed again, by tag. */
  readonly repacked: number
  readonly gaps: number
}

/** Store and forward on disk. One process opens it; every call is made on that process's main thread. */
export interface Journal {
  /** Random 64-bit name of this journal, made when it was created. */
  readonly epoch: bigint
  /** Newest accepted offset; 0 when nothing was ever accepted. */
  readonly newest: bigint
  /** All offsets up to this one are with the host and may be freed. */
  readonly acknowledged: bigint
  /**
   * Number of a tag, registered on disk at its first use and kept for ever. The same tag with another type has another
   * number. `device` is undefined for metrics of the node.
   */
  tagId(device: string | undefined, tag: string, type: ScalarType): number
  tag(id: number): JournaledTag | undefined
  /**
   * Accepts samples: resolves when the commit that holds them is on disk. A live sample whose source time is more than
   * 2 s from gateway time is journaled with gateway time, as uncertain.
   * @throws JournalFullError when the disk is full and nothing may be dropped; the samples are not accepted.
   */
  append(samples: readonly TagSample[], kind?: 'live' | 'backfill'): Promise<Accepted>
  /** Accepts an alarm event (JSON by shared/contracts/alarm-event.ts). `at` is its event time in ms. */
  appendAlarmEvent(json: string, at: number): Promise<Accepted>
  /** Accepts a gap in time that the edge found itself, such as a silent device: first and last '0', it covers no offsets. */
  appendGap(gap: GapRecord): Promise<Accepted>
  /** Calls back after each commit, in the same turn, with what it holds: alarm events and gaps first. */
  onCommit(listener: (records: readonly JournalRecord[]) => void): () => void
  /** Records that hold offsets from `from` on, in order, at most `limit`; never more than that in memory. */
  read(from: bigint, limit: number): JournalRecord[]
  /** As read(), alarm events and gaps only. */
  readUrgent(from: bigint, limit: number): JournalRecord[]
  /** All up to `offset` is with the host: whole segments below it are unlinked. Lower than before is ignored. */
  acknowledge(offset: bigint): void
  /** The next bdSeq, 0 to 255, on disk before it is returned. */
  nextBdSeq(): number
  status(): JournalStatus
  /** Commits what waits, marks the stop as clean and closes the files. */
  close(): Promise<void>
}

/** The disk is full and nothing more may be given up: samples are refused until space is freed. */
export class JournalFullError extends Error {
  override readonly name = 'JournalFullError'
}
