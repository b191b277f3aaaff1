import { codeOfType, type DataType, isArray } from './datatype.ts'
import { writeArray, writeDataSet, writeMetaData, writeTemplate } from './encode-rare.ts'
import { key, LENGTH, METRIC_VALUES, number, text, writeScalar } from './encode-value.ts'
import type { OutgoingMetric, OutgoingPayload } from './payload.ts'
import type { Property, PropertySet } from './rare-types.ts'
import { WireWriter } from './wire.ts'

export { INTEGER_LIMITS } from './encode-value.ts'

const PROPERTY_VALUES = 3
/** Room for a usual metric, in bytes. */
const METRIC_SIZE = 128
const METADATA = 8
const PROPERTIES = 9

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

/** Encodes one metric, without its key and length in the payload. @throws RangeError when its value does not fit its type. */
export function encodeMetric(metric: OutgoingMetric): Uint8Array {
  const out = new WireWriter(METRIC_SIZE)
  writeMetric(out, metric)
  return out.finish()
}

/** Writes a nested message as a field. */
function nest(out: WireWriter, field: number, write: () => void): void {
  key(out, field, LENGTH)
  const start = out.begin()
  write()
  out.end(start)
}

function writeMetric(out: WireWriter, metric: OutgoingMetric): void {
  const { name, alias, timestamp, type, value, metadata, properties } = metric
  if (name !== undefined) text(out, 1, name)
  if (alias !== undefined) number(out, 2, alias)
  if (timestamp !== undefined) number(out, 3, timestamp)
  if (metric.isTyped) number(out, 4, codeOfType(type))
  if (metric.isHistorical) number(out, 5, 1)
  if (metric.isTransient) number(out, 6, 1)
  if (value === null) number(out, 7, 1)
  if (metadata) nest(out, METADATA, () => writeMetaData(out, metadata))
  if (properties) nest(out, PROPERTIES, () => writeProperties(out, Object.entries(properties)))
  if (value !== null) writeValue(out, type, value)
}

function writeValue(out: WireWriter, type: DataType, value: NonNullable<OutgoingMetric['value']>): void {
  if (type === 'dataset') writeDataSet(out, value)
  else if (type === 'template') writeTemplate(out, value, writeMetric)
  else if (isArray(type)) writeArray(out, type, value)
  else writeScalar(out, METRIC_VALUES, type === 'file' ? 'bytes' : type, value)
}

function writeProperties(out: WireWriter, properties: readonly (readonly [string, Property])[]): void {
  for (const [name] of properties) text(out, 1, name)
  for (const [, property] of properties) nest(out, 2, () => writeProperty(out, property))
}

function writeProperty(out: WireWriter, { type, value }: Property): void {
  number(out, 1, codeOfType(type))
  if (value === null) number(out, 2, 1)
  else if (type === 'propertyset') nest(out, 9, () => writeSet(out, value))
  else if (type === 'propertysetlist') {
    nest(out, 10, () => {
      for (const set of value) nest(out, 1, () => writeSet(out, set))
    })
  } else writeScalar(out, PROPERTY_VALUES, type, value)
}

const writeSet = (out: WireWriter, set: PropertySet): void => writeProperties(out, [...set])
