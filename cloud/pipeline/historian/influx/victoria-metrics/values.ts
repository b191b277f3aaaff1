import type { Quality } from '#shared/contracts/sample.ts'
import type { LastValue, RawColumns, RawRequest } from '../../historian.ts'
import type { Connection } from '../connection.ts'
import { type TagSet, tagSet } from '../labels.ts'
import { type Metric, queryAt, type Series, selectors, unions } from './query.ts'

export interface ValueSources {
  readonly connection: Connection
  /** ms since 1970 */
  readonly now: () => number
  readonly retentionMs: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A window that begins before 1970 finds nothing at all. */
const DAWN = DAY_MS
/** The furthest ahead that a value can lie. */
const AHEAD_MS = 2 * DAY_MS

interface Samples {
  readonly at: number[]
  readonly v: number[]
}

interface Exported {
  readonly timestamps: readonly number[]
  readonly values: readonly (number | null)[]
}

/** Samples of one tag in [from, to), in time order. */
async function readSamples(connection: Connection, metric: Metric, tags: TagSet, span: Span): Promise<Samples> {
  const samples: Samples = { at: [], v: [] }
  for (const selector of selectors(metric, tags)) {
    const form = { 'match[]': selector, start: String(span.from / 1000), end: String((span.to - 1) / 1000) }
    const text = (await connection.ask('/api/v1/export', form)).toString()
    for (const line of text.split('\n')) if (line !== '') addLine(samples, JSON.parse(line) as Exported)
  }
  return samples
}

function addLine({ at, v }: Samples, { timestamps, values }: Exported): void {
  for (const time of timestamps) at.push(time)
  for (const value of values) v.push(value ?? Number.NaN)
}

interface Span {
  readonly from: number
  readonly to: number
}

/** The part of a span that can hold values; the server does not answer windows of all times. */
function kept({ now, retentionMs }: ValueSources, { from, to }: Span): Span {
  return { from: Math.max(from, DAWN, Math.floor(now() - retentionMs)), to: Math.min(to, Math.ceil(now() + AHEAD_MS)) }
}

/**
 * Reads values of one tag. The export knows no limit, so that the span is cut by how many values it holds: a month is not
 * sent over for its first page.
 */
export async function readRaw(sources: ValueSources, request: RawRequest, tags: TagSet): Promise<RawColumns> {
  const { connection } = sources
  const { limit, skip } = request
  const { from, to } = kept(sources, request)
  const held = tags.tags.length === 0 ? 0 : await countIn(connection, tags, { from, to })
  const wanted = Math.min(held, limit + skip)
  const [at, v, q] = [new Float64Array(wanted), new Float64Array(wanted), new Float64Array(wanted)]
  let count = 0
  // Half as wide again as evenly spread values need, then wider.
  let width = Math.ceil((to - from) * Math.min(1, (1.5 * wanted) / Math.max(1, held)))
  for (let next = from; count < wanted && next < to; width *= 4) {
    const span = { from: next, to: Math.min(to, next + width) }
    const [qualities, numbers] = await Promise.all([
      readSamples(connection, 'tag_quality', tags, span),
      readSamples(connection, 'tag_value', tags, span),
    ])
    count = join({ at, v, q, count }, qualities, numbers)
    next = span.to
  }
  const part = (column: Float64Array) => column.slice(Math.min(skip, count), count)
  return { at: part(at), v: part(v), q: part(q), wide: [], text: [] }
}

async function countIn(connection: Connection, tags: TagSet, { from, to }: Span): Promise<number> {
  const length = Math.ceil(to - from)
  if (length <= 0) return 0
  const [query = ''] = unions(tags, (filter) => `count_over_time(tag_quality${filter}[${length}ms])`)
  const [series] = await queryAt(connection, query, to - 1)
  return Number(series?.values[0]?.[1] ?? 0)
}

interface Rows {
  readonly at: Float64Array
  readonly v: Float64Array
  readonly q: Float64Array
  readonly count: number
}

/** Lays numbers beside their qualities; a quality without a number is a value that is none. Returns the new count. */
function join(rows: Rows, qualities: Samples, numbers: Samples): number {
  let count = rows.count
  let n = 0
  for (let i = 0; i < qualities.at.length && count < rows.at.length; i++) {
    const at = qualities.at[i] as number
    while ((numbers.at[n] ?? Number.POSITIVE_INFINITY) < at) n++
    rows.at[count] = at
    rows.v[count] = numbers.at[n] === at ? (numbers.v[n] as number) : Number.NaN
    rows.q[count] = qualities.v[i] as number
    count++
  }
  return count
}

/** Looks back further and further, since looking back for ever reads everything that a tag ever had. */
export async function readLast(sources: ValueSources, tags: TagSet, before: number): Promise<LastValue[]> {
  const end = Math.min(before, sources.now() + AHEAD_MS) - 1
  const found = new Map<number, LastValue>()
  for (const back of [HOUR_MS, DAY_MS, 31 * DAY_MS, sources.retentionMs]) {
    const open = tags.tags.filter(({ key }) => !found.has(key))
    if (open.length === 0) break
    const rest = tagSet(open)
    // Without a time to look before, values may lie ahead of now.
    const window = Math.min(back + Math.max(0, end - sources.now()), end - DAWN)
    if (window <= 0) break
    for (const value of await newestWithin(sources.connection, rest, end, window)) found.set(value.tag, value)
  }
  return [...found.values()]
}

async function newestWithin(connection: Connection, tags: TagSet, end: number, back: number): Promise<LastValue[]> {
  const [qualities, numbers] = await Promise.all([
    newestOf(connection, 'tag_quality', tags, { end, back }),
    newestOf(connection, 'tag_value', tags, { end, back }),
  ])
  return [...qualities].map(([tag, { at, v }]) => {
    const number = numbers.get(tag)
    const value = number?.at === at ? number.v : null
    return { tag, sourceAt: at, value, quality: v as Quality }
  })
}

interface Newest {
  at: number
  v: number
}

interface Back {
  readonly end: number
  /** ms before the end */
  readonly back: number
}

const NEWEST = '("last_over_time", "tlast_over_time")'

async function newestOf(
  connection: Connection,
  metric: Metric,
  tags: TagSet,
  { end, back }: Back,
): Promise<Map<number, Newest>> {
  const newest = new Map<number, Newest>()
  for (const query of unions(tags, (filter) => `aggr_over_time(${NEWEST}, ${metric}${filter}[${back}ms])`)) {
    for (const series of await queryAt(connection, query, end)) enterNewest(newest, tags, series)
  }
  return newest
}

function enterNewest(newest: Map<number, Newest>, tags: TagSet, { metric: labels, values }: Series): void {
  const key = tags.keyOf(labels)
  if (key === undefined) return
  const entry = newest.get(key) ?? { at: Number.NaN, v: Number.NaN }
  const value = Number(values[0]?.[1] ?? Number.NaN)
  if (labels.rollup === 'tlast_over_time') entry.at = Math.round(value * 1000)
  else entry.v = value
  newest.set(key, entry)
}
