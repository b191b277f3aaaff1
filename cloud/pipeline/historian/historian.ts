import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { HistoryBatch } from './batch.ts'
import type { HistoryEngine } from './history-engine.ts'

/** Which offsets of one journal are in history. */
export interface RangeMark {
  readonly group: string
  readonly edge: string
  /** The journal's epoch, an unsigned 64-bit number. */
  readonly epoch: bigint
  /** As RangeSet.serialise() writes them. */
  readonly ranges: string
}

/** A recorded hole, committed like data. Times in ms since 1970. */
export interface StoredGap {
  /** Follows from the edge, the epoch, the range and the cause, so that a resend makes no second one. */
  readonly id: string
  readonly group: string
  readonly edge: string
  readonly epoch: bigint
  readonly device: string | null
  readonly first: bigint
  readonly last: bigint
  readonly count: bigint
  readonly cause: string
  readonly firstTime: number | null
  readonly lastTime: number | null
  readonly recordedAt: number
}

export interface BucketRequest {
  readonly tags: readonly number[]
  /** ms since 1970; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  readonly widthMs: number
  /** Start of bucket 0, at most `from`, which it is unless told. Widths and origins of whole minutes or hours read roll-ups. */
  readonly origin?: number
}

/** Rows in order of tag and bucket, a column each; NaN where the bucket holds no number. */
export interface BucketColumns {
  readonly tag: Float64Array
  /** Number of the bucket, counted from 0 at the origin. */
  readonly bucket: Float64Array
  readonly first: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
  readonly last: Float64Array
  readonly minAt: Float64Array
  readonly maxAt: Float64Array
  /** Time of the newest value, a number or not. */
  readonly lastAt: Float64Array
  /** All values, and those of them that are numbers; `sum` is the sum of these, so that sum / numbers is the mean. */
  readonly count: Float64Array
  readonly numbers: Float64Array
  readonly sum: Float64Array
  readonly quality: Float64Array
}

export interface RawRequest {
  readonly tag: number
  readonly from: number
  readonly to: number
  readonly limit: number
  /** Values at exactly `from` that were already given. */
  readonly skip: number
}

/** Values of one tag in time order. Integers of 64 bits stand in `wide`, texts in `text`; both are empty when no row has any. */
export interface RawColumns {
  readonly at: Float64Array
  /** NaN where the value is not a number, or was not read. */
  readonly v: Float64Array
  readonly q: Float64Array
  readonly wide: readonly (bigint | null)[]
  readonly text: readonly (string | null)[]
}

export interface LastValue {
  readonly tag: number
  readonly sourceAt: number
  readonly value: Scalar
  readonly quality: Quality
}

export interface HistorianStatus {
  /** Rows not yet sorted into files, and in them. */
  readonly hotRows: number
  /** When the first of the rows not yet sorted may have come, ms since 1970; absent when there are none. */
  readonly hotSince?: number
  readonly fileRows: number
  readonly files: number
  /** Bytes of the files. */
  readonly sizeBytes?: number
  /** What keeps the values, where that is another program; it counts its rows itself. */
  readonly engine?: HistoryEngine
}

/** How finely something is kept: every value, or minutes and hours with first, min, max, last, sum and count. */
export type HistoryLevel = 'raw' | 'minute' | 'hour'

/** What retention removed; the record itself is kept for ever. Times in ms since 1970. */
export interface Deletion {
  readonly deletedAt: number
  readonly level: HistoryLevel
  /** Class of the tags, see classify(). */
  readonly class: number
  /** Source times of what was removed, both inclusive. */
  readonly firstAt: number
  readonly lastAt: number
  /** Values, or rows of the roll-up. */
  readonly rows: number
}

/**
 * Keeps every value for ever. One writer: commit() is never called again before it has settled. Values, ranges and
 * gaps of a batch are stored together or not at all; when commit() resolves they outlive a crash. When it rejects the
 * outcome is unknown: read marks() again before the next commit.
 */
export interface Historian {
  commit(batch: HistoryBatch): Promise<void>
  /** All ranges committed. */
  marks(): Promise<RangeMark[]>
  gaps(): Promise<StoredGap[]>
  /** @throws HistoryTimeoutError when the query outlasts its limit; so do raw() and last(). */
  buckets(request: BucketRequest): Promise<BucketColumns>
  raw(request: RawRequest): Promise<RawColumns>
  /** Newest value by source time, earlier than `before` when given (ms since 1970), of each tag that has one. */
  last(tags: readonly number[], before?: number): Promise<LastValue[]>
  /** Puts tags into retention classes from the next file on; every tag is of class 0 unless told. An engine with retention of its own ignores it. */
  classify(tags: readonly { readonly tag: number; readonly class: number }[]): Promise<void>
  /** What retention has removed so far, oldest first; empty where the engine keeps no such record. */
  deletions(): Promise<Deletion[]>
  status(): Promise<HistorianStatus>
  /** What is wrong, in words with the next step; empty when all is well. Answers at once. */
  faults(): readonly string[]
  close(): Promise<void>
}

/** A query was stopped at its time limit; a shorter span or fewer tags answer sooner. */
export class HistoryTimeoutError extends Error {
  override readonly name = 'HistoryTimeoutError'
}

/** The commit did not happen, or nobody knows; nothing may be acknowledged. */
export class HistoryCommitError extends Error {
  override readonly name = 'HistoryCommitError'
}
