import { codeOfType, type DataType, isArray } from '#shared/sparkplug/datatype.ts'
import type {
  DataSet,
  MetaData,
  OutgoingMetric,
  OutgoingPayload,
  OutgoingTemplate,
  Property,
  PropertySet,
} from '#shared/sparkplug/payload.ts'

/** Payloads as protobufjs shows them by the schema: absent fields absent, 64-bit fields as decimal strings. */
type Proto = Record<string, unknown>

export const protoPayload = ({ timestamp, seq, uuid, metrics }: OutgoingPayload): Proto =>
  present({ timestamp: long(timestamp), seq: long(seq), uuid, metrics: metrics.map(protoMetric) })

function protoMetric(metric: OutgoingMetric): Proto {
  const { name, alias, timestamp, type, metadata, properties } = metric
  return present({
    name,
    alias: long(alias),
    timestamp: long(timestamp),
    datatype: metric.isTyped ? codeOfType(type) : undefined,
    is_historical: metric.isHistorical,
    is_transient: metric.isTransient,
    metadata: metadata && protoMetaData(metadata),
    properties: properties && protoSet(new Map(Object.entries(properties))),
    ...valueOfType(type, metric.value),
  })
}

function valueOfType(type: DataType, value: OutgoingMetric['value']): Proto {
  if (value === null) return { is_null: true }
  if (type === 'dataset') return { dataset_value: protoDataSet(value as DataSet) }
  if (type === 'template') return { template_value: protoTemplate(value as OutgoingTemplate) }
  if (type === 'file') return { bytes_value: value }
  return isArray(type) ? { bytes_value: packed(type, value) } : scalar(type, value)
}

/** Which field a scalar has, and what it holds there. */
function scalar(type: DataType | 'propertyset' | 'propertysetlist', value: unknown): Proto {
  if (value === null) return {}
  if (value instanceof Uint8Array) return { bytes_value: value }
  if (typeof value === 'string') return { string_value: value }
  if (typeof value === 'boolean') return { boolean_value: value }
  if (typeof value === 'bigint') return { long_value: String(BigInt.asUintN(64, value)) }
  if (type === 'float') return { float_value: value }
  if (type === 'double') return { double_value: value }
  return type === 'datetime' ? { long_value: String(value) } : { int_value: (value as number) >>> 0 }
}

const protoDataSet = ({ columns, types, rows }: DataSet): Proto =>
  present({
    num_of_columns: String(columns.length),
    columns,
    types: types.map(codeOfType),
    rows: rows.map((row) => present({ elements: row.map((cell, i) => scalar(types[i] as DataType, cell)) })),
  })

const protoTemplate = ({ version, templateRef, isDefinition, parameters = [], metrics }: OutgoingTemplate): Proto =>
  present({
    version,
    template_ref: templateRef,
    is_definition: isDefinition,
    metrics: metrics.map(protoMetric),
    parameters: parameters.map(({ name, type, value }) => ({ name, type: codeOfType(type), ...scalar(type, value) })),
  })

const protoSet = (set: PropertySet): Proto =>
  present({ keys: [...set.keys()], values: [...set.values()].map(protoProperty) })

function protoProperty({ type, value }: Property): Proto {
  const code = { type: codeOfType(type) }
  if (value === null) return { ...code, is_null: true }
  if (type === 'propertyset') return { ...code, propertyset_value: protoSet(value) }
  if (type === 'propertysetlist') return { ...code, propertysets_value: present({ propertyset: value.map(protoSet) }) }
  return { ...code, ...scalar(type, value) }
}

const protoMetaData = (data: MetaData): Proto =>
  present({
    is_multi_part: data.isMultiPart,
    content_type: data.contentType,
    size: long(data.size),
    seq: long(data.seq),
    file_name: data.fileName,
    file_type: data.fileType,
    md5: data.md5,
    description: data.description,
  })

/** Elements one after the other, written here once more so that the codec is not its own witness. */
function packed(type: DataType, value: unknown): Uint8Array {
  const elements = [...(value as Iterable<never>)]
  if (type === 'stringarray') return Uint8Array.from(elements.flatMap((text) => [...Buffer.from(text), 0]))
  if (type === 'booleanarray') return packedBooleans(elements)
  const width =
    { int8array: 1, uint8array: 1, int16array: 2, uint16array: 2, int32array: 4, uint32array: 4, floatarray: 4 }[
      type as string
    ] ?? 8 // prettier-ignore
  const view = new DataView(new ArrayBuffer(elements.length * width))
  const put = (WRITES[type] ??
    ((v, at, x) => v.setBigUint64(at, BigInt.asUintN(64, BigInt(x as never)), true))) as PutElement
  for (const [i, element] of elements.entries()) put(view, i * width, element)
  return new Uint8Array(view.buffer)
}

type PutElement = (view: DataView, at: number, element: never) => void
const WRITES: Readonly<Record<string, PutElement>> = {
  int8array: (view, at, x) => view.setInt8(at, x),
  uint8array: (view, at, x) => view.setUint8(at, x),
  int16array: (view, at, x) => view.setInt16(at, x, true),
  uint16array: (view, at, x) => view.setUint16(at, x, true),
  int32array: (view, at, x) => view.setInt32(at, x, true),
  uint32array: (view, at, x) => view.setUint32(at, x, true),
  floatarray: (view, at, x) => view.setFloat32(at, x, true),
  doublearray: (view, at, x) => view.setFloat64(at, x, true),
}

function packedBooleans(bits: readonly boolean[]): Uint8Array {
  const count = [bits.length & 0xff, bits.length >> 8, 0, 0]
  const text = bits
    .map(Number)
    .join('')
    .padEnd(Math.ceil(bits.length / 8) * 8, '0')
  return Uint8Array.from([...count, ...(text.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2))])
}

const long = (value: number | bigint | undefined) => (value === undefined ? undefined : String(value))

/** Without fields that are absent, and empty lists, which are nothing on the wire. */
export function present(value: Proto): Proto {
  const isPresent = (part: unknown) => part !== undefined && !(Array.isArray(part) && part.length === 0)
  return Object.fromEntries(Object.entries(value).filter(([, part]) => isPresent(part)))
}
