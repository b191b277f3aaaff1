/** Quality of a value as OPC DA numbers it: good 192, uncertain 64, bad 0. Stale is a state of the session, never of a sample. */
export type Quality = 192 | 64 | 0
export const GOOD: Quality = 192
export const UNCERTAIN: Quality = 64
export const BAD: Quality = 0

/** What a tag can hold. 64-bit integers are bigint, so that no digit is lost; null is a value that could not be read. */
export type Scalar = number | bigint | boolean | string | null

/** How a tag's value is typed on the wire and in history. */
export const SCALAR_TYPES = [
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float',
  'double',
  'boolean',
  'string',
  'datetime',
] as const
export type ScalarType = (typeof SCALAR_TYPES)[number]
