import type { ScalarType } from '#shared/contracts/sample.ts'

/** Types of Sparkplug B whose values a tag can hold; the first thirteen are what it can be listed as. */
export type SparkplugType = ScalarType | 'text' | 'uuid' | 'bytes'

/** Array types: all elements of one kind, packed into `bytes_value`. */
export type ArrayType =
  | 'int8array'
  | 'int16array'
  | 'int32array'
  | 'int64array'
  | 'uint8array'
  | 'uint16array'
  | 'uint32array'
  | 'uint64array'
  | 'floatarray'
  | 'doublearray'
  | 'booleanarray'
  | 'stringarray'
  | 'datetimearray'

/** Types of properties alone. */
export type PropertySetType = 'propertyset' | 'propertysetlist'

/** Types of metrics that no tag holds. */
export type RareType = 'dataset' | 'file' | 'template' | ArrayType

/** Every type that a metric can have. */
export type DataType = SparkplugType | RareType

/** A value of a metric: 64-bit integers are bigint, times are ms since 1970, null is `is_null`. */
export type MetricValue = number | bigint | boolean | string | Uint8Array | null

const CODES: Readonly<Record<SparkplugType, number>> = {
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  uint8: 5,
  uint16: 6,
  uint32: 7,
  uint64: 8,
  float: 9,
  double: 10,
  boolean: 11,
  string: 12,
  datetime: 13,
  text: 14,
  uuid: 15,
  bytes: 17,
}

const RARE_CODES: Readonly<Record<RareType | PropertySetType, number>> = {
  dataset: 16,
  file: 18,
  template: 19,
  propertyset: 20,
  propertysetlist: 21,
  int8array: 22,
  int16array: 23,
  int32array: 24,
  int64array: 25,
  uint8array: 26,
  uint16array: 27,
  uint32array: 28,
  uint64array: 29,
  floatarray: 30,
  doublearray: 31,
  booleanarray: 32,
  stringarray: 33,
  datetimearray: 34,
}

const ALL_CODES = { ...CODES, ...RARE_CODES }
const BY_CODE = new Map(Object.entries(CODES).map(([type, code]) => [code, type as SparkplugType]))
const ALL_BY_CODE = new Map(Object.entries(ALL_CODES).map(([type, code]) => [code, type as DataType | PropertySetType]))

/** Number of a type in the `datatype` field (Sparkplug B 3.0, 6.4.16). */
export const codeOfType = (type: DataType | PropertySetType): number => ALL_CODES[type]

/** Type of a `datatype` number; undefined for data sets, templates, files and arrays, which no tag holds. */
export const typeOfCode = (code: number): SparkplugType | undefined => BY_CODE.get(code)

/** Type of a metric's `datatype` number; undefined for numbers that Sparkplug has no metric type for. */
export function dataTypeOfCode(code: number): DataType | undefined {
  const type = ALL_BY_CODE.get(code)
  return type === 'propertyset' || type === 'propertysetlist' ? undefined : type
}

/** Type of a property: a scalar, or a nested set of properties. */
export function propertyTypeOfCode(code: number): SparkplugType | PropertySetType | undefined {
  const type = ALL_BY_CODE.get(code)
  return type === 'propertyset' || type === 'propertysetlist' ? type : typeOfCode(code)
}

export const isArray = (type: DataType | PropertySetType): type is ArrayType => type.endsWith('array')
