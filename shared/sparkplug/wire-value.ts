import type { DataType, MetricValue, SparkplugType } from './datatype.ts'
import { PayloadError } from './payload-error.ts'
import type { WireReader } from './reader.ts'

/** Order of the value fields in a metric (from field 10) and in a property (from field 3). */
export const INT = 0
export const LONG = 1
export const FLOAT = 2
export const DOUBLE = 3
export const BOOLEAN = 4
export const TEXT = 5
export const BYTES = 6
export const DATA_SET = 7
export const TEMPLATE = 8
export const NONE = -1

/** Wire type of each of them. */
export const WIRES = [0, 0, 5, 1, 0, 2, 2, 2, 2] as const

/** A value as it stood on the wire: which kind of field, and its content. */
export class WireValue {
  kind = NONE
  low = 0
  high = 0
  number = 0
  text = ''
  bytes: Uint8Array | undefined

  get isMissing(): boolean {
    return this.kind === NONE
  }
}

/** Reads the value of a field if it is one: `kind` is its number counted from the first value field. Answers whether it was. */
export function readValue(reader: WireReader, kind: number, key: number, value: WireValue): boolean {
  if (WIRES[kind] !== (key & 7)) return false
  value.kind = kind
  if (kind === FLOAT) value.number = reader.float()
  else if (kind === DOUBLE) value.number = reader.double()
  else if (kind === TEXT) value.text = reader.text()
  else if (kind >= BYTES) value.bytes = reader.slice()
  else readIntegers(reader, value)
  return true
}

function readIntegers(reader: WireReader, value: WireValue): void {
  reader.varint()
  value.low = reader.low
  value.high = reader.high
}

type Interpreter = (value: WireValue, type: SparkplugType) => MetricValue

/** Some senders put 32-bit integers into `long_value` or widen the sign to 64 bits: the low half is right for all. */
const small = (value: WireValue, type: SparkplugType): number =>
  value.kind === INT || value.kind === LONG ? value.low : wrongKind(value, type)

const wide = (value: WireValue, type: SparkplugType): bigint =>
  value.kind === LONG ? unsigned64(value.low, value.high) : wrongKind(value, type)

const float: Interpreter = (value, type) =>
  value.kind === FLOAT || value.kind === DOUBLE ? value.number : wrongKind(value, type)

const text: Interpreter = (value, type) => (value.kind === TEXT ? value.text : wrongKind(value, type))

const INTERPRETERS: Readonly<Record<SparkplugType, Interpreter>> = {
  int8: (value, type) => (small(value, type) << 24) >> 24,
  int16: (value, type) => (small(value, type) << 16) >> 16,
  int32: (value, type) => small(value, type) | 0,
  uint8: (value, type) => small(value, type) & 0xff,
  uint16: (value, type) => small(value, type) & 0xffff,
  uint32: (value, type) => small(value, type) >>> 0,
  int64: (value, type) => BigInt.asIntN(64, wide(value, type)),
  uint64: wide,
  float,
  double: float,
  boolean: (value, type) => (value.kind === BOOLEAN ? (value.low | value.high) !== 0 : wrongKind(value, type)),
  string: text,
  datetime: (value, type) => (value.kind === LONG ? value.high * 0x100000000 + value.low : wrongKind(value, type)),
  text,
  uuid: text,
  bytes: (value, type) => (value.kind === BYTES && value.bytes ? value.bytes : wrongKind(value, type)),
}

/** Reads a wire value as a type. @throws PayloadError when the sender used another kind of field. */
export const interpret = (value: WireValue, type: SparkplugType): MetricValue => INTERPRETERS[type](value, type)

/** An unsigned 64-bit integer from its halves. */
export function unsigned64(low: number, high: number): bigint {
  HALVES[0] = low
  HALVES[1] = high
  return WHOLE[0] as bigint
}

/** One number in two forms: arithmetic on bigints would make four on the way. */
const HALVES = new Uint32Array(2)
const WHOLE = new BigUint64Array(HALVES.buffer)

/** Content of a value of bytes, a data set or a template. @throws PayloadError when the sender used another kind of field. */
export const contentOf = (value: WireValue, kind: number, type: DataType): Uint8Array =>
  value.kind === kind && value.bytes ? value.bytes : wrongKind(value, type)

function wrongKind(value: WireValue, type: DataType): never {
  const found = value.kind === NONE ? 'no value' : `value field ${value.kind + 10}`
  throw new PayloadError(`A metric of type ${type} has ${found}`)
}
