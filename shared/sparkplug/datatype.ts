import type { ScalarType } from '#shared/contracts/sample.ts'

/** Types of Sparkplug B that this codec reads and writes; the first thirteen are what a tag can hold. */
export type SparkplugType = ScalarType | 'text' | 'uuid' | 'bytes'

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

const BY_CODE = new Map(Object.entries(CODES).map(([type, code]) => [code, type as SparkplugType]))

/** Number of a type in the `datatype` field (Sparkplug B 3.0, 6.4.16). */
export const codeOfType = (type: SparkplugType): number => CODES[type]

/** Type of a `datatype` number; undefined for data sets, templates, files and arrays, which Andon does not read. */
export const typeOfCode = (code: number): SparkplugType | undefined => BY_CODE.get(code)
