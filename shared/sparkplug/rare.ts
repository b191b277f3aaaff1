import { BinaryReader } from '@bufbuild/protobuf/wire'
import { propertyTypeOfCode, type SparkplugType, typeOfCode } from './datatype.ts'
import { PayloadError } from './payload-error.ts'
import type { DataSet, MetaData, Property, PropertySet, TemplateParameter } from './rare-types.ts'
import { decodeText } from './text.ts'
import { DOUBLE, FLOAT, interpret, NONE, TEXT, WIRES, WireValue } from './wire-value.ts'

/** How deep sets of properties and templates may stand in each other; deeper is no payload of any machine. */
export const DEEPEST = 16

/** Answers whether it read the field; it is stepped over if not. `key`: number × 8 + wire type. */
type FieldReader = (reader: BinaryReader, key: number) => boolean

/** Reads every field of a message. @throws PayloadError for whatever is none. */
function readFields(bytes: Uint8Array, read: FieldReader): void {
  try {
    const reader = new BinaryReader(bytes, decodeText)
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag()
      if (!read(reader, field * 8 + wire)) reader.skip(wire, field)
    }
  } catch (error) {
    if (error instanceof PayloadError) throw error
    throw new PayloadError('A nested message cannot be read', { cause: error })
  }
}

/** First value field of a cell, of a template's parameter and of a property. */
const CELL_VALUES = 1
const PARAMETER_VALUES = 3
const PROPERTY_VALUES = 3
const HALF = 32n
const LOW_HALF = 0xffffffffn

/** Reads a scalar if the field, counted from the first value field, is one. */
function readScalar(reader: BinaryReader, key: number, first: number, value: WireValue): boolean {
  const kind = Math.floor(key / 8) - first
  if (kind > TEXT || WIRES[kind] !== (key & 7)) return false
  value.kind = kind
  if (kind === FLOAT) value.number = reader.float()
  else if (kind === DOUBLE) value.number = reader.double()
  else if (kind === TEXT) value.text = reader.string()
  else {
    const bits = BigInt(reader.uint64())
    value.low = Number(bits & LOW_HALF)
    value.high = Number(bits >> HALF)
  }
  return true
}

/** @throws PayloadError when columns, types and rows contradict each other or a cell does not fit its column. */
export function readDataSet(bytes: Uint8Array): DataSet {
  const columns: string[] = []
  const codes: number[] = []
  const rows: Uint8Array[] = []
  let width: number | undefined
  readFields(bytes, (reader, key) => {
    switch (key) {
      case 0x08:
        width = Number(reader.uint64())
        return true
      case 0x12:
        columns.push(reader.string())
        return true
      case 0x18:
        codes.push(reader.uint32())
        return true
      case 0x1a:
        addPacked(reader.bytes(), codes)
        return true
      case 0x22:
        rows.push(reader.bytes())
        return true
      default:
        return false
    }
  })
  if (codes.length !== columns.length || (width ?? columns.length) !== columns.length) {
    throw new PayloadError(`A data set of ${width} columns has ${columns.length} names and ${codes.length} types`)
  }
  const types = codes.map(scalarType)
  return { columns, types, rows: rows.map((row) => readRow(row, types)) }
}

/** Repeated numbers may also come in one field. */
function addPacked(bytes: Uint8Array, numbers: number[]): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) numbers.push(reader.uint32())
}

function scalarType(code: number): SparkplugType {
  const type = typeOfCode(code)
  if (type === undefined || type === 'bytes') throw new PayloadError(`A data set has a column of type ${code}`)
  return type
}

function readRow(bytes: Uint8Array, types: readonly SparkplugType[]): DataSet['rows'][number] {
  const cells: Uint8Array[] = []
  readFields(bytes, (reader, key) => {
    if (key !== 0x0a) return false
    cells.push(reader.bytes())
    return true
  })
  if (cells.length !== types.length) throw new PayloadError(`A row has ${cells.length} of ${types.length} cells`)
  return types.map((type, i) => {
    const value = new WireValue()
    readFields(cells[i] as Uint8Array, (reader, key) => readScalar(reader, key, CELL_VALUES, value))
    return value.kind === NONE ? null : interpret(value, type)
  })
}

/** A template as it stood on the wire; its metrics are read by the decoder of metrics. */
export interface TemplateEnvelope {
  readonly version: string | undefined
  readonly templateRef: string | undefined
  readonly isDefinition: boolean
  readonly parameters: readonly TemplateParameter[]
  readonly metrics: readonly Uint8Array[]
}

/** @throws PayloadError */
export function readTemplate(bytes: Uint8Array): TemplateEnvelope {
  const parameters: TemplateParameter[] = []
  const metrics: Uint8Array[] = []
  const head: { version?: string; templateRef?: string; isDefinition?: boolean } = {}
  readFields(bytes, (reader, key) => {
    switch (key) {
      case 0x0a:
        head.version = reader.string()
        return true
      case 0x12:
        metrics.push(reader.bytes())
        return true
      case 0x1a:
        parameters.push(readParameter(reader.bytes()))
        return true
      case 0x22:
        head.templateRef = reader.string()
        return true
      case 0x28:
        head.isDefinition = reader.bool()
        return true
      default:
        return false
    }
  })
  const { version, templateRef, isDefinition = false } = head
  return { version, templateRef, isDefinition, parameters, metrics }
}

function readParameter(bytes: Uint8Array): TemplateParameter {
  const value = new WireValue()
  let [name, code] = ['', 0]
  readFields(bytes, (reader, key) => {
    if (key === 0x0a) name = reader.string()
    else if (key === 0x10) code = reader.uint32()
    else return readScalar(reader, key, PARAMETER_VALUES, value)
    return true
  })
  const type = scalarType(code)
  return { name, type, value: value.kind === NONE ? null : interpret(value, type) }
}

/** @throws PayloadError also for sets in sets deeper than `DEEPEST`. */
export function readPropertySet(bytes: Uint8Array, depth = 0): PropertySet {
  if (depth > DEEPEST) throw new PayloadError(`Properties stand in each other deeper than ${DEEPEST} times`)
  const keys: string[] = []
  const values: (Property | undefined)[] = []
  readFields(bytes, (reader, key) => {
    if (key === 0x0a) keys.push(reader.string())
    else if (key === 0x12) values.push(readProperty(reader.bytes(), depth))
    else return false
    return true
  })
  if (keys.length !== values.length) throw new PayloadError('A property set has not one value for each key')
  const known = keys.flatMap((key, i) => (values[i] ? [[key, values[i]] as const] : []))
  return new Map(known)
}

/** Undefined for one of a type that no property has, and for one without a value. */
function readProperty(bytes: Uint8Array, depth: number): Property | undefined {
  const scalar = new WireValue()
  const wire: { code: number; isNull: boolean; set?: Uint8Array; list?: Uint8Array } = { code: 0, isNull: false }
  readFields(bytes, (reader, key) => {
    if (key === 0x08) wire.code = reader.uint32()
    else if (key === 0x10) wire.isNull = reader.bool()
    else if (key === 0x4a) wire.set = reader.bytes()
    else if (key === 0x52) wire.list = reader.bytes()
    else return readScalar(reader, key, PROPERTY_VALUES, scalar)
    return true
  })
  const type = propertyTypeOfCode(wire.code)
  if (type === undefined || type === 'bytes') return undefined
  if (wire.isNull) return { type, value: null } as Property
  if (type === 'propertyset') return wire.set && { type, value: readPropertySet(wire.set, depth + 1) }
  if (type === 'propertysetlist') return wire.list && { type, value: readPropertySetList(wire.list, depth + 1) }
  return scalar.kind === NONE ? undefined : { type, value: interpret(scalar, type) }
}

function readPropertySetList(bytes: Uint8Array, depth: number): PropertySet[] {
  const sets: PropertySet[] = []
  readFields(bytes, (reader, key) => {
    if (key !== 0x0a) return false
    sets.push(readPropertySet(reader.bytes(), depth))
    return true
  })
  return sets
}

/** @throws PayloadError */
export function readMetaData(bytes: Uint8Array): MetaData {
  const data: { -readonly [K in keyof MetaData]: MetaData[K] } = {}
  const texts = { 18: 'contentType', 42: 'fileName', 50: 'fileType', 58: 'md5', 66: 'description' } as const
  readFields(bytes, (reader, key) => {
    if (key === 0x08) data.isMultiPart = reader.bool()
    else if (key === 0x18) data.size = BigInt(reader.uint64())
    else if (key === 0x20) data.seq = BigInt(reader.uint64())
    else if (key in texts) data[texts[key as keyof typeof texts]] = reader.string()
    else return false
    return true
  })
  return data
}
