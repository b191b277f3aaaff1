import { type AliasTable, TYPE_BITS, TYPE_MASK } from './alias-table.ts'
import { type DataColumns, HISTORICAL, NULL, WIDE } from './columns.ts'
import type { WireReader } from './reader.ts'

/** The shortest metric that the quick lane takes: alias, time of six bytes, boolean. */
const LEAST_PLAIN_BYTES = 11
/** Four bytes of a varint that goes on, and two of one that ends with the second, read little-endian. */
const GOES_ON_4 = 0x80808080 | 0
const ENDS_2 = 0x0080

/** Properties as encoders write a quality that is told: the bytes from the key of the set on. */
const QUALITIES = [
  { quality: 0, bytes: qualityBytes(['Quality', [0]]) },
  { quality: 192, bytes: qualityBytes(['Quality', [0xc0, 0x01]]) },
  { quality: 64, bytes: qualityBytes(['Quality', [0]], ['Andon Quality', [64]]) },
]

function qualityBytes(...properties: readonly (readonly [string, readonly number[]])[]): Uint8Array {
  const keys = properties.flatMap(([key]) => [0x0a, key.length, ...Buffer.from(key)])
  const values = properties.flatMap(([, value]) => [0x12, value.length + 3, 0x08, 3, 0x18, ...value])
  return Uint8Array.from([0x4a, keys.length + values.length, ...keys, ...values])
}

/** The quality that the properties at a place tell, by its index in QUALITIES; −1 when they are written in another way. */
function qualityAt(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < QUALITIES.length; i++) {
    const expected = (QUALITIES[i] as (typeof QUALITIES)[number]).bytes
    let k = 1
    while (k < expected.length && bytes[at + k] === expected[k]) k++
    if (k === expected.length) return i
  }
  return -1
}

const WORD = new DataView(new ArrayBuffer(8))

/** Reads a varint that ends at `stop` into WORD; false when it is none of up to ten bytes. */
function readLong(bytes: Uint8Array, from: number, stop: number): boolean {
  const size = stop - from
  if (size < 1 || size > 10 || (bytes[stop - 1] as number) > 0x7f) return false
  for (let i = from; i < stop - 1; i++) if ((bytes[i] as number) < 0x80) return false
  const low = septets(bytes, from, Math.min(stop, from + 4))
  const middle = septets(bytes, from + 4, Math.min(stop, from + 8))
  const high = septets(bytes, from + 8, stop)
  WORD.setInt32(0, low | (middle << 28), true)
  WORD.setInt32(4, (middle >>> 4) | (high << 24), true)
  return true
}

/** Seven bits of each byte, the first the lowest; up to four bytes. */
function septets(bytes: Uint8Array, from: number, end: number): number {
  let bits = 0
  for (let i = end - 1; i >= from; i--) bits = (bits << 7) | ((bytes[i] as number) & 0x7f)
  return bits
}

/**
 * The quick lane: metrics of alias, time of six bytes (the years 1971 to 2109), and a number, boolean, 64-bit integer or
 * null, in the order in which encoders write them; a datatype (which counts in births alone), is_historical and a quality
 * may stand between. Answers where it stopped: before the first field that is something else, or at the end.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass without calls; measured by `andon bench codec`
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: likewise
export function readPlain(reader: WireReader, bytes: Uint8Array, table: AliasTable, into: DataColumns): number {
  const { view } = reader
  const { slot, ts, v, q, flag, wide } = into
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

    if (bytes[p] === 0x20 && (bytes[p + 1] as number) < 0x80) p += 2
    let bits = 0
    if (bytes[p] === 0x28 && bytes[p + 1] === 1) {
      bits = HISTORICAL
      p += 2
    }
    if (bytes[p] === 0x38 && bytes[p + 1] === 1) {
      bits |= NULL
      p += 2
    }
    let quality = 192
    if (bytes[p] === 0x4a) {
      const told = QUALITIES[qualityAt(bytes, p)]
      if (told === undefined) break
      quality = told.quality
      p += told.bytes.length
    }
    const type = metric & TYPE_MASK
    const key = bytes[p++]
    let value = Number.NaN
    if (bits & NULL) {
      if (p - 1 !== stop) break
      if (quality === 192) quality = 0
    } else if (key === 0x69 && p + 8 === stop && (type === 9 || type === 10)) {
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
    } else if (key === 0x58 && (type === 13 || type === 4 || type === 8) && readLong(bytes, p, stop)) {
      if (type === 13) value = WORD.getUint32(4, true) * 0x100000000 + WORD.getUint32(0, true)
      else {
        bits |= WIDE
        wide[i] = type === 4 ? WORD.getBigInt64(0, true) : WORD.getBigUint64(0, true)
      }
    } else break

    slot[i] = metric >> TYPE_BITS
    ts[i] =
      ((high & 0x7f) | ((high >>> 1) & 0x3f80)) * 0x10000000 +
      ((low & 0x7f) | ((low >>> 1) & 0x3f80) | ((low >>> 2) & 0x1fc000) | ((low >>> 3) & 0xfe00000))
    v[i] = value
    q[i] = quality
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
