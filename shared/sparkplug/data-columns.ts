import type { AliasTable } from './alias-table.ts'
import { MetricReader } from './metric-reader.ts'
import { PayloadError } from './payload-error.ts'
import { WireReader } from './reader.ts'
import { BOOLEAN, DOUBLE, FLOAT, INT, LONG, TEXT, unsigned64, type WireValue } from './wire-value.ts'

export { AliasTable } from './alias-table.ts'

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

/** A metric that becomes an entry has four bytes or more: key, length, alias. */
const LEAST_METRIC_BYTES = 4

/**
 * Reads a data payload straight into columns, with what decodePayload, offsetsOf and the host's rules of quality would
 * give. Answers false, and the columns then hold nothing, for what needs the object decoder: metrics by name or by an
 * alias that the table does not know, metadata, properties other than `Quality` and `Andon Quality` as Int32, a stale
 * quality, values of bytes, data sets and templates. Measured by `andon bench codec`.
 * @throws PayloadError for bytes that are no payload and for offsets that contradict the number of metrics.
 */
export function readData(bytes: Uint8Array, table: AliasTable, into: DataColumns): boolean {
  into.clear()
  into.reserve(Math.floor(bytes.length / LEAST_METRIC_BYTES))
  try {
    if (new DataReader(bytes, table, into).read()) return true
  } catch (error) {
    into.clear()
    throw error
  }
  into.clear()
  return false
}

const METRIC = new MetricReader()
const TYPE_BITS = 5
const TYPE_MASK = 31

/** Reads one payload: plain metrics by the quick lane, whatever else stands between them field by field. */
class DataReader {
  readonly #bytes: Uint8Array
  readonly #table: AliasTable
  readonly #into: DataColumns
  readonly #reader: WireReader
  #hasUntimed = false
  /** Samples before `First Offset`; −1 until it was read. */
  #samples = -1
  #hasLast = false

  constructor(bytes: Uint8Array, table: AliasTable, into: DataColumns) {
    this.#bytes = bytes
    this.#table = table
    this.#into = into
    this.#reader = new WireReader(bytes)
  }

  read(): boolean {
    const reader = this.#reader
    while (!reader.isAtEnd) {
      reader.moveTo(readPlain(reader, this.#bytes, this.#table, this.#into))
      if (!reader.isAtEnd && !this.#readField()) return false
    }
    this.#checkOffsets()
    if (this.#hasUntimed) this.#fillTimes()
    return true
  }

  #readField(): boolean {
    const reader = this.#reader
    const key = reader.key()
    if (key === 0x12) return METRIC.read(reader) && this.#takeMetric()
    if (key === 0x08) this.#into.timestamp = reader.number()
    else if (key === 0x18) this.#into.seq = reader.number()
    else if (key === 0x22) reader.text()
    else reader.skip(key)
    return true
  }

  #takeMetric(): boolean {
    const { alias } = METRIC
    const { firstOffsetAlias, lastOffsetAlias } = this.#table
    if (alias === firstOffsetAlias || alias === lastOffsetAlias) {
      this.#takeOffset(alias)
      return true
    }
    const metric = this.#table.find(alias)
    if (metric >= 0) this.#takeSample(metric)
    return metric >= 0
  }

  #takeSample(metric: number): void {
    const into = this.#into
    const i = into.count++
    const { timestamp, isHistorical, isNull, quality } = METRIC
    if (Number.isNaN(timestamp)) this.#hasUntimed = true
    into.slot[i] = metric >> TYPE_BITS
    into.ts[i] = timestamp
    into.v[i] = Number.NaN
    into.q[i] = quality
    into.flag[i] = isHistorical ? HISTORICAL : 0
    if (isNull) into.flag[i] = (into.flag[i] as number) | NULL
    else if (!VALUES[metric & TYPE_MASK]?.(METRIC.value, into, i)) {
      into.flag[i] = (into.flag[i] as number) | MISFIT
      into.q[i] = 0
    }
  }

  /** The pair stands last, First before Last. */
  #takeOffset(alias: number): void {
    const { value, isNull } = METRIC
    if (value.kind !== LONG || isNull) throw new PayloadError('Offset metric without a value')
    const offset = unsigned64(value.low, value.high)
    if (this.#samples < 0 && alias === this.#table.firstOffsetAlias) {
      this.#samples = this.#into.count
      this.#into.firstOffset = offset
    } else if (this.#samples >= 0 && !this.#hasLast && alias === this.#table.lastOffsetAlias) {
      this.#hasLast = true
      this.#into.lastOffset = offset
    } else throw new PayloadError('The offset metrics are not the last two of the payload')
  }

  #checkOffsets(): void {
    if (this.#samples < 0) return
    const into = this.#into
    const { firstOffset: first, lastOffset: last, count } = into
    if (!this.#hasLast) throw new PayloadError('One offset metric without the other')
    if (this.#samples !== count) throw new PayloadError('The offset metrics are not the last two of the payload')
    if (first < 1n || last - first + 1n !== BigInt(count) || count === 0) {
      throw new PayloadError(`Offsets ${first} to ${last} do not fit ${count} samples`)
    }
    into.hasOffsets = true
  }

  #fillTimes(): void {
    const { ts, count, timestamp } = this.#into
    for (let i = 0; i < count; i++) if (Number.isNaN(ts[i])) ts[i] = timestamp
  }
}

/** Puts a value into the columns; false when it is of another kind than its type wants. */
type ValueTaker = (value: WireValue, into: DataColumns, i: number) => boolean

const small =
  (read: (low: number) => number): ValueTaker =>
  (value, into, i) => {
    if (value.kind !== INT && value.kind !== LONG) return false
    into.v[i] = read(value.low)
    return true
  }

const wide =
  (kind: number, read: (value: WireValue) => bigint | string): ValueTaker =>
  (value, into, i) => {
    if (value.kind !== kind) return false
    into.wide[i] = read(value)
    into.flag[i] = (into.flag[i] as number) | WIDE
    return true
  }

const float: ValueTaker = (value, into, i) => {
  if (value.kind !== FLOAT && value.kind !== DOUBLE) return false
  into.v[i] = value.number
  return true
}

const truth: ValueTaker = (value, into, i) => {
  if (value.kind !== BOOLEAN) return false
  into.v[i] = (value.low | value.high) === 0 ? 0 : 1
  return true
}

const time: ValueTaker = (value, into, i) => {
  if (value.kind !== LONG) return false
  into.v[i] = value.high * 0x100000000 + value.low
  return true
}

const text = wide(TEXT, (value) => value.text)

/** By the number of the type (Sparkplug B 3.0, 6.4.16). */
const VALUES: readonly (ValueTaker | undefined)[] = [
  undefined,
  small((low) => (low << 24) >> 24),
  small((low) => (low << 16) >> 16),
  small((low) => low | 0),
  wide(LONG, ({ low, high }) => BigInt.asIntN(64, unsigned64(low, high))),
  small((low) => low & 0xff),
  small((low) => low & 0xffff),
  small((low) => low >>> 0),
  wide(LONG, ({ low, high }) => unsigned64(low, high)),
  float,
  float,
  truth,
  text,
  time,
  text,
  text,
]

/** The shortest metric that the quick lane takes: alias, time of six bytes, boolean. */
const LEAST_PLAIN_BYTES = 11
/** Four bytes of a varint that goes on, and two of one that ends with the second, read little-endian. */
const GOES_ON_4 = 0x80808080 | 0
const ENDS_2 = 0x0080

/**
 * The quick lane: metrics of alias, time of six bytes (the years 1971 to 2109), perhaps is_historical, and a value of up to
 * 32 bits, float, double or boolean, in the order in which encoders write them. Answers where it stopped: before the
 * first field that is something else, or at the end.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass without calls; measured by `andon bench codec`
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: likewise
function readPlain(reader: WireReader, bytes: Uint8Array, table: AliasTable, into: DataColumns): number {
  const { view } = reader
  const { slot, ts, v, q, flag } = into
  const dense = table.window()
  const { base, firstOffsetAlias, lastOffsetAlias } = table
  const end = bytes.length
  let at = reader.at
  let i = into.count
  while (at + LEAST_PLAIN_BYTES + 2 <= end && bytes[at] === 0x12 && bytes[at + 2] === 0x10) {
    const length = bytes[at + 1] as number
    const stop = at + 2 + length
    if (length > 0x7f || length < LEAST_PLAIN_BYTES || stop > end) break

    let p = at + 4
    let alias = bytes[at + 3] as number
    if (alias > 0x7f) {
      const second = bytes[p++] as number
      alias = (alias & 0x7f) | ((second & 0x7f) << 7)
      if (second > 0x7f) {
        const third = bytes[p++] as number
        alias |= (third & 0x7f) << 14
        if (third > 0x7f) break
      }
    }
    const index = alias - base
    if (index < 0 || index >= dense.length || alias === firstOffsetAlias || alias === lastOffsetAlias) break
    const metric = dense[index] as number
    if (metric < 0 || p + 9 > stop || bytes[p] !== 0x18) break

    const low = view.getInt32(p + 1, true)
    const high = view.getUint16(p + 5, true)
    if ((low & GOES_ON_4) !== GOES_ON_4 || (high & 0x8080) !== ENDS_2) break
    p += 7

    let bits = 0
    if (bytes[p] === 0x28 && bytes[p + 1] === 1) {
      bits = HISTORICAL
      p += 2
    }
    const type = metric & TYPE_MASK
    const key = bytes[p++]
    let value: number
    if (key === 0x69 && p + 8 === stop && (type === 9 || type === 10)) {
      value = view.getFloat64(p, true)
    } else if (key === 0x65 && p + 4 === stop && (type === 9 || type === 10)) {
      value = view.getFloat32(p, true)
    } else if (key === 0x70 && p + 1 === stop && type === 11 && (bytes[p] as number) < 2) {
      value = bytes[p] as number
    } else if (key === 0x50 && p < stop && p + 5 >= stop && type < 8 && type !== 4) {
      value = 0
      let shift = 0
      let byte = 0x80
      for (; p < stop && byte > 0x7f; shift += 7) {
        byte = bytes[p++] as number
        value |= (byte & 0x7f) << shift
      }
      if (p !== stop || byte > 0x7f) break
      value = integer(value, type)
    } else break

    slot[i] = metric >> TYPE_BITS
    ts[i] =
      ((high & 0x7f) | ((high >>> 1) & 0x3f80)) * 0x10000000 +
      ((low & 0x7f) | ((low >>> 1) & 0x3f80) | ((low >>> 2) & 0x1fc000) | ((low >>> 3) & 0xfe00000))
    v[i] = value
    q[i] = 192
    flag[i] = bits
    i++
    at = stop
  }
  into.count = i
  return at
}

/** Reads 32 bits as one of the small integer types, by its number. */
function integer(bits: number, type: number): number {
  switch (type) {
    case 1:
      return (bits << 24) >> 24
    case 2:
      return (bits << 16) >> 16
    case 3:
      return bits
    case 5:
      return bits & 0xff
    case 6:
      return bits & 0xffff
    default:
      return bits >>> 0
  }
}
