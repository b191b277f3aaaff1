import { INTEGER_BOUNDS, type ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

/** A value that is there. */
export type Value = Exclude<Scalar, null>

/** A value cannot be brought into the form in which the device holds it. The message says why. */
export class MisfitError extends Error {
  override readonly name = 'MisfitError'
}

/**
 * The raw value that stands in the device for a published one: scale, offset and the device's own power of ten undone, to the
 * nearest that its type can hold. Throws MisfitError when it can hold none near.
 */
export function rawOf(value: Value, tag: ProfileTag, exponent = 0): Value {
  if (tag.type === 'string') return String(value)
  if (tag.type === 'bit') return typeof value === 'string' ? value === 'true' : Boolean(value)
  const number = numberOf(value)
  const bounds = INTEGER_BOUNDS[tag.type]
  if (bounds) return wholeRaw(unscaled(number, tag, exponent), { tag, bounds })
  return roundedFloat(Number(unscaled(number, tag, exponent)), tag)
}

/** True when the raw value read is the one written, or its published value lies within the tolerance. */
export function isThere(read: Value, wanted: { readonly raw: Value; readonly value: Value }, as: Reading): boolean {
  if (typeof read === 'string') return read === String(wanted.raw).trimEnd()
  if (typeof read === 'boolean') return read === wanted.raw
  if (read === wanted.raw || String(read) === String(wanted.raw)) return true
  return as.tolerance > 0 && Math.abs(Number(as.published) - Number(wanted.value)) <= as.tolerance * (1 + DUST)
}

/** What a value read is compared as. */
export interface Reading {
  readonly published: Scalar
  readonly tolerance: number
}

/** Binary fractions: 0.3 − 0.2 is a little more than 0.1. */
const DUST = 1e-9

function numberOf(value: Value): number | bigint {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  const text = value.trim()
  if (/^-?\d+$/.test(text)) return BigInt(text)
  const number = text === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) throw new MisfitError(`'${value}' is no number`)
  return number
}

/** Whole numbers stay exact as long as scale and offset are whole. */
function unscaled(value: number | bigint, tag: ProfileTag, exponent: number): number | bigint {
  const { scale = 1, offset = 0 } = tag
  const isExact = scale === 1 && exponent === 0 && Number.isSafeInteger(offset)
  if (typeof value === 'bigint' && isExact) return value - BigInt(offset)
  const shifted = (Number(value) - offset) / scale
  return exponent < 0 ? shifted * 10 ** -exponent : shifted / 10 ** exponent
}

interface Whole {
  readonly tag: ProfileTag
  readonly bounds: readonly [bigint, bigint]
}

function wholeRaw(raw: number | bigint, { tag, bounds: [low, high] }: Whole): number | bigint {
  if (typeof raw === 'number' && !Number.isFinite(raw)) throw new MisfitError('it is no number')
  const whole = typeof raw === 'bigint' ? raw : BigInt(Math.round(raw))
  if (whole < low || whole > high)
    throw new MisfitError(`as ${tag.type} the device would need ${whole}, and it holds ${low} to ${high}`)
  return tag.type === 'int64' || tag.type === 'uint64' ? whole : Number(whole)
}

function roundedFloat(raw: number, { type }: ProfileTag): number {
  const rounded = type === 'float32' ? Math.fround(raw) : type === 'float16' ? Math.f16round(raw) : raw
  if (!Number.isFinite(rounded)) throw new MisfitError(`${raw} does not fit ${type}`)
  return rounded
}
