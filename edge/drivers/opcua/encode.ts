import type { Scalar } from '#shared/contracts/sample.ts'

/** Bounds of the built-in integer types, Part 6, 5.1.2, by their number. */
const BOUNDS: Readonly<Record<number, readonly [bigint, bigint]>> = {
  2: [-0x80n, 0x7fn],
  3: [0n, 0xffn],
  4: [-0x8000n, 0x7fffn],
  5: [0n, 0xffffn],
  6: [-0x8000_0000n, 0x7fff_ffffn],
  7: [0n, 0xffff_ffffn],
  8: [-(2n ** 63n), 2n ** 63n - 1n],
  9: [0n, 2n ** 64n - 1n],
}
const [BOOLEAN, INT64, UINT64, FLOAT, DOUBLE, STRING, DATE_TIME] = [1, 8, 9, 10, 11, 12, 13]

/** A value cannot stand in a node of its type; the message says why. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
}

type Encoder = (value: Exclude<Scalar, null>) => unknown

const number: Encoder = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail(value, 'a finite number')
const time: Encoder = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? new Date(value) : fail(value, 'a time')
const text: Encoder = (value) => (typeof value === 'string' ? value : fail(value, 'text'))

function onOrOff(value: Exclude<Scalar, null>): boolean {
  if (value === true || value === 1) return true
  return value === false || value === 0 ? false : fail(value, 'on or off')
}

const ENCODERS: Readonly<Record<number, Encoder>> = {
  [BOOLEAN]: onOrOff,
  [FLOAT]: number,
  [DOUBLE]: number,
  [STRING]: text,
  [DATE_TIME]: time,
}

/** The value as the library wants it for a node of this built-in type. Throws EncodeError when it does not fit exactly. */
export function encodeValue(dataType: number, value: Exclude<Scalar, null>): unknown {
  const bounds = BOUNDS[dataType]
  if (bounds) return integer(dataType, value, bounds)
  const encode = ENCODERS[dataType]
  if (!encode) throw new EncodeError(`nodes of type ${dataType} cannot be written`)
  return encode(value)
}

function integer(dataType: number, value: Exclude<Scalar, null>, [low, high]: readonly [bigint, bigint]): unknown {
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
  const whole = isWhole ? BigInt(value as number | bigint) : undefined
  if (whole === undefined || whole < low || whole > high) return fail(value, `a whole number from ${low} to ${high}`)
  if (dataType !== INT64 && dataType !== UINT64) return Number(whole)
  const bits = BigInt.asUintN(64, whole)
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)]
}

function fail(value: Exclude<Scalar, null>, wanted: string): never {
  throw new EncodeError(`the node takes ${wanted}, not ${typeof value === 'string' ? `'${value}'` : String(value)}`)
}
