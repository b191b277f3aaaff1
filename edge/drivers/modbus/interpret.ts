import { PACKINGS, REGISTER_WIDTHS, WIDE_WORD_ORDERS, WORD_ORDERS } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { ModbusAddress, Packing, RegisterType, WordOrder } from './address.ts'
import { decodeRegisters } from './decode.ts'

/** What registers mean when they are read as one type in one byte order. */
export interface Interpretation {
  readonly type: RegisterType
  /** Of a number. */
  readonly wordOrder?: WordOrder
  /** Of a text. */
  readonly packing?: Packing
  /** NaN for bits that are no such number. */
  readonly value: Exclude<Scalar, null>
  /** Times which the value is what the device shows; 1 unless a shown value was given. */
  readonly scale: number
  /** 0 (cannot be meant) to 1. */
  readonly plausibility: number
  /** True for the one that is most likely meant. */
  readonly isMostPlausible: boolean
}

export interface InterpretOptions {
  /** What the device's own display shows at that moment. */
  readonly shows?: number
}

type Bare = Omit<Interpretation, 'scale' | 'plausibility' | 'isMostPlausible'>

/**
 * Reads registers, as they came over the wire, in every type and byte order that they suffice for, the most plausible first.
 * How plausible is a rule of thumb: plant values are neither tiny nor huge and have few digits.
 */
export function interpretRegisters(registers: readonly number[], options: InterpretOptions = {}): Interpretation[] {
  const judged = readings(registers).map((reading) => ({ ...reading, ...judge(reading, registers.length, options) }))
  const sorted = judged.sort((a, b) => b.plausibility - a.plausibility)
  return sorted.map((reading, i) => ({ ...reading, isMostPlausible: i === 0 && reading.plausibility > 0 }))
}

function readings(registers: readonly number[]): Bare[] {
  const types = (Object.keys(REGISTER_WIDTHS) as RegisterType[]).filter((type) => type !== 'bit' && type !== 'string')
  const numbers = types
    .filter((type) => REGISTER_WIDTHS[type] <= registers.length)
    .flatMap((type) =>
      ordersOf(type).map((wordOrder): Bare => ({ type, wordOrder, value: valueIn(registers, { type, wordOrder }) })),
    )
  const texts = PACKINGS.map(
    (packing): Bare => ({ type: 'string', packing, value: valueIn(registers, { type: 'string', packing }) }),
  )
  return registers.length === 0 ? [] : [...numbers, ...texts]
}

/** Over one register two orders are alike, over 64 bits the short names stand for four of the long ones. */
function ordersOf(type: RegisterType): readonly WordOrder[] {
  const width = REGISTER_WIDTHS[type]
  if (width === 1) return ['ABCD', 'BADC']
  return width === 2 ? WORD_ORDERS : WIDE_WORD_ORDERS
}

function valueIn(
  registers: readonly number[],
  of: Partial<ModbusAddress> & Pick<ModbusAddress, 'type'>,
): Exclude<Scalar, null> {
  const width = of.type === 'string' ? registers.length : REGISTER_WIDTHS[of.type]
  const bytes = Buffer.alloc(width * 2)
  for (let i = 0; i < width; i++) bytes.writeUInt16BE(registers[i] ?? 0, i * 2)
  const span = { area: 'holding', start: 0, width } as const
  return decodeRegisters(bytes, { span, wordOrder: 'ABCD', packing: 'high-low', written: '', ...of })
}

/** Who reads two registers seldom means one. */
const UNUSED = 0.7

function judge(
  reading: Bare,
  given: number,
  { shows }: InterpretOptions,
): Pick<Interpretation, 'scale' | 'plausibility'> {
  const { value } = reading
  if (typeof value === 'string') return { scale: 1, plausibility: shows === undefined ? textLikelihood(value) : 0 }
  if (shows !== undefined) return closeness(Number(value), shows, reading.type)
  const isWhole = REGISTER_WIDTHS[reading.type] === given
  const likelihood = numberLikelihood(Number(value), reading.type) * likelihoodOfOrder(reading)
  return { scale: 1, plausibility: isWhole ? likelihood : likelihood * UNUSED }
}

/** Of equals the standard's own order, then the common one, is meant. */
function likelihoodOfOrder({ wordOrder = 'ABCD' }: Bare): number {
  if (wordOrder === 'ABCD' || wordOrder === 'ABCDEFGH') return 1
  return wordOrder === 'CDAB' || wordOrder === 'GHEFCDAB' ? 0.99 : 0.95
}

const SCALES = [1, 0.1, 0.01, 0.001, 10, 100, 1000] as const
/** A display rounds, and moves on while a person reads it off. */
const DISPLAY_TOLERANCE = 0.02

/** How near a value comes to what the display shows, in the scale that brings it nearest. */
function closeness(value: number, shows: number, type: RegisterType): Pick<Interpretation, 'scale' | 'plausibility'> {
  const tried = SCALES.map((scale) => {
    const error = Math.abs(value * scale - shows) / Math.max(Math.abs(shows), 1e-9)
    const isNear = error <= DISPLAY_TOLERANCE
    return { scale, plausibility: isNear ? (1 - error) * (scale === 1 ? 1 : 0.98) * TYPE_WEIGHT[type] : 0 }
  })
  return tried.reduce((best, one) => (one.plausibility > best.plausibility ? one : best))
}

/** How often devices use a type: decides between equals. */
const TYPE_WEIGHT: Readonly<Record<RegisterType, number>> = {
  float32: 1,
  uint16: 0.99,
  int16: 0.985,
  uint32: 0.98,
  int32: 0.975,
  float64: 0.97,
  uint64: 0.96,
  int64: 0.955,
  bcd32: 0.8,
  bcd16: 0.75,
  float16: 0.4,
  string: 1,
  bit: 0,
}

function numberLikelihood(value: number, type: RegisterType): number {
  const isFloat = type.startsWith('float')
  if (!Number.isFinite(value)) return 0
  if (value === 0) return 0.3 * TYPE_WEIGHT[type]
  return (isFloat ? floatLikelihood(value, type) : wholeLikelihood(value, type)) * TYPE_WEIGHT[type]
}

/** Bits that are no float come out tiny or huge nine times of ten, or with digits that nobody would measure. */
function floatLikelihood(value: number, type: RegisterType): number {
  const size = Math.abs(value)
  if (size < 1e-6 || size >= 1e9) return 0.01
  if (size < 1e-3 || size >= 1e6) return 0.3
  const digits = size
    .toPrecision(type === 'float64' ? 12 : 7)
    .replace(/0+$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '')
  if (digits.length > 6) return 0.6
  return size < 1e5 ? 0.95 : 0.8
}

/** A counter or code uses the lower end of its width; what needs all of it was something else. */
function wholeLikelihood(value: number, type: RegisterType): number {
  const size = Math.abs(value)
  if (REGISTER_WIDTHS[type] === 1) return value < -1000 ? 0.4 : size < 10_000 ? 0.7 : 0.55
  if (size < 1e6) return 0.75
  return size < 1e8 ? 0.5 : 0.05
}

const LETTERS = /^[\p{L}\p{N}\p{P}\p{S} ]+$/u

function textLikelihood(text: string): number {
  if (text.length < 3 || !LETTERS.test(text) || text.includes('\uFFFD')) return text === '' ? 0.01 : 0
  return /^[\w .,:/+-]+$/.test(text) ? 0.97 : 0.6
}
