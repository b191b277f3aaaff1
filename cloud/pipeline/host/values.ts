import { BAD, GOOD, type Quality, type Scalar, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { MetricValue } from '#shared/sparkplug/datatype.ts'
import { ANDON_QUALITY_PROPERTY, QUALITY_PROPERTY, STALE } from '#shared/sparkplug/metric-names.ts'
import { type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { Slot } from '../shard/slots.ts'

/** A value as a payload carries it. `sourceAt` in ms since 1970; null: not read since the edge started (births only). */
export interface ReadValue {
  readonly value: Scalar
  readonly quality: Quality
  readonly sourceAt: number | null
}

/** Reads one metric. A value that does not fit its announced type comes back unread and bad; `onMisfit` counts it. */
export function readValue(payload: Payload, index: number, slot: Slot, onMisfit: () => void): ReadValue {
  const told = payload.property(index, QUALITY_PROPERTY)?.value
  const value = told === STALE ? null : scalarAt(payload, index, slot, onMisfit)
  const sourceAt = told === STALE ? null : timeOf(payload, index)
  return { value: value ?? null, quality: value === undefined ? BAD : qualityOf(payload, index, told), sourceAt }
}

/** Undefined for a value that does not fit. */
function scalarAt(payload: Payload, index: number, slot: Slot, onMisfit: () => void): Scalar | undefined {
  if (payload.isNull(index)) return null
  try {
    return scalar(payload.valueAs(index, slot.type))
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error
    onMisfit()
    return undefined
  }
}

const scalar = (value: MetricValue): Scalar =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value

function qualityOf(payload: Payload, index: number, told: MetricValue | undefined): Quality {
  if (told === undefined || told === GOOD) return payload.isNull(index) ? BAD : GOOD
  return payload.property(index, ANDON_QUALITY_PROPERTY)?.value === UNCERTAIN ? UNCERTAIN : BAD
}

/** A metric without a time, or with one that no clock shows, has the payload's. */
function timeOf(payload: Payload, index: number): number | null {
  const own = payload.timestampOf(index)
  if (own !== undefined && own <= LATEST_MS) return own
  const { timestamp } = payload
  return timestamp !== undefined && timestamp <= LATEST_MS ? timestamp : null
}
