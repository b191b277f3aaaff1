import type { TagSample } from '#edge/model.ts'
import type { GapCause, GapRecord } from '#shared/contracts/gap.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import type { JournalConfig } from './config.ts'
import type { GatewayClock } from './gateway-clock.ts'
import type { Counting, Identity } from './identity.ts'
import type { Clock, JournalRecord } from './journal.ts'
import type { Registry } from './registry.ts'
import type { Rewriting } from './rewrite.ts'
import { isNoRoom } from './segment.ts'
import type { Ballast } from './space.ts'
import type { Store } from './store.ts'
import type { Writer } from './writer.ts'

export const MB = 1024 * 1024

/** What an open journal is made of. */
export interface Parts {
  readonly directory: string
  readonly config: JournalConfig
  readonly clock: Clock
  readonly log: Log
  readonly registry: Registry
  readonly store: Store
  readonly identity: Identity
  readonly ballast: Ballast
  readonly counters: Counting
  readonly listeners: Set<(records: readonly JournalRecord[]) => void>
  /** Damaged rows found while reading, whose gap record is on its way. */
  readonly damaged: Set<bigint>
  /** Rows whose records were read a moment ago, by first offset. */
  readonly unpacked: Map<bigint, UnpackedRow>
  readonly gapTag: number
  readonly alarmTag: number
  /** Paths of closed segments that could not be written anew. */
  readonly asItIs: Set<string>
  writer: Writer
  /** What a closed segment is being written anew for; undefined while none is. */
  rewriting: Rewriting | undefined
  acknowledged: bigint
  savedAt: number
  checkedAt: number
  /** Segments when the house was last looked after. */
  segmentsSeen: number
  isClosed: boolean
  readonly time: GatewayClock
}

/** The records of a row, for as long as the row is the same. */
export interface UnpackedRow {
  readonly last: bigint
  readonly count: number
  readonly records: readonly JournalRecord[]
}

/** A gap record. */
export function gap(
  range: { first: bigint; last: bigint; count: number },
  cause: GapCause,
  firstTime: number | null,
  lastTime: number | null,
): GapRecord {
  return { first: String(range.first), last: String(range.last), count: range.count, cause, firstTime, lastTime }
}

/** A gap record as a sample of the node. */
export const gapSample = (parts: Parts, record: GapRecord): TagSample =>
  textSample(parts.gapTag, JSON.stringify(record), parts.clock.now())

/** A text as a good sample. */
export const textSample = (tagId: number, value: string, sourceAt: number): TagSample => ({
  tagId,
  sourceAt,
  value,
  quality: GOOD,
})

/** An acknowledgement that could not be written costs nothing but sending again after a restart. */
export function saveAcknowledged(parts: Parts, now: number): void {
  parts.savedAt = now
  try {
    parts.registry.saveAcknowledged(parts.acknowledged)
  } catch (error) {
    if (!isNoRoom(error)) throw error
    parts.log.warn({ err: error }, 'Acknowledgement was not written, the disk is full')
  }
}

/** Bytes of all segments. */
export const sizeOf = (store: Store): number => store.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
