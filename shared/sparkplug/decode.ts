import { unpackArray } from './array-values.ts'
import { type DataType, dataTypeOfCode, isArray, type MetricValue, type SparkplugType, typeOfCode } from './datatype.ts'
import type { Alias, AnyValue, MetricProperty, Metrics, Payload, Template } from './payload.ts'
import { PayloadError } from './payload-error.ts'
import { DEEPEST, readDataSet, readMetaData, readPropertySet, readTemplate } from './rare.ts'
import type { MetaData, PropertySet } from './rare-types.ts'
import { WireReader } from './reader.ts'
import { BYTES, contentOf, DATA_SET, interpret, readValue, TEMPLATE, unsigned64, WireValue } from './wire-value.ts'

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
  /** The last properties as they stood on the wire. */
  propertyBytes: Uint8Array | undefined
  metadata: Uint8Array | undefined
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
    else if (key === 0x12) metrics.push(readNextMetric(reader))
    else if (key === 0x18) head.seq = reader.number()
    else if (key === 0x22) head.uuid = reader.text()
    else reader.skip(key)
  }
  return new DecodedPayload(metrics, head)
}

function readNextMetric(reader: WireReader): WireMetric {
  const outer = reader.enter()
  const metric = readMetric(reader)
  reader.leave(outer)
  return metric
}

/** Reads a metric that goes to the reader's end. */
function readMetric(reader: WireReader): WireMetric {
  const metric = new WireMetric()
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (!readValue(reader, (key >> 3) - METRIC_VALUES, key, metric.value)) readMetricField(reader, key, metric)
  }
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
      metric.propertyBytes = reader.slice()
      metric.properties = readProperties(metric.propertyBytes)
      return
    case 0x42:
      metric.metadata = reader.slice()
      return
    default:
      reader.skip(key)
  }
}

function readAlias(reader: WireReader): Alias {
  reader.varint()
  return reader.high < 0x200000 ? reader.high * 0x100000000 + reader.low : unsigned64(reader.low, reader.high)
}

function readProperties(bytes: Uint8Array): Map<string, MetricProperty | undefined> {
  const reader = new WireReader(bytes)
  const keys: string[] = []
  const values: (MetricProperty | undefined)[] = []
  while (!reader.isAtEnd) {
    const key = reader.key()
    if (key === 0x0a) keys.push(reader.text())
    else if (key === 0x12) values.push(readProperty(reader))
    else reader.skip(key)
  }
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

/** Metrics as objects. */
class DecodedMetrics implements Metrics {
  readonly count: number
  readonly #metrics: readonly WireMetric[]
  /** 0 for those of a payload, 1 for those of a template in it. */
  readonly #depth: number

  constructor(metrics: readonly WireMetric[], depth: number) {
    this.count = metrics.length
    this.#metrics = metrics
    this.#depth = depth
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

  anyTypeOf(index: number): DataType | undefined {
    return dataTypeOfCode(this.#at(index).datatype)
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

  anyValueAs(index: number, type: DataType): AnyValue {
    const { isNull, value } = this.#at(index)
    if (isNull) return null
    if (type === 'dataset') return readDataSet(contentOf(value, DATA_SET, type))
    if (type === 'template') return decodeTemplate(contentOf(value, TEMPLATE, type), this.#depth + 1)
    if (type === 'file') return contentOf(value, BYTES, type)
    return isArray(type) ? unpackArray(type, contentOf(value, BYTES, type)) : interpret(value, type)
  }

  property(index: number, key: string): MetricProperty | undefined {
    return this.#at(index).properties?.get(key)
  }

  properties(index: number): PropertySet | undefined {
    const { propertyBytes } = this.#at(index)
    return propertyBytes && readPropertySet(propertyBytes)
  }

  metadata(index: number): MetaData | undefined {
    const { metadata } = this.#at(index)
    return metadata && readMetaData(metadata)
  }

  #at(index: number): WireMetric {
    const metric = this.#metrics[index]
    if (!metric) throw new RangeError(`The payload has no metric ${index}`)
    return metric
  }
}

class DecodedPayload extends DecodedMetrics implements Payload {
  readonly timestamp: number | undefined
  readonly seq: number | undefined
  readonly uuid: string | undefined

  constructor(metrics: readonly WireMetric[], head: { timestamp?: number; seq?: number; uuid?: string }) {
    super(metrics, 0)
    this.timestamp = head.timestamp
    this.seq = head.seq
    this.uuid = head.uuid
  }
}

function decodeTemplate(bytes: Uint8Array, depth: number): Template {
  if (depth > DEEPEST) throw new PayloadError(`Templates stand in each other deeper than ${DEEPEST} times`)
  const { metrics, ...envelope } = readTemplate(bytes)
  const members = metrics.map((metric) => readMetric(new WireReader(metric)))
  return { ...envelope, metrics: new DecodedMetrics(members, depth) }
}
