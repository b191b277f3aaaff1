import type { TagSample } from '#edge/model.ts'
import { BAD, type Scalar, type ScalarType, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { Counting } from './identity.ts'

/** A live sample further from gateway time than this takes gateway time. */
export const GATEWAY_TOLERANCE_MS = 2000

const whole = (low: number, high: number) => (value: Scalar) =>
  typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high
const number = (value: Scalar) => typeof value === 'number'

const FITS: Readonly<Record<ScalarType, (value: Scalar) => boolean>> = {
  int8: whole(-0x80, 0x7f),
  int16: whole(-0x8000, 0x7fff),
  int32: whole(-0x80000000, 0x7fffffff),
  uint8: whole(0, 0xff),
  uint16: whole(0, 0xffff),
  uint32: whole(0, 0xffffffff),
  int64: (value) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  uint64: (value) => typeof value === 'bigint' && BigInt.asUintN(64, value) === value,
  float: number,
  double: number,
  boolean: (value) => typeof value === 'boolean',
  string: (value) => typeof value === 'string',
  datetime: whole(0, Number.MAX_SAFE_INTEGER),
}

/** True when a value, which is not null, can be a tag's of that type. */
export const fits = (value: Scalar, type: ScalarType): boolean => FITS[type](value)

/** The sample as it may be journaled: a value that does not fit its tag's type becomes bad without a value, counted. */
export function conformValue(sample: TagSample, type: ScalarType, counters: Counting): TagSample {
  if (sample.value === null || fits(sample.value, type)) return sample
  counters.mistyped += 1
  return { ...sample, value: null, quality: BAD }
}

/** The live sample with a source time that can be trusted: more than 2 s off, gateway time stands in, as uncertain. */
export function conformTime(sample: TagSample, now: number, counters: Counting): TagSample {
  if (Math.abs(sample.sourceAt - now) <= GATEWAY_TOLERANCE_MS) return wholeMillis(sample)
  counters.retimed += 1
  return { ...sample, sourceAt: now, quality: sample.quality === BAD ? BAD : UNCERTAIN }
}

/** The sample with its source time in whole ms; a time that is none becomes `0`. */
export function wholeMillis(sample: TagSample): TagSample {
  if (Number.isSafeInteger(sample.sourceAt) && sample.sourceAt >= 0) return sample
  const sourceAt = Math.floor(sample.sourceAt)
  return { ...sample, sourceAt: Number.isSafeInteger(sourceAt) && sourceAt >= 0 ? sourceAt : 0 }
}

/** The samples as a function gives them back, those that it leaves out left out: the same list while all stay as they are. */
export function mapped(
  samples: readonly TagSample[],
  change: (sample: TagSample) => TagSample | undefined,
): readonly TagSample[] {
  let changed: TagSample[] | undefined
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as TagSample
    const next = change(sample)
    if (next === sample) {
      changed?.push(sample)
      continue
    }
    changed ??= samples.slice(0, i)
    if (next) changed.push(next)
  }
  return changed ?? samples
}
