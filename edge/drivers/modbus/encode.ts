import { INTEGER_BOUNDS } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { WriteError } from '../driver.ts'
import type { ModbusAddress, Packing, RegisterType } from './address.ts'
import { reorder } from './decode.ts'

/**
 * Registers that hold a raw value at an address, the inverse of decodeRegisters: decoding them gives the value back, rounded
 * only where a float has fewer digits. Throws WriteError when the value cannot stand there; a single bit is not written so.
 */
export function encodeRegisters(value: Exclude<Scalar, null>, address: ModbusAddress): number[] {
  const { type, span } = address
  if (type === 'bit') throw new WriteError('a bit is not a register of its own')
  if (type === 'string') return wordsOf(encodeText(value, span.width, address.packing))
  return wordsOf(reorder(bigEndian(value, type), address.wordOrder))
}

/** A value as one bit. Throws WriteError for a text, and for a number that is neither 0 nor 1. */
export function encodeBit(value: Exclude<Scalar, null>): boolean {
  if (typeof value === 'boolean') return value
  if (value === 0 || value === 1 || value === 0n || value === 1n) return Number(value) === 1
  throw new WriteError(`${shown(value)} is no bit; write true or false`)
}

function wordsOf(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(i * 2))
}

type NumberType = Exclude<RegisterType, 'bit' | 'string'>

function bigEndian(value: Exclude<Scalar, null>, type: NumberType): Buffer {
  switch (type) {
    case 'float16':
    case 'float32':
    case 'float64':
      return encodeFloat(real(value, type), type)
    case 'bcd16':
      return Buffer.from(String(whole(value, type)).padStart(4, '0'), 'hex')
    case 'bcd32':
      return Buffer.from(String(whole(value, type)).padStart(8, '0'), 'hex')
    case 'int64':
    case 'uint64':
      return encodeInteger(whole(value, type), 8)
    case 'int32':
    case 'uint32':
      return encodeInteger(whole(value, type), 4)
    case 'int16':
    case 'uint16':
      return encodeInteger(whole(value, type), 2)
  }
}

/** Two's complement, most significant byte first. */
function encodeInteger(value: bigint, bytes: number): Buffer {
  const all = Buffer.alloc(8)
  all.writeBigUInt64BE(BigInt.asUintN(64, value))
  return all.subarray(8 - bytes)
}

function encodeFloat(value: number, type: 'float16' | 'float32' | 'float64'): Buffer {
  const bytes = Buffer.alloc(type === 'float64' ? 8 : type === 'float32' ? 4 : 2)
  if (type === 'float64') bytes.writeDoubleBE(value)
  else if (type === 'float32') bytes.writeFloatBE(value)
  else new DataView(bytes.buffer, bytes.byteOffset, 2).setFloat16(0, value)
  return bytes
}

/** A whole number in the type's range. Rounds nothing: whoever scales says how. */
function whole(value: Exclude<Scalar, null>, type: NumberType): bigint {
  const number = typeof value === 'bigint' ? value : exact(value)
  const [low, high] = INTEGER_BOUNDS[type] ?? [0n, 0n]
  if (number === undefined) throw new WriteError(`${shown(value)} is no whole number, which '${type}' needs`)
  if (number < low || number > high) throw new WriteError(`${number} does not fit '${type}': ${low} to ${high}`)
  return number
}

const exact = (value: Exclude<Scalar, null>) => (Number.isInteger(value) ? BigInt(value as number) : undefined)

const MOST: Readonly<Record<'float16' | 'float32' | 'float64', number>> = {
  float16: 65_504,
  float32: 3.402_823_466_385_288_6e38,
  float64: Number.MAX_VALUE,
}

function real(value: Exclude<Scalar, null>, type: keyof typeof MOST): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new WriteError(`${shown(value)} is no number`)
  const number = Number(value)
  if (!(Math.abs(number) <= MOST[type])) throw new WriteError(`${shown(value)} does not fit '${type}'`)
  return number
}

/** UTF-8, filled up with zeros. */
function encodeText(value: Exclude<Scalar, null>, width: number, packing: Packing): Buffer {
  if (typeof value !== 'string') throw new WriteError(`${shown(value)} is no text`)
  const text = Buffer.from(value, 'utf8')
  const room = packing === 'high-low' || packing === 'low-high' ? width * 2 : width
  if (text.length > room) throw new WriteError(`the text takes ${text.length} bytes and there is room for ${room}`)
  if (text.includes(0)) throw new WriteError('a text with a zero byte would end there')
  const bytes = Buffer.alloc(width * 2)
  for (const [i, byte] of text.entries()) bytes[positionOf(i, packing)] = byte
  return bytes
}

function positionOf(index: number, packing: Packing): number {
  switch (packing) {
    case 'high-low':
      return index
    case 'low-high':
      return index ^ 1
    case 'high':
      return index * 2
    case 'low':
      return index * 2 + 1
  }
}

const shown = (value: Exclude<Scalar, null>) => (typeof value === 'string' ? `'${value}'` : String(value))
