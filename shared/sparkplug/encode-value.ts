import type { SparkplugType } from './datatype.ts'
import type { WireWriter } from './wire.ts'

const VARINT = 0
const FIXED64 = 1
export const LENGTH = 2
const FIXED32 = 5

/** Number of the first value field, `int_value`, in a metric; the other kinds follow in one order. */
export const METRIC_VALUES = 10

/**
 * Writes a scalar; `base`: number of the first value field.
 * @throws RangeError when the value does not fit its type.
 */
export const writeScalar: ValueWriter = (out, base, type, value) => WRITERS[type](out, base, type, value)

/** What a caller gives, checked against its type before it is written. */
type Value = NonNullable<unknown>
type ValueWriter = (out: WireWriter, base: number, type: SparkplugType, value: Value) => void

const small: ValueWriter = (out, base, type, value) =>
  number(out, base, fitting(type as keyof typeof LIMITS, value) >>> 0)
const long: ValueWriter = (out, base, type, value) => {
  const bits = type === 'int64' ? BigInt.asIntN : BigInt.asUintN
  if (typeof value !== 'bigint' || bits(64, value) !== value) throw misfit(type, value)
  key(out, base + 1, VARINT)
  out.varint64(value)
}
const words: ValueWriter = (out, base, type, value) => {
  if (typeof value !== 'string') throw misfit(type, value)
  text(out, base + 5, value)
}

const WRITERS: Readonly<Record<SparkplugType, ValueWriter>> = {
  int8: small,
  int16: small,
  int32: small,
  uint8: small,
  uint16: small,
  uint32: small,
  int64: long,
  uint64: long,
  float: (out, base, type, value) => {
    key(out, base + 2, FIXED32)
    out.float(numeric(type, value))
  },
  double: (out, base, type, value) => {
    key(out, base + 3, FIXED64)
    out.double(numeric(type, value))
  },
  boolean: (out, base, _, value) => number(out, base + 4, truth(value)),
  string: words,
  datetime: (out, base, _, value) => number(out, base + 1, time(value)),
  text: words,
  uuid: words,
  bytes: (out, base, _, value) => blob(out, base, value),
}

const LIMITS = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  int32: [-0x80000000, 0x7fffffff],
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffffffff],
} as const

/** Smallest and largest value of the integer types that a number holds. */
export const INTEGER_LIMITS: Readonly<Record<keyof typeof LIMITS, readonly [number, number]>> = LIMITS

function fitting(type: keyof typeof LIMITS, value: Value): number {
  const [low, high] = LIMITS[type]
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  throw misfit(type, value)
}

function time(value: Value): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw misfit('datetime', value)
}

function numeric(type: SparkplugType, value: Value): number {
  if (typeof value !== 'number') throw misfit(type, value)
  return value
}

function truth(value: Value): number {
  if (typeof value !== 'boolean') throw misfit('boolean', value)
  return value ? 1 : 0
}

/** A property has no bytes. */
function blob(out: WireWriter, base: number, value: Value): void {
  if (!(value instanceof Uint8Array) || base !== METRIC_VALUES) throw misfit('bytes', value)
  key(out, base + 6, LENGTH)
  out.bytes(value)
}

const misfit = (type: SparkplugType, value: Value) =>
  new RangeError(`${typeof value} ${String(value).slice(0, 40)} is no ${type}`)

/** Writes a field's key. */
export function key(out: WireWriter, field: number, wire: number): void {
  out.varint(field * 8 + wire)
}

/** Writes a whole number that is not negative, or 64 bits. */
export function number(out: WireWriter, field: number, value: number | bigint): void {
  key(out, field, VARINT)
  if (typeof value === 'bigint') out.varint64(value)
  else out.varint(whole(value))
}

function whole(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(`${value} is no whole number from 0 to 2^53`)
}

export function text(out: WireWriter, field: number, value: string): void {
  key(out, field, LENGTH)
  out.text(value)
}
