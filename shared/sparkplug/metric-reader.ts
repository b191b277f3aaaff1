import { ANDON_QUALITY_PROPERTY, QUALITY_PROPERTY, STALE } from './metric-names.ts'
import type { WireReader } from './reader.ts'
import { LATEST_MS } from './time.ts'
import { BYTES, NONE, readValue, WireValue } from './wire-value.ts'

/** Number of the first value field of a metric and the key of the last that a plain value uses, `bytes_value`. */
const METRIC_VALUES = 10
const LAST_VALUE_KEY = 0x82

const INT32 = 3
const GOOD = 192
const NOT_TOLD = -1

/** One metric of data, field by field in any order: what the columns hold. It is used again for each metric. */
export class MetricReader {
  /** −1 when the metric has none. */
  alias = -1
  /** ms; NaN when the metric has none that a number can hold. */
  timestamp = Number.NaN
  isNull = false
  isHistorical = false
  readonly value = new WireValue()
  #quality = NOT_TOLD
  #andonQuality = NOT_TOLD

  /** 192 good, 64 uncertain, 0 bad: what the properties tell. */
  get quality(): number {
    if (this.#quality === NOT_TOLD || this.#quality === GOOD) return this.isNull ? 0 : GOOD
    return this.#andonQuality === 64 ? 64 : 0
  }

  /**
   * Reads a metric; the reader stands before its length. False for one that needs the object decoder; the reader then
   * stands anywhere.
   * @throws PayloadError for bytes that are no metric.
   */
  read(reader: WireReader): boolean {
    this.#clear()
    const outer = reader.enter()
    while (!reader.isAtEnd) {
      const key = reader.key()
      if (key > LAST_VALUE_KEY || !this.#readField(reader, key)) return false
    }
    reader.leave(outer)
    return this.alias >= 0 && this.value.kind !== BYTES
  }

  #clear(): void {
    this.alias = -1
    this.timestamp = Number.NaN
    this.isNull = false
    this.isHistorical = false
    this.value.kind = NONE
    this.#quality = NOT_TOLD
    this.#andonQuality = NOT_TOLD
  }

  #readField(reader: WireReader, key: number): boolean {
    switch (key) {
      case 0x10:
        return this.#readAlias(reader)
      case 0x18:
        return this.#readTimestamp(reader)
      case 0x28:
        this.isHistorical = reader.number() !== 0
        return true
      case 0x38:
        this.isNull = reader.number() !== 0
        return true
      case 0x20:
      case 0x30:
        reader.skip(key)
        return true
      case 0x4a:
        return this.#readProperties(reader)
      default:
        return readValue(reader, (key >> 3) - METRIC_VALUES, key, this.value)
    }
  }

  #readAlias(reader: WireReader): boolean {
    this.alias = reader.number()
    return Number.isSafeInteger(this.alias)
  }

  #readTimestamp(reader: WireReader): boolean {
    const at = reader.number()
    this.timestamp = at <= LATEST_MS ? at : Number.NaN
    return true
  }

  /** Reads `Quality` and `Andon Quality` as Int32, the only properties of data in columns. */
  #readProperties(reader: WireReader): boolean {
    this.#quality = NOT_TOLD
    this.#andonQuality = NOT_TOLD
    const outer = reader.enter()
    let [keys, values] = ['', 0]
    while (!reader.isAtEnd) {
      const key = reader.key()
      if (key === 0x0a) keys += keyMark(reader)
      else if (key !== 0x12 || !this.#readProperty(reader, keys[values++])) return false
    }
    reader.leave(outer)
    return keys.length === values && this.#quality !== STALE
  }

  /** `mark`: which property it is. A value before its key is left to the object decoder. */
  #readProperty(reader: WireReader, mark: string | undefined): boolean {
    const value = readInt32(reader)
    if (mark === 'Q') this.#quality = value
    else if (mark === 'A') this.#andonQuality = value
    else return false
    return value >= 0
  }
}

/** A property's value when it is an Int32 of at least 0, else −1; the reader stands after it only then. */
function readInt32(reader: WireReader): number {
  const outer = reader.enter()
  let [type, value] = [0, -1]
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (key === 0x08) type = reader.number()
    else if (key === 0x18) value = reader.number()
    else return -1
  }
  reader.leave(outer)
  return type === INT32 && value <= 0x7fffffff ? value : -1
}

/** Q or A for the two properties that are read, ? for others. */
function keyMark(reader: WireReader): string {
  const key = reader.text()
  if (key === QUALITY_PROPERTY) return 'Q'
  return key === ANDON_QUALITY_PROPERTY ? 'A' : '?'
}
