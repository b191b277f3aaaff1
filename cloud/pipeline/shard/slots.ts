import type { ScalarType } from '#shared/contracts/sample.ts'
import type { OffsetAliases } from '#shared/sparkplug/completeness.ts'
import { AliasTable } from '#shared/sparkplug/data-columns.ts'
import type { SparkplugType } from '#shared/sparkplug/datatype.ts'
import {
  ALARM_EVENT,
  FIRST_OFFSET,
  GAP,
  isProtocolMetric,
  LAST_OFFSET,
  STATUS,
  UNIT_PROPERTY,
} from '#shared/sparkplug/metric-names.ts'
import type { Alias, Payload } from '#shared/sparkplug/payload.ts'
import type { TagState } from './tag-state.ts'

/** What a metric is to the host. `other`: a metric of the protocol, or of a type that Andon does not read. */
export type Role = 'tag' | 'gap' | 'alarm-event' | 'report' | 'other'

/** A metric as its birth announced it; data is read through it by alias. */
export interface Slot {
  readonly role: Role
  readonly type: SparkplugType
  /** Only and always for a tag. */
  readonly tag: TagState | undefined
}

/** A metric of a birth, kept so that a restarted host can read data by alias before the next birth. */
export interface BornMetric {
  readonly name: string
  /** Decimal; null for metrics written by name. */
  readonly alias: string | null
  readonly type: SparkplugType | null
  readonly unit: string | null
}

/** Metrics of the node or of one device, found by alias or by name. */
export interface Born {
  readonly byAlias: Map<Alias, Slot>
  readonly byName: Map<string, Slot>
  readonly offsets: OffsetAliases
  /** Tags by alias, for the data path over columns. Its slots are places in the columns of the device. */
  readonly aliases: AliasTable
}

export const NOTHING_BORN: Born = {
  aliases: new AliasTable(),
  byAlias: new Map(),
  byName: new Map(),
  offsets: { first: undefined, last: undefined },
}

/** The device under which tags of a third-party edge node itself are listed. */
export const NODE_DEVICE = '_node'

/** Longer names and units than these, and such with control characters, would break paths and tables. */
const MAX_NAME = 200
const MAX_UNIT = 40
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be stored
const CONTROL = /[\u0000-\u001f\u007f]/

/** True for a text that may become part of a path or a column. */
export const isStorable = (text: string, longest = MAX_NAME): boolean =>
  text !== '' && text.length <= longest && !CONTROL.test(text)

/** Reads the metrics of a birth. One whose name cannot be stored is kept without it and its type, so that its data are skipped. */
export function bornMetrics(payload: Payload): BornMetric[] {
  const metrics: BornMetric[] = []
  for (let i = 0; i < payload.count; i++) {
    const name = payload.name(i) ?? ''
    const isNamed = isStorable(name)
    metrics.push({
      name: isNamed ? name : `metric ${i} without a usable name`,
      alias: payload.alias(i)?.toString() ?? null,
      type: isNamed ? (payload.typeOf(i) ?? null) : null,
      unit: unitOf(payload, i),
    })
  }
  return metrics
}

function unitOf(payload: Payload, index: number): string | null {
  const unit = payload.property(index, UNIT_PROPERTY)?.value
  return typeof unit === 'string' && isStorable(unit, MAX_UNIT) ? unit : null
}

/** True for a metric that becomes a tag. */
export const isTagMetric = (metric: BornMetric): boolean => metric.type !== null && !isProtocolMetric(metric.name)

/** How a tag of a Sparkplug type is listed: texts of all kinds are strings. */
export const tagType = (type: SparkplugType): ScalarType =>
  type === 'text' || type === 'uuid' || type === 'bytes' ? 'string' : type

/** Makes the table by which data are read, from a birth's metrics and the tags they became. */
export function bornTable(metrics: readonly BornMetric[], tagOf: (name: string) => TagState | undefined): Born {
  const byAlias = new Map<Alias, Slot>()
  const byName = new Map<string, Slot>()
  for (const metric of metrics) {
    const tag = isTagMetric(metric) ? tagOf(metric.name) : undefined
    const slot = { role: tag ? 'tag' : roleOf(metric.name), type: metric.type ?? 'string', tag } as const
    byName.set(metric.name, slot)
    const alias = aliasOf(metric)
    if (alias !== undefined) byAlias.set(alias, slot)
  }
  const offset = (name: string) => metrics.filter((metric) => metric.name === name).map(aliasOf)[0]
  const offsets = { first: offset(FIRST_OFFSET), last: offset(LAST_OFFSET) }
  return { byAlias, byName, offsets, aliases: aliasTable(byAlias, offsets) }
}

/** Aliases beyond 2^53, and what is no tag, are left to the path over objects. */
function aliasTable(byAlias: ReadonlyMap<Alias, Slot>, { first, last }: OffsetAliases): AliasTable {
  const table = new AliasTable()
  for (const [alias, { tag, type }] of byAlias) {
    if (tag && typeof alias === 'number') table.set(alias, tag.place, type)
  }
  if (typeof first === 'number') table.firstOffsetAlias = first
  if (typeof last === 'number') table.lastOffsetAlias = last
  return table
}

function roleOf(name: string): Role {
  if (name === GAP) return 'gap'
  if (name === STATUS) return 'report'
  return name === ALARM_EVENT ? 'alarm-event' : 'other'
}

function aliasOf({ alias }: BornMetric): Alias | undefined {
  if (alias === null) return undefined
  const number = Number(alias)
  return Number.isSafeInteger(number) ? number : BigInt(alias)
}

/** The slot of a metric of data; undefined when no birth announced it. */
export function slotOf(born: Born, payload: Payload, index: number): Slot | undefined {
  const alias = payload.alias(index)
  if (alias !== undefined) return born.byAlias.get(alias)
  const name = payload.name(index)
  return name === undefined ? undefined : born.byName.get(name)
}
