import type { ArrayType } from './datatype.ts'
import { PayloadError } from './payload-error.ts'
import { decodeText, encodeText } from './text.ts'

/** Values of the array types; times are ms since 1970. */
export type ArrayValue =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | readonly boolean[]
  | readonly string[]
  | readonly number[]

interface Packing {
  pack(value: ArrayValue): Uint8Array
  unpack(bytes: Uint8Array): ArrayValue
}

/**
 * Packs an array as Sparkplug B 3.0, 6.4.17 has it: elements little-endian, booleans a count of four bytes and then bits
 * from the highest down, strings each with a zero byte after it.
 * @throws RangeError when the value is no array of the type: a fault of the caller.
 */
export const packArray = (type: ArrayType, value: unknown): Uint8Array => {
  if (!fits(type, value)) throw new RangeError(`${typeof value} is no ${type}`)
  return PACKINGS[type].pack(value)
}

/** Reads a packed array. @throws PayloadError when the bytes do not fit its elements. */
export const unpackArray = (type: ArrayType, bytes: Uint8Array): ArrayValue => PACKINGS[type].unpack(bytes)

function fits(type: ArrayType, value: unknown): value is ArrayValue {
  const kind = ELEMENTS[type]
  if (typeof kind === 'function') return value instanceof kind
  return Array.isArray(value) && value.every((element) => typeof element === kind)
}

const ELEMENTS = {
  int8array: Int8Array,
  int16array: Int16Array,
  int32array: Int32Array,
  int64array: BigInt64Array,
  uint8array: Uint8Array,
  uint16array: Uint16Array,
  uint32array: Uint32Array,
  uint64array: BigUint64Array,
  floatarray: Float32Array,
  doublearray: Float64Array,
  booleanarray: 'boolean',
  stringarray: 'string',
  datetimearray: 'number',
} as const

type TypedArray = Exclude<ArrayValue, readonly unknown[]>
type TypedArrayMaker = new (buffer: ArrayBuffer) => TypedArray

/** Little-endian, whatever the machine is: elements are turned round where it is not. */
const typed = (make: TypedArrayMaker, size: number): Packing => ({
  pack: (value) => {
    const { buffer, byteOffset, byteLength } = value as TypedArray
    return inOrder(new Uint8Array(buffer, byteOffset, byteLength).slice(), size)
  },
  unpack: (bytes) => {
    if (bytes.length % size !== 0) throw new PayloadError(`${bytes.length} bytes are no array of ${size}-byte elements`)
    return new make(inOrder(Uint8Array.from(bytes), size).buffer)
  },
})

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function inOrder(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (IS_LITTLE_ENDIAN) return bytes
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse()
  return bytes
}

const COUNT_BYTES = 4

const booleans: Packing = {
  pack: (value) => {
    const bits = value as readonly boolean[]
    const bytes = new Uint8Array(COUNT_BYTES + Math.ceil(bits.length / 8))
    new DataView(bytes.buffer).setUint32(0, bits.length, true)
    for (const [i, bit] of bits.entries()) {
      if (bit) bytes[COUNT_BYTES + (i >> 3)] = (bytes[COUNT_BYTES + (i >> 3)] as number) | (0x80 >> (i & 7))
    }
    return bytes
  },
  unpack: (bytes) => {
    if (bytes.length < COUNT_BYTES) throw new PayloadError('An array of booleans has no count')
    const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    if (count > (bytes.length - COUNT_BYTES) * 8) throw new PayloadError(`An array has no room for ${count} booleans`)
    return Array.from(
      { length: count },
      (_, i) => ((bytes[COUNT_BYTES + (i >> 3)] as number) & (0x80 >> (i & 7))) !== 0,
    )
  },
}

const strings: Packing = {
  pack: (value) => {
    const parts = value as readonly string[]
    if (parts.some((part) => part.includes('\0'))) throw new RangeError('A string of an array has a zero character')
    return encodeText(parts.map((part) => `${part}\0`).join(''))
  },
  unpack: (bytes) => {
    const parts = decodeText(bytes).split('\0')
    if (parts.at(-1) === '') parts.pop()
    return parts
  },
}

const times: Packing = {
  pack: (value) => {
    const at = value as readonly number[]
    if (!at.every(Number.isSafeInteger)) throw new RangeError('A time of an array is no whole number of ms')
    return LONGS.pack(BigInt64Array.from(at, BigInt))
  },
  unpack: (bytes) => Array.from(LONGS.unpack(bytes) as BigInt64Array, Number),
}

const LONGS = typed(BigInt64Array, 8)

const PACKINGS: Readonly<Record<ArrayType, Packing>> = {
  int8array: typed(Int8Array, 1),
  int16array: typed(Int16Array, 2),
  int32array: typed(Int32Array, 4),
  int64array: LONGS,
  uint8array: typed(Uint8Array, 1),
  uint16array: typed(Uint16Array, 2),
  uint32array: typed(Uint32Array, 4),
  uint64array: typed(BigUint64Array, 8),
  floatarray: typed(Float32Array, 4),
  doublearray: typed(Float64Array, 8),
  booleanarray: booleans,
  stringarray: strings,
  datetimearray: times,
}
