import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { MisfitError, rawOf } from './raw-value.ts'

/** A tag that a command wants to write, with all that is known of it before the device is asked. */
export interface WriteAsk {
  /** `device/tag` */
  readonly name: string
  /** Undefined: the profile has no such tag. */
  readonly tag: ProfileTag | undefined
  /** What this box lets be written on the device; undefined: whatever the profile lets. */
  readonly allowed: readonly string[] | undefined
  readonly value: Scalar
  /** What the command believes to be there now. */
  readonly expected: Scalar | undefined
  /** ms since the tag was last written by this box; undefined: not since it started. */
  readonly sinceLastMs: number | undefined
}

/** Shortest time between two writes of a tag that says no other. */
const EVERY_SECONDS = 1

/** Why a value may not be written, and what to do; undefined when it may. Asks nobody, changes nothing. */
export function refusalOf(ask: WriteAsk): string | undefined {
  return refusedTag(ask) ?? refusedValue(ask) ?? refusedNow(ask)
}

function refusedTag({ name, tag, allowed }: WriteAsk): string | undefined {
  if (!tag) return `${name} is not in the device's profile. Correct the name.`
  if (tag.writable !== true)
    return `${name} is read-only: its profile does not say 'writable: true'. Say it there if this may be written.`
  if (allowed && !allowed.includes(tag.tag))
    return `${name} is read-only on this box: it is not listed under 'writable' of its device in edge.yaml. Add it there if this may be written.`
  return undefined
}

function refusedValue({ name, tag, value, expected }: WriteAsk): string | undefined {
  if (!tag) return undefined
  if (value === null) return `${name} cannot be written without a value. Give one.`
  if (typeof value === 'number' && !Number.isFinite(value)) return `${name} cannot hold ${value}. Give a number.`
  return refusedByRules(name, tag, { value, expected }) ?? refusedNumber(name, tag, value) ?? misfit(name, tag, value)
}

function refusedByRules(
  name: string,
  tag: ProfileTag,
  { value, expected = null }: Pick<WriteAsk, 'value' | 'expected'>,
): string | undefined {
  const rules = tag.write ?? {}
  if (rules.expected === 'required' && expected === null)
    return `${name} is written only by a command that says what it expects to be there now. Send the expected value too.`
  if (rules.values && !rules.values.some((allowed) => String(allowed) === String(value)))
    return `${shown(value, tag)} may not be written to ${name}. Write ${listed(rules.values)}.`
  return undefined
}

function refusedNumber(name: string, tag: ProfileTag, value: Exclude<Scalar, null>): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  return outOfRange(name, tag, value) ?? offStep(name, tag, value)
}

function outOfRange(name: string, tag: ProfileTag, value: number | bigint): string | undefined {
  const { min = tag.range?.[0], max = tag.range?.[1] } = tag.write ?? {}
  const span = spanWords(min, max, tag)
  if (min !== undefined && value < min)
    return `${shown(value, tag)} is below ${shown(min, tag)}, the lowest that may be written to ${name}. Write ${span}.`
  if (max !== undefined && value > max)
    return `${shown(value, tag)} is above ${shown(max, tag)}, the highest that may be written to ${name}. Write ${span}.`
  return undefined
}

function offStep(name: string, tag: ProfileTag, value: number | bigint): string | undefined {
  const { min = tag.range?.[0] ?? 0, step } = tag.write ?? {}
  if (step === undefined || isOnStep(Number(value), min, step)) return undefined
  return `${shown(value, tag)} is between two steps of ${name}, which go by ${step} from ${min}. Write ${nearest(Number(value), min, step)}.`
}

/** Steps such as 0.1 have no exact binary form. */
const isOnStep = (value: number, from: number, step: number) => {
  const steps = (value - from) / step
  return Math.abs(steps - Math.round(steps)) < 1e-6
}

const nearest = (value: number, from: number, step: number) =>
  Number((from + Math.round((value - from) / step) * step).toPrecision(12))

/** With an exponent of the device's own the raw value is known only when the device has been asked. */
function misfit(name: string, tag: ProfileTag, value: Exclude<Scalar, null>): string | undefined {
  if (tag.scaleFactor !== undefined) return undefined
  try {
    rawOf(value, tag)
    return undefined
  } catch (error) {
    if (!(error instanceof MisfitError)) throw error
    return `${shown(value, tag)} cannot be written to ${name}: ${error.message}. Give another value.`
  }
}

function refusedNow({ name, tag, sinceLastMs }: WriteAsk): string | undefined {
  const everyMs = (tag?.write?.everySeconds ?? EVERY_SECONDS) * 1000
  if (sinceLastMs === undefined || sinceLastMs >= everyMs) return undefined
  const leftS = Math.ceil((everyMs - sinceLastMs) / 100) / 10
  return `${name} takes one write in ${everyMs / 1000} s and was written ${Math.round(sinceLastMs) / 1000} s ago. Send it again in ${leftS} s, under a new id.`
}

function spanWords(min: number | undefined, max: number | undefined, tag: ProfileTag): string {
  if (min !== undefined && max !== undefined) return `${min} to ${shown(max, tag)}`
  return min === undefined ? `at most ${max}` : `at least ${min}`
}

const listed = (values: readonly unknown[]) =>
  values.length === 1 ? String(values[0]) : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`

/** A value with its unit, as people read it. */
export function shown(value: Scalar, { unit }: Pick<ProfileTag, 'unit'>): string {
  if (typeof value === 'string') return `'${value}'`
  if (value === null) return 'nothing'
  return unit === undefined || typeof value === 'boolean' ? String(value) : `${value} ${unit}`
}
