import { type MetricValue, type SparkplugType, typeOfCode } from './datatype.ts'
import type { Alias, MetricProperty, Payload } from './payload.ts'
import { PayloadError } from './payload-error.ts'
import { WireReader } from './reader.ts'
import { interpret, readValue, unsigned64, WireValue } from './wire-value.ts'

/** Number of the first value field, `int_value`, in a metric and in a property; `string_value` is the last of a property. */
const METRIC_VALUES = 10
const PROPERTY_VALUES = 3
const LAST_PROPERTY_VALUE = 8

class WireMetric {
  name: string | undefined
  alias: Alias | undefined
  timestamp: number | undefined
  datatype = 0
  isHistorical = false
  isTransient = false
  isNull = false
  properties: Map<string, MetricProperty | undefined> | undefined
  readonly value = new WireValue()
}

/**
 * Decodes a Sparkplug B payload. Unknown fields are stepped over.
 * @throws PayloadError for anything that is not one, and nothing else.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  const reader = new WireReader(bytes)
  const metrics: WireMetric[] = []
  const head: { timestamp?: number; seq?: number; uuid?: string } = {}
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (key === 0x08) head.timestamp = reader.number()
    else if (key === 0x12) metrics.push(readMetric(reader))
    else if (key === 0x18) head.seq = reader.number()
    else if (key === 0x22) head.uuid = reader.text()
    else reader.skip(key)
  }
  return new DecodedPayload(metrics, head)
}

function readMetric(reader: WireReader): WireMetric {
  const outer = reader.enter()
  const metric = new WireMetric()
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (!readValue(reader, (key >> 3) - METRIC_VALUES, key, metric.value)) readMetricField(reader, key, metric)
  }
  reader.leave(outer)
  return metric
}

function readMetricField(reader: WireReader, key: number, metric: WireMetric): void {
  switch (key) {
    case 0x0a:
      metric.name = reader.text()
      return
    case 0x10:
      metric.alias = readAlias(reader)
      return
    case 0x18:
      metric.timestamp = reader.number()
      return
    case 0x20:
      metric.datatype = reader.number()
      return
    case 0x28:
      metric.isHistorical = reader.number() !== 0
      return
    case 0x30:
      metric.isTransient = reader.number() !== 0
      return
    case 0x38:
      metric.isNull = reader.number() !== 0
      return
    case 0x4a:
      metric.properties = readProperties(reader)
      return
    default:
      reader.skip(key)
  }
}

function readAlias(reader: WireReader): Alias {
  reader.varint()
  return reader.high < 0x200000 ? reader.high * 0x100000000 + reader.low : unsigned64(reader.low, reader.high)
}

function readProperties(reader: WireReader): Map<string, MetricProperty | undefined> {
  const outer = reader.enter()
  const keys: string[] = []
  const values: (MetricProperty | undefined)[] = []
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (key === 0x0a) keys.push(reader.text())
    else if (key === 0x12) values.push(readProperty(reader))
    else reader.skip(key)
  }
  reader.leave(outer)
  if (keys.length !== values.length) throw new PayloadError('A property set has not one value for each key')
  return new Map(keys.map((key, i) => [key, values[i]]))
}

class WireProperty {
  code = 0
  isNull = false
  readonly value = new WireValue()
}

/** Undefined for a property of a nested or unknown type, which Andon does not read. */
function readProperty(reader: WireReader): MetricProperty | undefined {
  const outer = reader.enter()
  const property = new WireProperty()
  while (!reader.isAtEnd) readPropertyField(reader, reader.key(), property)
  reader.leave(outer)
  const type = typeOfCode(property.code)
  if (!type || type === 'bytes') return undefined
  if (property.isNull) return { type, value: null }
  return property.value.isMissing ? undefined : { type, value: interpret(property.value, type) }
}

function readPropertyField(reader: WireReader, key: number, property: WireProperty): void {
  if (key === 0x08) property.code = reader.number()
  else if (key === 0x10) property.isNull = reader.number() !== 0
  else if (key >> 3 > LAST_PROPERTY_VALUE || !readValue(reader, (key >> 3) - PROPERTY_VALUES, key, property.value)) {
    reader.skip(key)
  }
}

/** The metrics of a payload as objects. */
class DecodedPayload implements Payload {
  readonly timestamp: number | undefined
  readonly seq: number | undefined
  readonly uuid: string | undefined
  readonly count: number
  readonly #metrics: readonly WireMetric[]

  constructor(metrics: readonly WireMetric[], head: { timestamp?: number; seq?: number; uuid?: string }) {
    this.timestamp = head.timestamp
    this.seq = head.seq
    this.uuid = head.uuid
    this.count = metrics.length
    this.#metrics = metrics
  }

  name(index: number): string | undefined {
    return this.#at(index).name
  }

  alias(index: number): Alias | undefined {
    return this.#at(index).alias
  }

  timestampOf(index: number): number | undefined {
    return this.#at(index).timestamp
  }

  typeOf(index: number): SparkplugType | undefined {
    return typeOfCode(this.#at(index).datatype)
  }

  datatypeCode(index: number): number {
    return this.#at(index).datatype
  }

  isNull(index: number): boolean {
    return this.#at(index).isNull
  }

  isHistorical(index: number): boolean {
    return this.#at(index).isHistorical
  }

  isTransient(index: number): boolean {
    return this.#at(index).isTransient
  }

  valueAs(index: number, type: SparkplugType): MetricValue {
    const metric = this.#at(index)
    return metric.isNull ? null : interpret(metric.value, type)
  }

  property(index: number, key: string): MetricProperty | undefined {
    return this.#at(index).properties?.get(key)
  }

  #at(index: number): WireMetric {
    const metric = this.#metrics[index]
    if (!metric) throw new RangeError(`The payload has no metric ${index}`)
    return metric
  }
}
