import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

export type Area = 'holding' | 'input' | 'coil' | 'discrete'
export type WordOrder = NonNullable<ProfileTag['wordOrder']>

const NOTATION = /^(holding|input|coil|discrete):(\d+)(?:\.(\d+))?$/

export interface Place {
  readonly area: Area
  /** As on the wire, from 0. */
  readonly address: number
  readonly bit: number | undefined
}

/** Reads `holding:100`, `coil:0` or `input:3.4`; the number counts from `base`. Throws when it is none of these. */
export function parsePlace(text: string, base: number): Place {
  const match = NOTATION.exec(text)
  if (!match) throw new Error(`'${text}' is not a Modbus address`)
  const bit = match[3] === undefined ? undefined : Number(match[3])
  return { area: match[1] as Area, address: Number(match[2]) - base, bit }
}

/** Registers that a tag takes. */
export function registerCount(tag: ProfileTag): number {
  switch (tag.type) {
    case 'int32':
    case 'uint32':
    case 'float32':
      return 2
    case 'int64':
    case 'uint64':
    case 'float64':
      return 4
    case 'string':
      return tag.length ?? 1
    case 'bit':
    case 'int16':
    case 'uint16':
      return 1
  }
}

/** The raw number that stands for an engineering value, rounded and kept in the type's range. Null asks for "not implemented". */
export function toRaw(tag: ProfileTag, value: Scalar, factor: number): Scalar {
  if (value === null) return tag.invalid?.[0] ?? 0
  if (typeof value !== 'number' || tag.type === 'string' || tag.type === 'bit') return value
  const raw = (roundTo(value, tag.decimals) - (tag.offset ?? 0)) / ((tag.scale ?? 1) * factor)
  if (tag.type === 'float64') return raw
  if (tag.type === 'float32') return Math.fround(raw)
  return inRange(tag.type, raw)
}

function roundTo(value: number, decimals: number | undefined): number {
  if (decimals === undefined) return value
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}

const LIMITS = {
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
} as const

function inRange(type: 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64', raw: number): Scalar {
  const whole = Math.round(raw)
  if (type === 'int64' || type === 'uint64') return BigInt(whole)
  const [low, high] = LIMITS[type]
  return Math.min(high, Math.max(low, whole))
}

/** The engineering value that a client computes from a raw one. */
export function toEngineering(tag: ProfileTag, raw: Scalar, factor: number): Scalar {
  if (typeof raw === 'number' && tag.invalid?.includes(raw)) return null
  if (typeof raw !== 'number' || (tag.scale === undefined && tag.offset === undefined && factor === 1)) return raw
  return raw * (tag.scale ?? 1) * factor + (tag.offset ?? 0)
}

/** Writes a raw value big-endian, then swaps: words for CDAB, bytes of each word for BADC, both for DCBA. */
export function encode(tag: ProfileTag, raw: Scalar, order: WordOrder): Buffer {
  const bytes = bigEndian(tag, raw)
  if (tag.type === 'string') return bytes
  if (order === 'CDAB' || order === 'DCBA') swapWords(bytes)
  if (order === 'BADC' || order === 'DCBA') bytes.swap16()
  return bytes
}

/** Reads back what encode wrote; numbers only. */
export function decode(tag: ProfileTag, bytes: Buffer, order: WordOrder): Scalar {
  const copy = Buffer.from(bytes)
  if (tag.type === 'string') return copy.toString('latin1').replace(/[\0 ]+$/, '')
  if (order === 'BADC' || order === 'DCBA') copy.swap16()
  if (order === 'CDAB' || order === 'DCBA') swapWords(copy)
  return fromBigEndian(tag, copy)
}

function swapWords(bytes: Buffer): void {
  for (let low = 0, high = bytes.length - 2; low < high; low += 2, high -= 2) {
    const word = bytes.readUInt16BE(low)
    bytes.writeUInt16BE(bytes.readUInt16BE(high), low)
    bytes.writeUInt16BE(word, high)
  }
}

function bigEndian(tag: ProfileTag, raw: Scalar): Buffer {
  const bytes = Buffer.alloc(2 * registerCount(tag))
  switch (tag.type) {
    case 'string':
      bytes.write(String(raw ?? ''), 'latin1')
      break
    case 'bit':
      bytes.writeUInt16BE(raw ? 1 : 0)
      break
    case 'int16':
      bytes.writeInt16BE(Number(raw))
      break
    case 'uint16':
      bytes.writeUInt16BE(Number(raw))
      break
    case 'int32':
      bytes.writeInt32BE(Number(raw))
      break
    case 'uint32':
      bytes.writeUInt32BE(Number(raw))
      break
    case 'float32':
      bytes.writeFloatBE(Number(raw))
      break
    case 'float64':
      bytes.writeDoubleBE(Number(raw))
      break
    case 'int64':
      bytes.writeBigInt64BE(BigInt(raw ?? 0))
      break
    case 'uint64':
      bytes.writeBigUInt64BE(BigInt(raw ?? 0))
      break
  }
  return bytes
}

function fromBigEndian(tag: ProfileTag, bytes: Buffer): Scalar {
  switch (tag.type) {
    case 'bit':
      return bytes.readUInt16BE() !== 0
    case 'int16':
      return bytes.readInt16BE()
    case 'int32':
      return bytes.readInt32BE()
    case 'uint32':
      return bytes.readUInt32BE()
    case 'float32':
      return bytes.readFloatBE()
    case 'float64':
      return bytes.readDoubleBE()
    case 'int64':
      return bytes.readBigInt64BE()
    case 'uint64':
      return bytes.readBigUInt64BE()
    case 'uint16':
    case 'string':
      return bytes.readUInt16BE()
  }
}
