/** Bits of `DataColumns.flag`. */
export const NULL = 1
export const WIDE = 2
export const HISTORICAL = 4
export const MISFIT = 8

const FEWEST = 256

/** Columns that a payload is read into; they grow, and are used again for the next payload. Entries 0 to count − 1 count. */
export class DataColumns {
  /** Sample metrics, without the two offset metrics. */
  count = 0
  /** Payload time in ms; NaN when absent. */
  timestamp = Number.NaN
  /** −1 when absent. */
  seq = -1
  hasOffsets = false
  /** Offsets of the first and the last sample, where `hasOffsets`. */
  firstOffset = 0n
  lastOffset = 0n
  /** Slot numbers of the table. */
  slot = new Int32Array(FEWEST)
  /** Source time in ms; the payload's when the metric has none, NaN when that has none either. */
  ts = new Float64Array(FEWEST)
  /** A number, 0 or 1 for booleans, ms for DateTime; NaN when null, unread or wide. */
  v = new Float64Array(FEWEST)
  /** 192 good, 64 uncertain, 0 bad. */
  q = new Uint8Array(FEWEST)
  /** NULL, WIDE, HISTORICAL, MISFIT: a value that did not fit the type that its birth announced, unread and bad. */
  flag = new Uint8Array(FEWEST)
  /** 64-bit integers as bigint, texts as string; counts only where `flag` has WIDE. */
  readonly wide: (bigint | string | undefined)[] = new Array(FEWEST).fill(undefined)

  /** Forgets what the columns hold. */
  clear(): void {
    this.count = 0
    this.timestamp = Number.NaN
    this.seq = -1
    this.hasOffsets = false
    this.firstOffset = 0n
    this.lastOffset = 0n
  }

  /** Makes room for so many metrics; what the columns hold is lost. */
  reserve(metrics: number): void {
    if (metrics <= this.slot.length) return
    const size = Math.max(metrics, this.slot.length * 2)
    this.slot = new Int32Array(size)
    this.ts = new Float64Array(size)
    this.v = new Float64Array(size)
    this.q = new Uint8Array(size)
    this.flag = new Uint8Array(size)
    while (this.wide.length < size) this.wide.push(undefined)
  }
}
