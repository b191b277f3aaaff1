import { codeOfType, type MetricValue, type SparkplugType } from './datatype.ts'
import type { MetricProperty, OutgoingMetric, OutgoingPayload } from './payload.ts'
import { WireWriter } from './wire.ts'

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

/** Number of the first value field, `int_value`, in a metric and in a property; the other kinds follow in one order. */
const METRIC_VALUES = 10
const PROPERTY_VALUES = 3

/**
 * Encodes a Sparkplug B payload.
 * @throws RangeError when a value does not fit its type: a fault of the caller, never of the peer.
 */
export function encodePayload(payload: OutgoingPayload): Uint8Array {
  const out = new WireWriter(64 + payload.metrics.length * 48)
  if (payload.timestamp !== undefined) number(out, 1, payload.timestamp)
  for (const metric of payload.metrics) {
    key(out, 2, LENGTH)
    const start = out.begin()
    writeMetric(out, metric)
    out.end(start)
  }
  if (payload.seq !== undefined) number(out, 3, payload.seq)
  if (payload.uuid !== undefined) text(out, 4, payload.uuid)
  return out.finish()
}

function writeMetric(out: WireWriter, metric: OutgoingMetric): void {
  if (metric.name !== undefined) text(out, 1, metric.name)
  if (metric.alias !== undefined) number(out, 2, metric.alias)
  if (metric.timestamp !== undefined) number(out, 3, metric.timestamp)
  if (metric.isTyped) number(out, 4, codeOfType(metric.type))
  if (metric.isHistorical) number(out, 5, 1)
  if (metric.isTransient) number(out, 6, 1)
  if (metric.value === null) number(out, 7, 1)
  if (metric.properties) writeProperties(out, metric.properties)
  if (metric.value !== null) writeValue(out, METRIC_VALUES, metric.type, metric.value)
}

function writeProperties(out: WireWriter, properties: Readonly<Record<string, MetricProperty>>): void {
  key(out, 9, LENGTH)
  const start = out.begin()
  for (const name of Object.keys(properties)) text(out, 1, name)
  for (const property of Object.values(properties)) {
    key(out, 2, LENGTH)
    const inner = out.begin()
    writeProperty(out, property)
    out.end(inner)
  }
  out.end(start)
}

function writeProperty(out: WireWriter, { type, value }: MetricProperty): void {
  number(out, 1, codeOfType(type))
  if (value === null) number(out, 2, 1)
  else writeValue(out, PROPERTY_VALUES, type, value)
}

function writeValue(out: WireWriter, base: number, type: SparkplugType, value: NonNullable<MetricValue>): void {
  WRITERS[type](out, base, type, value)
}

type ValueWriter = (out: WireWriter, base: number, type: SparkplugType, value: NonNullable<MetricValue>) => void

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

function fitting(type: keyof typeof LIMITS, value: NonNullable<MetricValue>): number {
  const [low, high] = LIMITS[type]
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  throw misfit(type, value)
}

function time(value: NonNullable<MetricValue>): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw misfit('datetime', value)
}

function numeric(type: SparkplugType, value: NonNullable<MetricValue>): number {
  if (typeof value !== 'number') throw misfit(type, value)
  return value
}

function truth(value: NonNullable<MetricValue>): number {
  if (typeof value !== 'boolean') throw misfit('boolean', value)
  return value ? 1 : 0
}

function blob(out: WireWriter, base: number, value: NonNullable<MetricValue>): void {
  if (!(value instanceof Uint8Array) || base !== METRIC_VALUES) throw misfit('bytes', value)
  key(out, base + 6, LENGTH)
  out.bytes(value)
}

const misfit = (type: SparkplugType, value: NonNullable<MetricValue>) =>
  new RangeError(`${typeof value} ${String(value).slice(0, 40)} is no ${type}`)

function key(out: WireWriter, field: number, wire: number): void {
  out.varint(field * 8 + wire)
}

function number(out: WireWriter, field: number, value: number | bigint): void {
  key(out, field, VARINT)
  if (typeof value === 'bigint') out.varint64(value)
  else out.varint(whole(value))
}

function whole(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new RangeError(`${value} is no whole number from 0 to 2^53`)
}

function text(out: WireWriter, field: number, value: string): void {
  key(out, field, LENGTH)
  out.text(value)
}
