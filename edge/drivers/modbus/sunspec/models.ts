import type { LocalizedText } from '#shared/contracts/text.ts'
import type { GroupTable, Table } from './table.ts'
import { TABLES } from './tables.ts'

/** Types of the SunSpec Device Information Model, section 4; `string` takes `size` registers. */
export const POINT_SIZES = {
  int16: 1,
  uint16: 1,
  enum16: 1,
  bitfield16: 1,
  sunssf: 1,
  count: 1,
  pad: 1,
  int32: 2,
  uint32: 2,
  acc32: 2,
  bitfield32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  string: 0,
} as const
export type PointType = keyof typeof POINT_SIZES

/** One point of a model. */
export interface Point {
  /** As the standard names it: `PhVphA`. */
  readonly name: string
  readonly type: PointType
  readonly size: number
  /** Name of the point that holds its power of ten. */
  readonly scaleFactor?: string
  readonly unit?: string
  /** Undefined for points that are no tag: scale factors, counts, pads. */
  readonly label?: LocalizedText
  /** Every device that has the model has the point. */
  readonly isMandatory: boolean
  /** Words for the values of a code. */
  readonly words?: Readonly<Record<string, LocalizedText>>
}

/** How often a group stands there: `rest`, as often as the length of the model allows, or as a count point tells. */
export type Times = NonNullable<GroupTable['times']>

/** Points that come together, behind the fixed ones, once or several times, and groups within. */
export interface Group {
  readonly label: LocalizedText
  readonly points: readonly Point[]
  readonly times: Times
  /** The first set is the one in force, the others are kept for later. */
  readonly isSets: boolean
  readonly groups: readonly Group[]
}

/** What the standard says of one model, behind its id and length. */
export interface Model {
  readonly ids: readonly number[]
  readonly kind: 'common' | 'inverter' | 'meter' | 'battery'
  readonly label: LocalizedText
  /** Points whose values tell which part of the device the model is about, each with a word for the part. */
  readonly index: ReadonlyMap<string, LocalizedText>
  /** The names of its tags begin with its label. */
  readonly isNamed: boolean
  /** What changes only when somebody sets it. */
  readonly isSetting: boolean
  readonly points: readonly Point[]
  readonly groups: readonly Group[]
}

let parsed: ReadonlyMap<number, Model> | undefined

/** The models that Andon makes tags of, by id. */
export function sunspecModels(): ReadonlyMap<number, Model> {
  parsed ??= new Map(TABLES.flatMap(modelsOf).flatMap((model) => model.ids.map((id) => [id, model] as const)))
  return parsed
}

function modelsOf(table: Table): Model[] {
  const { ids, floatIds, kind, label, index = {}, isNamed = false, isSetting = false, points, groups = [] } = table
  const model: Model = {
    ...{ ids, kind, label: textOf(label), isNamed, isSetting, points: pointsOf(points), groups: groups.map(groupOf) },
    index: new Map(Object.entries(index).map(([name, word]) => [name, textOf(word)])),
  }
  return floatIds ? [model, { ...model, ids: floatIds, points: asFloats(model.points) }] : [model]
}

function groupOf({ label, points, times = 'rest', isSets = false, groups = [] }: GroupTable): Group {
  return { label: textOf(label), points: pointsOf(points), times, isSets, groups: groups.map(groupOf) }
}

/** Codes and flags stay as they are. */
function asFloats(points: readonly Point[]): Point[] {
  return points
    .filter(({ type }) => type !== 'sunssf')
    .map(({ scaleFactor: _none, ...point }) =>
      /^(enum|bitfield)/.test(point.type) ? point : { ...point, type: 'float32', size: 2 },
    )
}

const textOf = (text: string): LocalizedText => {
  const [en = '', zh = ''] = text.split('/')
  return { en, 'zh-CN': zh }
}

const pointsOf = (table: string): Point[] => table.trim().split('\n').map(pointOf)

/** `Name[!] type[:size] [scale factor] [unit] = label [; value label, …]`; `-` where there is none. */
function pointOf(line: string): Point {
  const [left = '', right = ''] = line.split('=').map((part) => part.trim())
  const [name = '', typed = '', factor = '-', unit = '-'] = left.split(/\s+/)
  const [type, size] = typed.split(':') as [PointType, string | undefined]
  const [label = '', words] = right.split(';').map((part) => part.trim())
  return {
    ...{ name: name.replace('!', ''), type, size: size === undefined ? POINT_SIZES[type] : Number(size) },
    isMandatory: name.endsWith('!'),
    ...(factor === '-' ? {} : { scaleFactor: factor }),
    ...(unit === '-' ? {} : { unit }),
    ...(label === '' ? {} : { label: textOf(label) }),
    ...(words === undefined ? {} : { words: wordsOf(words) }),
  }
}

function wordsOf(text: string): Record<string, LocalizedText> {
  const entries = text.split(',').map((part) => {
    const [, value = '', label = ''] = /^\s*(\d+)\s+(.*)$/.exec(part) ?? []
    return [value, textOf(label)] as const
  })
  return Object.fromEntries(entries)
}
