import { BAD, GOOD, type Quality, type Scalar, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { Sample } from '../driver.ts'

/** A value as it comes off the wire; the library's DataValue has this shape. */
export interface WireValue {
  readonly value?: { readonly dataType: number; readonly arrayType: number; readonly value?: unknown } | null
  readonly statusCode: { readonly value: number; readonly name: string }
  readonly sourceTimestamp?: Date | null
  readonly serverTimestamp?: Date | null
}

/** A value as the server sent it, read once. */
export interface RawValue {
  /** OPC UA built-in type, Part 6, 5.1.2: Boolean 1 … Double 11, String 12, DateTime 13. 0: no value. */
  readonly dataType: number
  readonly isArray: boolean
  readonly value: unknown
  /** Status code, 32 bits. */
  readonly status: number
  readonly statusName: string
  /** ms since 1970; undefined when the server gave none. */
  readonly sourceAt: number | undefined
}

const INT64 = 8
const UINT64 = 9
const DATE_TIME = 13
const LOCALIZED_TEXT = 21
/** InfoType DataValue with the overflow bit, Part 4, 7.39.1. */
const OVERFLOW = 0x0480

/** VariantArrayType of a value that is no array. */
const SCALAR = 0

/** What of a value on the wire matters here. */
export function rawOf({ value, statusCode, sourceTimestamp, serverTimestamp }: WireValue): RawValue {
  return {
    dataType: value?.dataType ?? 0,
    isArray: value !== undefined && value !== null && value.arrayType !== SCALAR,
    value: value?.value,
    status: statusCode.value,
    statusName: statusCode.name,
    sourceAt: (sourceTimestamp ?? serverTimestamp)?.getTime(),
  }
}

/** True when values before this one were lost in the server's queue. */
export const isOverflow = (status: number): boolean => (status & OVERFLOW) === OVERFLOW

/** Turns a value of a server into a sample. What is no single value, number, text or time comes out bad with the reason. */
export function sampleOf(tag: string, raw: RawValue, now: number): Sample {
  const sourceAt = raw.sourceAt ?? now
  const quality = qualityOf(raw.status)
  if (quality === BAD) return { tag, value: null, quality, sourceAt, reason: `the server says ${raw.statusName}` }
  const value = scalarOf(raw)
  if (value === undefined)
    return { tag, value: null, quality: BAD, sourceAt, reason: `the node holds ${kindOf(raw)}, not one value` }
  if (isOverflow(raw.status))
    return { tag, value, quality: UNCERTAIN, sourceAt, reason: 'values between were lost: the server’s queue ran over' }
  if (quality === UNCERTAIN) return { tag, value, quality, sourceAt, reason: `the server says ${raw.statusName}` }
  return { tag, value, quality, sourceAt }
}

/** The two highest bits are the severity: good, uncertain, bad. */
export function qualityOf(status: number): Quality {
  const severity = status >>> 30
  if (severity === 0) return GOOD
  return severity === 1 ? UNCERTAIN : BAD
}

function scalarOf({ dataType, isArray, value }: RawValue): Exclude<Scalar, null> | undefined {
  if (isArray || value === null || value === undefined) return undefined
  switch (dataType) {
    case INT64:
      return BigInt.asIntN(64, wideOf(value))
    case UINT64:
      return BigInt.asUintN(64, wideOf(value))
    case DATE_TIME:
      return (value as Date).getTime()
    case LOCALIZED_TEXT:
      return (value as { text?: string | null }).text ?? ''
    default:
      return isPlain(value) ? value : undefined
  }
}

const isPlain = (value: unknown) => typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string'

/** 64-bit integers come as two unsigned halves, the high one first. */
function wideOf(value: unknown): bigint {
  const [high = 0, low = 0] = value as readonly number[]
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

const kindOf = ({ isArray, dataType }: RawValue) => {
  if (dataType === 0) return 'nothing'
  return isArray ? 'an array' : `a value of type ${dataType}`
}
