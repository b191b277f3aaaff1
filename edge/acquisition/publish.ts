import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { BAD, type Quality, type Scalar, type ScalarType } from '#shared/contracts/sample.ts'
import { NOT_MEASURED } from './tag-faults.ts'

/** A device's raw value as the edge publishes it: scaled, in the tag's published type. */
export interface Published {
  readonly value: Scalar
  readonly quality: Quality
  /** Why the quality is not good, in plain words. */
  readonly reason?: string
}

/** What a driver read. */
export interface Raw {
  readonly value: Scalar
  readonly quality: Quality
  /** Power of ten that the device gave with the value. */
  readonly exponent?: number
  readonly reason?: string
}

const OWN_TYPE: Readonly<Record<ProfileTag['type'], ScalarType>> = {
  bit: 'boolean',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  uint64: 'uint64',
  float16: 'float',
  float32: 'float',
  float64: 'double',
  bcd16: 'uint16',
  bcd32: 'uint32',
  string: 'string',
}

const isScaled = ({ scale, offset, scaleFactor }: ProfileTag) =>
  scale !== undefined || offset !== undefined || scaleFactor !== undefined

/** The type under which a tag is published: as its profile says, else double when scaled, else its own. */
export function publishedType(tag: ProfileTag): ScalarType {
  return tag.publish ?? (isScaled(tag) ? 'double' : OWN_TYPE[tag.type])
}

/** Scales a raw value and brings it into the published type. What cannot be a value comes out bad, with the reason. */
export function publish(raw: Raw, tag: ProfileTag, type: ScalarType): Published {
  if (raw.quality === BAD || raw.value === null) return bad(raw.reason ?? 'the device gave no value')
  if (saysNothing(raw.value, tag)) return bad(NOT_MEASURED)
  if (typeof raw.value === 'number' && !Number.isFinite(raw.value)) return bad('the device gave no number')
  const value = convert(clamped(isScaled(tag) ? scaled(raw.value, raw.exponent ?? 0, tag) : raw.value, tag), type)
  if (value === undefined) return bad(`the value ${String(raw.value)} does not fit the type ${type}`)
  const { quality, reason } = raw
  return reason === undefined ? { value, quality } : { value, quality, reason }
}

const bad = (reason: string): Published => ({ value: null, quality: BAD, reason })

/** Compares digits, so that 64-bit codes are told apart; the codes may be numbers or digits in quotes. */
function saysNothing(value: Exclude<Scalar, null>, { invalid }: ProfileTag): boolean {
  if (invalid === undefined || typeof value === 'boolean') return false
  return invalid.some((code) =>
    typeof code === 'number' && typeof value === 'number' ? code === value : String(code) === String(value),
  )
}

function clamped(value: Exclude<Scalar, null>, { clamp }: ProfileTag): Exclude<Scalar, null> {
  if (clamp === undefined || typeof value === 'string' || typeof value === 'boolean') return value
  if (value < clamp[0]) return clamp[0]
  return value > clamp[1] ? clamp[1] : value
}

/** Keeps every digit of a 64-bit integer as long as scale, offset and exponent are whole. */
function scaled(raw: Exclude<Scalar, null>, exponent: number, tag: ProfileTag): number | bigint {
  const { scale = 1, offset = 0 } = tag
  if (typeof raw === 'bigint' && exponent >= 0 && Number.isSafeInteger(scale) && Number.isSafeInteger(offset))
    return raw * 10n ** BigInt(exponent) * BigInt(scale) + BigInt(offset)
  const value = Number(raw)
  const inPowers = exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent
  return times(inPowers, scale) + offset
}

/** Multiplies; a scale such as 0.1 becomes a division by 10, which keeps decimal values as people write them. */
function times(value: number, scale: number): number {
  const inverse = Math.round(1 / scale)
  return Math.abs(scale) < 1 && Math.abs(scale * inverse - 1) < 1e-12 ? value / inverse : value * scale
}

const INTEGER_BOUNDS: Readonly<Partial<Record<ScalarType, readonly [bigint, bigint]>>> = {
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-2_147_483_648n, 2_147_483_647n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 4_294_967_295n],
  uint64: [0n, 2n ** 64n - 1n],
}

/** The value in the wanted type; undefined when it does not fit. */
function convert(value: Exclude<Scalar, null>, type: ScalarType): Exclude<Scalar, null> | undefined {
  if (type === 'string') return String(value)
  if (type === 'boolean') return typeof value === 'string' ? undefined : Boolean(value)
  const bounds = INTEGER_BOUNDS[type]
  if (bounds) return integer(value, type, bounds)
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function integer(value: Exclude<Scalar, null>, type: ScalarType, [low, high]: readonly [bigint, bigint]) {
  const whole = typeof value === 'bigint' ? value : rounded(Number(value))
  if (whole === undefined || whole < low || whole > high) return undefined
  return type === 'int64' || type === 'uint64' ? whole : Number(whole)
}

const rounded = (value: number) => (Number.isFinite(value) ? BigInt(Math.round(value)) : undefined)
