import {
  type DeviceProfile,
  type PACKINGS,
  type ProfileTag,
  REGISTER_WIDTHS,
  type WIDE_WORD_ORDERS,
  type WORD_ORDERS,
} from '#shared/contracts/device-profile.ts'
import { parseRange } from '#shared/contracts/register-range.ts'
import { AddressError } from '../driver.ts'

export const AREAS = ['holding', 'input', 'coil', 'discrete'] as const
export type Area = (typeof AREAS)[number]

export type RegisterType = keyof typeof REGISTER_WIDTHS
export type WordOrder = (typeof WORD_ORDERS)[number] | (typeof WIDE_WORD_ORDERS)[number]
export type Packing = (typeof PACKINGS)[number]

/** A run of registers (or of bits in the bit areas) that holds one value and is never read in two requests. */
export interface Span {
  readonly area: Area
  /** As it goes over the wire, counted from 0. */
  readonly start: number
  /** Registers, or bits in the areas `coil` and `discrete`. */
  readonly width: number
}

/** Where a tag's value stands in the device and how its bytes are to be read. */
export interface ModbusAddress {
  readonly span: Span
  readonly type: RegisterType
  readonly wordOrder: WordOrder
  /** How the characters of a text lie in its registers. */
  readonly packing: Packing
  /** Bit of a register, 0 the lowest. */
  readonly bit?: number
  /** Register that holds the power of ten (SunSpec). */
  readonly scaleFactor?: Span
  /** As the person wrote it, for messages. */
  readonly written: string
}

const NOTATION = /^(holding|input|coil|discrete):(\d+)(?:\.(\d+))?$/

/** True for the areas that hold single bits instead of registers. */
export const isBitArea = (area: Area): boolean => area === 'coil' || area === 'discrete'

/** True when two spans have a register or bit in common. */
export const touches = (a: Span, b: Span): boolean =>
  a.area === b.area && a.start < b.start + b.width && b.start < a.start + a.width

/** What a profile forbids to read. */
export function forbiddenSpans({ forbidden = [], addressBase = 0 }: NonNullable<DeviceProfile['modbus']> = {}): Span[] {
  return forbidden.flatMap((text) => {
    const range = parseRange(text)
    return range ? [{ area: range.area, start: range.first - addressBase, width: range.last - range.first + 1 }] : []
  })
}

/**
 * Reads `holding:100`, `input:3`, `coil:0`, `discrete:5` or `holding:12.3` (bit). Throws AddressError naming the tag, also for
 * what the profile forbids to read.
 */
export function parseModbusAddress(tag: ProfileTag, options: DeviceProfile['modbus'] = {}): ModbusAddress {
  const base = options.addressBase ?? 0
  const { area, start, bit } = parsePlace(tag, tag.address, base)
  const width = isBitArea(area) ? 1 : widthOf(tag)
  checkType(tag, area, bit)
  const wordOrder = tag.wordOrder ?? options.wordOrder ?? 'ABCD'
  checkOrder(tag, wordOrder)
  if (start + width > 65_536) fail(tag, `${tag.address} reaches beyond register 65535`)
  const span = { area, start, width }
  const scaleFactor = tag.scaleFactor === undefined ? undefined : scaleFactorSpan(tag, tag.scaleFactor, base)
  checkAllowed(tag, [span, ...(scaleFactor ? [scaleFactor] : [])], options)
  return {
    span,
    type: tag.type,
    wordOrder,
    packing: tag.packing ?? (swapsBytes(wordOrder) ? 'low-high' : 'high-low'),
    ...(bit === undefined ? {} : { bit }),
    ...(scaleFactor === undefined ? {} : { scaleFactor }),
    written: tag.address,
  }
}

function parsePlace(tag: ProfileTag, text: string, base: 0 | 1) {
  const match = NOTATION.exec(text)
  if (!match)
    return fail(tag, `'${text}' is not an address; write holding:100, input:3, coil:0, discrete:5 or holding:12.3`)
  const area = match[1] as Area
  const start = Number(match[2]) - base
  const bit = match[3] === undefined ? undefined : Number(match[3])
  if (start < 0 || start > 65_535) return fail(tag, `${text}: the number must lie between ${base} and ${65_535 + base}`)
  if (bit !== undefined && bit > 15) return fail(tag, `${text}: a register has bits 0 to 15`)
  return { area, start, bit }
}

function widthOf(tag: ProfileTag): number {
  if (tag.type !== 'string') return REGISTER_WIDTHS[tag.type]
  return tag.length ?? fail(tag, `a string needs 'length', its number of registers`)
}

function checkType(tag: ProfileTag, area: Area, bit: number | undefined): void {
  if (isBitArea(area) && (tag.type !== 'bit' || bit !== undefined))
    fail(tag, `${area} holds bits: type 'bit' and no '.n'`)
  if (isBitArea(area)) return
  if (tag.type === 'bit' && bit === undefined)
    fail(tag, `a bit of a register is written ${tag.address}.0 to ${tag.address}.15`)
  if (tag.type !== 'bit' && bit !== undefined)
    fail(tag, `'.${bit}' picks a bit, so the type must be 'bit', not '${tag.type}'`)
}

/** True when the two bytes of every register are swapped. */
export const swapsBytes = (order: WordOrder): boolean => order.indexOf('B') < order.indexOf('A')

function checkOrder(tag: ProfileTag, order: WordOrder): void {
  if (order.length === 8 && REGISTER_WIDTHS[tag.type] !== 4)
    fail(tag, `the order ${order} is one of 64 bits; '${tag.type}' takes ABCD, CDAB, BADC or DCBA`)
}

function scaleFactorSpan(tag: ProfileTag, text: string, base: 0 | 1): Span {
  const { area, start, bit } = parsePlace(tag, text, base)
  if (isBitArea(area) || bit !== undefined) fail(tag, `scaleFactor ${text} must be a whole register`)
  return { area, start, width: 1 }
}

function checkAllowed(tag: ProfileTag, spans: readonly Span[], options: DeviceProfile['modbus']): void {
  const range = forbiddenSpans(options).findIndex((forbidden) => spans.some((span) => touches(span, forbidden)))
  if (range >= 0)
    fail(tag, `${tag.address} cannot be read without ${options?.forbidden?.[range]}, which the profile forbids`)
}

function fail(tag: ProfileTag, what: string): never {
  throw new AddressError(`Tag '${tag.tag}': ${what}`)
}
