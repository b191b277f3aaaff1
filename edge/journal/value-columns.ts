import type { Scalar } from '#shared/contracts/sample.ts'
import { PayloadError } from '#shared/sparkplug/payload-error.ts'
import { WireReader } from '#shared/sparkplug/reader.ts'
import { WireWriter } from '#shared/sparkplug/wire.ts'

/**
 * How a value stands in the columns. A number with few decimals, as instruments give them, is a whole number of tenths,
 * hundredths and so on: exactly, since only a number is written so that comes back as the very same one.
 */
const NULL = 0
const DOUBLE = 1
const FLOAT = 2
const SIGNED = 3
const UNSIGNED = 4
const TRUE = 5
const FALSE = 6
const TEXT = 7
/** WHOLE + k: a double that is a whole number of 10^-k. */
const WHOLE = 8
/** SINGLE + k: a number of 32 bits that is the nearest to a whole number of 10^-k. */
const SINGLE = 16
const MOST_DECIMALS = 5
const POWERS = [1, 10, 100, 1000, 10_000, 100_000] as const
const LARGEST = 2 ** 51

/** Bytes of the columns: kinds, whole numbers, floating numbers, all else. */
export type ValueColumns = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

export interface ValueWriter {
  /** Adds a value. A whole number is written as the difference to the last of the same kind; `isFresh` forgets that. */
  add(value: Scalar, isFresh: boolean): void
  finish(): ValueColumns
}

export function valueWriter(): ValueWriter {
  const kinds = new WireWriter(1024)
  const wholes = new WireWriter(4096)
  const floats = new WireWriter(512)
  const others = new WireWriter(64)
  let lastKind = -1
  let last = 0
  const number = (value: number, isFresh: boolean) => {
    const kind = kindOf(value)
    kinds.varint(kind)
    if (kind === DOUBLE) floats.double(value)
    else if (kind === FLOAT) floats.float(value)
    else {
      const whole = Math.round(value * (POWERS[kind & 7] as number))
      wholes.varint(zigzag(isFresh || kind !== lastKind ? whole : whole - last))
      last = whole
    }
    lastKind = kind
  }
  const other = (value: Exclude<Scalar, number>) => {
    lastKind = -1
    const kind = kindOfOther(value)
    kinds.varint(kind)
    if (kind === TEXT) others.text(value as string)
    else if (kind === SIGNED || kind === UNSIGNED) others.varint64(value as bigint)
  }
  return {
    add: (value, isFresh) => (typeof value === 'number' ? number(value, isFresh) : other(value)),
    finish: () => [kinds.finish(), wholes.finish(), floats.finish(), others.finish()],
  }
}

function kindOfOther(value: Exclude<Scalar, number>): number {
  if (value === null) return NULL
  if (typeof value === 'boolean') return value ? TRUE : FALSE
  if (typeof value === 'string') return TEXT
  return BigInt.asIntN(64, value) === value ? SIGNED : UNSIGNED
}

/** The shortest exact way to write a number. */
function kindOf(value: number): number {
  if (Object.is(value, -0)) return FLOAT
  if (Number.isInteger(value)) return Math.abs(value) < LARGEST ? WHOLE : DOUBLE
  const isSmall = Math.abs(value) < LARGEST / 100_000
  const decimal = isSmall ? decimalsOf(value) : 0
  if (decimal > 0) return WHOLE + decimal
  if (Math.fround(value) !== value) return DOUBLE
  const single = isSmall ? singleDecimalsOf(value) : 0
  return single > 0 ? SINGLE + single : FLOAT
}

/** Decimals with which a double is written exactly; 0 when it takes too many. */
function decimalsOf(value: number): number {
  for (let k = 1; k <= MOST_DECIMALS; k++) {
    const power = POWERS[k] as number
    if (Math.round(value * power) / power === value) return k
  }
  return 0
}

/** Decimals of which a number of 32 bits is the nearest; 0 when it takes too many. */
function singleDecimalsOf(value: number): number {
  for (let k = 1; k <= MOST_DECIMALS; k++) {
    const power = POWERS[k] as number
    if (Math.fround(Math.round(value * power) / power) === value) return k
  }
  return 0
}

export interface ValueReader {
  /** The next value. `isFresh` as it was added. @throws PayloadError when the columns are damaged. */
  next(isFresh: boolean): Scalar
}

export function valueReader([kindBytes, wholeBytes, floatBytes, otherBytes]: ValueColumns): ValueReader {
  const kinds = new WireReader(kindBytes)
  const wholes = new WireReader(wholeBytes)
  const floats = new WireReader(floatBytes)
  const others = new WireReader(otherBytes)
  let lastKind = -1
  let last = 0
  const whole = (kind: number, isFresh: boolean): number => {
    const read = unzigzag(wholes.number())
    last = isFresh || kind !== lastKind ? read : last + read
    lastKind = kind
    const value = last / decimals(kind)
    return kind >= SINGLE ? Math.fround(value) : value
  }
  return {
    next: (isFresh) => {
      const kind = kinds.number()
      if (kind >= WHOLE) return whole(kind, isFresh)
      lastKind = kind === DOUBLE || kind === FLOAT ? kind : -1
      return plain(kind, floats, others)
    },
  }
}

function decimals(kind: number): number {
  const power = kind < SINGLE + 8 ? POWERS[kind & 7] : undefined
  if (power === undefined) throw new PayloadError('A journal block has an unknown kind of value')
  return power
}

function plain(kind: number, floats: WireReader, others: WireReader): Scalar {
  switch (kind) {
    case NULL:
      return null
    case DOUBLE:
      return floats.double()
    case FLOAT:
      return floats.float()
    case SIGNED:
      return BigInt.asIntN(64, others.bits64())
    case UNSIGNED:
      return others.bits64()
    case TRUE:
      return true
    case FALSE:
      return false
    case TEXT:
      return others.text()
    default:
      throw new PayloadError('A journal block has an unknown kind of value')
  }
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2)
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
