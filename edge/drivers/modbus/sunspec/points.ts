import { type FoundModel, REFUSED } from './discover.ts'
import { type Model, type Point, type PointType, sunspecModels } from './models.ts'

/** A point where it stands in a device. */
export interface PlacedPoint {
  readonly point: Point
  readonly address: number
  /** Address of its scale factor. */
  readonly factorAddress?: number
  /** What it held when it was found. */
  readonly registers: readonly number[]
  /** Number of the group that comes several times, from 1. */
  readonly group?: number
}

/** A model of a device that Andon knows, with its points in place. */
export interface PlacedModel {
  readonly id: number
  readonly model: Model
  readonly points: readonly PlacedPoint[]
}

/** Lays the known models over what was found; models that Andon makes no tags of are left out. */
export function placeModels(found: readonly FoundModel[]): PlacedModel[] {
  const known = sunspecModels()
  return found.flatMap(({ id, address, registers }) => {
    const model = known.get(id)
    return model ? [{ id, model, points: placePoints(model, address, registers) }] : []
  })
}

interface Raw {
  readonly point: Point
  readonly offset: number
  readonly group?: number
}

/** Points beyond the length that the device tells are not there: older devices know fewer. */
function placePoints(model: Model, address: number, registers: readonly number[]): PlacedPoint[] {
  const fixed = inOrder(model.points, 0)
  const repeated = model.repeated ? groupsOf(model.repeated.points, sizeOf(model.points), registers.length) : []
  const there = [...fixed, ...repeated].filter(({ point, offset }) => offset + point.size <= registers.length)
  const factors = new Map(
    there.filter(({ point }) => point.type === 'sunssf').map((raw) => [raw.point.name, raw.offset]),
  )
  return there
    .filter(({ point }) => point.label !== undefined)
    .map(({ point, offset, group }) => {
      const factor = point.scaleFactor === undefined ? undefined : factors.get(point.scaleFactor)
      return {
        ...{ point, address: address + offset, registers: registers.slice(offset, offset + point.size) },
        ...(factor === undefined ? {} : { factorAddress: address + factor }),
        ...(group === undefined ? {} : { group }),
      }
    })
}

function inOrder(points: readonly Point[], from: number, group?: number): Raw[] {
  let offset = from
  return points.map((point) => {
    const raw = { point, offset, ...(group === undefined ? {} : { group }) }
    offset += point.size
    return raw
  })
}

const sizeOf = (points: readonly Point[]) => points.reduce((sum, { size }) => sum + size, 0)

/** As many groups as the length holds, whatever the count says. */
function groupsOf(points: readonly Point[], from: number, length: number): Raw[] {
  const size = sizeOf(points)
  const count = Math.max(0, Math.floor((length - from) / size))
  return Array.from({ length: count }, (_, i) => inOrder(points, from + i * size, i + 1)).flat()
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

/** False when the device does not let one of its registers be read. */
export const isReadable = ({ registers }: Pick<PlacedPoint, 'registers'>): boolean => !registers.includes(REFUSED)

/** True when the registers hold a value and not the standard's word for "not implemented". */
export function isImplemented({ point: { type }, registers }: Pick<PlacedPoint, 'point' | 'registers'>): boolean {
  if (type === 'string') return registers.some((register) => register !== 0)
  if (type === 'acc32') return registers.some((register) => register !== 0)
  if (type === 'float32') return ((registers[0] ?? 0) & 0x7f80) !== 0x7f80
  const isSign = SIGN_ONLY.includes(type)
  const nothing = registers.map((_, i) => (isSign ? (i === 0 ? 0x8000 : 0) : 0xffff))
  return registers.some((register, i) => register !== nothing[i])
}

/** Text of a string point. */
export function textOf({ registers }: Pick<PlacedPoint, 'registers'>): string {
  const bytes = Buffer.alloc(registers.length * 2)
  for (const [i, register] of registers.entries()) bytes.writeUInt16BE(register, i * 2)
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end).trim()
}
