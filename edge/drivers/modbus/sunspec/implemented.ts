import type { Point, PointType } from './models.ts'

/** A point and what its registers hold. */
export interface Held {
  readonly point: Pick<Point, 'type'>
  readonly registers: readonly number[]
}

/** Raw values by which a device says that it has not implemented a point; of accumulators 0 may as well be a beginning. */
export const NOT_IMPLEMENTED: Readonly<Partial<Record<PointType, number | string>>> = {
  int16: -32_768,
  uint16: 65_535,
  enum16: 65_535,
  bitfield16: 65_535,
  int32: -2_147_483_648,
  uint32: 4_294_967_295,
  bitfield32: 4_294_967_295,
  int64: '-9223372036854775808',
  uint64: '18446744073709551615',
}

const SIGN_ONLY: readonly PointType[] = ['int16', 'int32', 'int64']

/** True when the registers hold a value and not the standard's word for "not implemented". */
export function isImplemented({ point: { type }, registers }: Held): boolean {
  if (type === 'string') return registers.some((register) => register !== 0)
  if (type === 'acc32') return registers.some((register) => register !== 0)
  if (type === 'float32') return ((registers[0] ?? 0) & 0x7f80) !== 0x7f80
  const isSign = SIGN_ONLY.includes(type)
  const nothing = registers.map((_, i) => (isSign ? (i === 0 ? 0x8000 : 0) : 0xffff))
  return registers.some((register, i) => register !== nothing[i])
}

/** Text of a string point. */
export function textOf({ registers }: Pick<Held, 'registers'>): string {
  const bytes = Buffer.alloc(registers.length * 2)
  for (const [i, register] of registers.entries()) bytes.writeUInt16BE(register, i * 2)
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).trim()
}
