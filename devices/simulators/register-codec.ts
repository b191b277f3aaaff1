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
    case 'float16':
    case 'bcd16':
      return 1
    case 'bcd32':
      return 2
  }
}

/** The raw number that stands for an engineering value, rounded and kept in the type's range. Null asks for "not implemented". */
export function toRaw(tag: ProfileTag, value: Scalar, factor: number): Scalar {
  if (value === null) return notImplemented(tag)
  if (typeof value !== 'number' || tag.type === 'string' || tag.type === 'bit') return value
  const raw = (roundTo(value, tag.decimals) - (tag.offset ?? 0)) / ((tag.scale ?? 1) * factor)
  if (tag.type === 'float64') return raw
  if (tag.type === 'float32') return Math.fround(raw)
  if (tag.type === 'float16') return Math.f16round(raw)
  return inRange(tag.type, raw)
}

/** The first of the raw values that mean so; digits in quotes are those of a 64-bit integer. */
function notImplemented({ invalid, type }: ProfileTag): Scalar {
  const [first = 0] = invalid ?? []
  return type === 'int64' || type === 'uint64' ? BigInt(first) : Number(first)
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
  bcd16: [0, 9999],
  bcd32: [0, 99_999_999],
} as const

function inRange(type: keyof typeof LIMITS | 'int64' | 'uint64', raw: number): Scalar {
  const whole = Math.round(raw)
  if (type === 'int64' || type === 'uint64') return BigInt(whole)
  const [low, high] = LIMITS[type]
  return Math.min(high, Math.max(low, whole))
}

/** The engineering value that a client computes from a raw one. */
export function toEngineering(tag: ProfileTag, raw: Scalar, factor: number): Scalar {
  if (typeof raw !== 'boolean' && tag.invalid?.some((code) => String(code) === String(raw))) return null
  if (typeof raw !== 'number' || (tag.scale === undefined && tag.offset === undefined && factor === 1)) return raw
  return raw * (tag.scale ?? 1) * factor + (tag.offset ?? 0)
}

/** Writes a raw value big-endian, then swaps bytes, words and double words as the order says; text as it is packed. */
export function encode(tag: ProfileTag, raw: Scalar, order: WordOrder): Buffer {
  if (tag.type === 'string') return packed(tag, String(raw ?? ''), order)
  return swapped(bigEndian(tag, raw), order)
}

/** Reads back what encode wrote. */
export function decode(tag: ProfileTag, bytes: Buffer, order: WordOrder): Scalar {
  if (tag.type === 'string') return unpacked(tag, bytes, order)
  return fromBigEndian(tag, swapped(Buffer.from(bytes), order))
}

/** The place of the A tells the swaps, bit by bit: bytes in a word, words in a double word, the two double words. */
function swapped(bytes: Buffer, order: WordOrder): Buffer {
  const place = order.indexOf('A')
  if (place & 1) bytes.swap16()
  if (order.length === 4 && place & 2) exchange(bytes, 2)
  if (order.length === 8 && place & 2) for (const half of [bytes.subarray(0, 4), bytes.subarray(4)]) exchange(half, 2)
  if (order.length === 8 && place & 4) exchange(bytes, 4)
  return bytes
}

/** Turns round the pieces of so many bytes each. */
function exchange(bytes: Buffer, size: number): void {
  for (let low = 0, high = bytes.length - size; low < high; low += size, high -= size) {
    const piece = Buffer.from(bytes.subarray(low, low + size))
    bytes.copyWithin(low, high, high + size)
    piece.copy(bytes, high)
  }
}

const packingOf = (tag: ProfileTag, order: WordOrder) =>
  tag.packing ?? (order.indexOf('A') & 1 ? 'low-high' : 'high-low')

function packed(tag: ProfileTag, text: string, order: WordOrder): Buffer {
  const registers = Buffer.alloc(2 * registerCount(tag))
  const packing = packingOf(tag, order)
  const isPair = packing === 'high-low' || packing === 'low-high'
  const characters = Buffer.from(text, 'utf8').subarray(0, isPair ? registers.length : registers.length / 2)
  characters.forEach((byte, i) => {
    const at = isPair ? i : 2 * i
    registers[packing.startsWith('low') ? at ^ 1 : at] = byte
  })
  return registers
}

function unpacked(tag: ProfileTag, registers: Buffer, order: WordOrder): string {
  const packing = packingOf(tag, order)
  const straight = packing.startsWith('low') ? Buffer.from(registers).swap16() : registers
  const isPair = packing === 'high-low' || packing === 'low-high'
  const characters = Buffer.from([...straight].filter((_, i) => isPair || i % 2 === 0))
  return characters.toString('utf8').replace(/[\0 ]+$/, '')
}

function bigEndian(tag: ProfileTag, raw: Scalar): Buffer {
  const bytes = Buffer.alloc(2 * registerCount(tag))
  switch (tag.type) {
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
    case 'float16':
      new DataView(bytes.buffer, bytes.byteOffset).setFloat16(0, Number(raw))
      break
    case 'bcd16':
    case 'bcd32':
      bytes.write(String(raw).padStart(bytes.length * 2, '0'), 'hex')
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
    case 'float16':
      return new DataView(bytes.buffer, bytes.byteOffset).getFloat16(0)
    case 'bcd16':
    case 'bcd32':
      return Number(bytes.toString('hex'))
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
