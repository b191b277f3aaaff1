import { type AliasTable, TYPE_BITS, TYPE_MASK } from './alias-table.ts'
import { type DataColumns, HISTORICAL, MISFIT, NULL, WIDE } from './columns.ts'
import { MetricReader } from './metric-reader.ts'
import { PayloadError } from './payload-error.ts'
import { readPlain } from './plain-metrics.ts'
import { WireReader } from './reader.ts'
import { LATEST_MS } from './time.ts'
import { BOOLEAN, DOUBLE, FLOAT, INT, LONG, TEXT, unsigned64, type WireValue } from './wire-value.ts'

export { AliasTable } from './alias-table.ts'
export { DataColumns, HISTORICAL, MISFIT, NULL, WIDE } from './columns.ts'

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
    if (!(timestamp <= LATEST_MS)) return
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
