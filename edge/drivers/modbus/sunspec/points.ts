import type { LocalizedText } from '#shared/contracts/text.ts'
import { type FoundModel, REFUSED } from './discover.ts'
import { isImplemented } from './implemented.ts'
import { type Group, type Model, type Point, sunspecModels } from './models.ts'

/** A part of a device that a point belongs to: the second string, the third module of it. */
export interface Part {
  readonly label: LocalizedText
  /** From 1; undefined for a part that there is once. */
  readonly number?: number
}

/** A point where it stands in a device. */
export interface PlacedPoint {
  readonly point: Point
  readonly address: number
  /** Address of its scale factor. */
  readonly factorAddress?: number
  /** What it held when it was found. */
  readonly registers: readonly number[]
  /** From the whole to the part. */
  readonly parts: readonly Part[]
  /** It belongs to a set of settings that is kept and not in force. */
  readonly isStored: boolean
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
  readonly parts: readonly Part[]
  readonly isStored: boolean
}

/** Points beyond the length that the device tells are not there: older devices know fewer. */
function placePoints(model: Model, address: number, registers: readonly number[]): PlacedPoint[] {
  const laid = layModel(model, registers).filter(({ point, offset }) => offset + point.size <= registers.length)
  const factors = new Map(
    laid.filter(({ point }) => point.type === 'sunssf').map((raw) => [raw.point.name, raw.offset]),
  )
  return laid
    .filter(({ point }) => point.label !== undefined)
    .map(({ offset, ...raw }) => {
      const factor = raw.point.scaleFactor === undefined ? undefined : factors.get(raw.point.scaleFactor)
      return {
        ...{ ...raw, address: address + offset, registers: registers.slice(offset, offset + raw.point.size) },
        ...(factor === undefined ? {} : { factorAddress: address + factor }),
      }
    })
}

type Count = (name: string) => number | undefined

/** A model from its first point to its last group. */
function layModel(model: Model, registers: readonly number[]): Raw[] {
  const fixed = inOrder(model.points, { from: 0, parts: [], isStored: false })
  const count: Count = (name) => {
    const raw = fixed.find(({ point }) => point.name === name)
    const own = raw && registers.slice(raw.offset, raw.offset + 1)
    return raw && own && isImplemented({ point: raw.point, registers: own }) ? own[0] : undefined
  }
  const named = model.isNamed ? [{ label: model.label }] : []
  const indexed = [...model.index].map(([name, label]) => numbered(label, count(name)))
  const parts = [...named, ...indexed]
  const of = { count, length: registers.length, isStored: false }
  return [
    ...fixed.map((raw) => ({ ...raw, parts })),
    ...layGroups(model.groups, { ...of, from: sizeOf(model.points), parts }),
  ]
}

const numbered = (label: LocalizedText, number: number | undefined): Part =>
  number === undefined ? { label } : { label, number }

interface Ground {
  /** Where the next register lies, from the first of the model. */
  readonly from: number
  readonly length: number
  readonly count: Count
  readonly parts: readonly Part[]
  readonly isStored: boolean
}

/** Groups one behind the other, each as often as it stands there. */
function layGroups(groups: readonly Group[], ground: Ground): Raw[] {
  let from = ground.from
  return groups.flatMap((group) => {
    const size = wholeSize(group, ground.count)
    const times = timesOf(group, size, { ...ground, from })
    const laid = Array.from({ length: times }, (_, i) => layOne(group, i + 1, { ...ground, from: from + i * size }))
    from += times * size
    return laid.flat()
  })
}

function layOne(group: Group, number: number, ground: Ground): Raw[] {
  const parts = [...ground.parts, group.times === 'once' ? { label: group.label } : numbered(group.label, number)]
  const isStored = ground.isStored || (group.isSets && number > 1)
  const own = { ...ground, parts, isStored }
  return [
    ...inOrder(group.points, own),
    ...layGroups(group.groups, { ...own, from: ground.from + sizeOf(group.points) }),
  ]
}

/** As many groups as the length holds, whatever a count says of them; a count within a group counts. */
function timesOf({ times }: Group, size: number, { from, length, count }: Ground): number {
  if (times === 'once') return 1
  const most = Math.max(0, Math.floor((length - from) / size))
  return times === 'rest' ? most : Math.min(most, count(times.count) ?? 0)
}

/** Registers of a group and all within. */
function wholeSize({ points, groups }: Group, count: Count): number {
  return groups.reduce((sum, group) => sum + timesWithin(group, count) * wholeSize(group, count), sizeOf(points))
}

const timesWithin = ({ times }: Group, count: Count): number =>
  times === 'once' ? 1 : times === 'rest' ? 0 : (count(times.count) ?? 0)

function inOrder(points: readonly Point[], { from, ...of }: Pick<Ground, 'from' | 'parts' | 'isStored'>): Raw[] {
  let offset = from
  return points.map((point) => {
    const raw = { point, offset, parts: of.parts, isStored: of.isStored }
    offset += point.size
    return raw
  })
}

const sizeOf = (points: readonly Point[]) => points.reduce((sum, { size }) => sum + size, 0)

/** False when the device does not let one of its registers be read. */
export const isReadable = ({ registers }: Pick<PlacedPoint, 'registers'>): boolean => !registers.includes(REFUSED)
