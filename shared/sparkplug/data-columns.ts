import type { SparkplugType } from './datatype.ts'

/** Bits of `DataColumns.flag`. */
export const NULL = 1
export const WIDE = 2
export const HISTORICAL = 4
export const MISFIT = 8

/** Finds the slot of a metric by alias; made once per birth. */
export class AliasTable {
  /** Aliases of the offset metrics; −1 when the birth has none. */
  firstOffsetAlias = -1
  lastOffsetAlias = -1
  readonly #metrics = new Map<number, { readonly slot: number; readonly type: SparkplugType }>()

  /** Adds a metric by its alias, a whole number below 2^53; slots are numbered by the caller. `type`: how the value is read. */
  set(alias: number, slot: number, type: SparkplugType): void {
    this.#metrics.set(alias, { slot, type })
  }

  /** −1 when no birth announced it. */
  slotOf(alias: number): number {
    return this.#metrics.get(alias)?.slot ?? -1
  }
}

/** Columns that a payload is read into; they grow, and are used again for the next payload. Entries 0 to count − 1 count. */
export class DataColumns {
  /** Sample metrics, without the two offset metrics. */
  count = 0
  /** Payload time in ms; NaN when absent. */
  timestamp = Number.NaN
  /** −1 when absent. */
  seq = -1
  hasOffsets = false
  firstOffset = 0n
  lastOffset = 0n
  /** Slot numbers of the table. */
  slot = new Int32Array(256)
  /** Source time in ms; the payload's when the metric has none, NaN when that has none either. */
  ts = new Float64Array(256)
  /** A number, 0 or 1 for booleans, ms for DateTime; NaN when null, unread or wide. */
  v = new Float64Array(256)
  /** 192 good, 64 uncertain, 0 bad. */
  q = new Uint8Array(256)
  /** NULL, WIDE, HISTORICAL, MISFIT. */
  flag = new Uint8Array(256)
  /** 64-bit integers as bigint, texts as string; counts only where `flag` has WIDE. */
  wide: (bigint | string | undefined)[] = []
}

/**
 * Reads a data payload straight into columns. Answers false, and the columns then hold nothing, for what needs the object
 * decoder.
 * @throws PayloadError for bytes that are no payload and for offsets that contradict the number of metrics.
 */
export function readData(_bytes: Uint8Array, _table: AliasTable, into: DataColumns): boolean {
  into.count = 0
  return false
}
