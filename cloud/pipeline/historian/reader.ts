import type { Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { BucketQuery, BucketSeries, HistoryReader, RawPage, RawQuery } from '../contract.ts'
import type { BucketColumns, Historian, RawColumns } from './historian.ts'

export interface ReaderSources {
  readonly historian: Historian
  /** Key and type of a tag; undefined for an unknown path. */
  readonly find: (path: string) => { readonly key: number; readonly type: ScalarType } | undefined
  readonly gaps: HistoryReader['gaps']
  readonly retention: HistoryReader['retention']
}

const MOST_RAW = 100_000
const MOST_POINTS = 10_000

/** Reads history by path; knows nothing of organisations, so that whoever asks must have checked the paths. */
export function historyReader({ historian, find, gaps, retention }: ReaderSources): HistoryReader {
  return {
    gaps,
    retention,
    async buckets(query) {
      const known = knownOf(find, query.paths)
      if (known.length === 0 || query.to <= query.from) return []
      const { bucketMs, origin } = bucketGrid(query)
      const tags = known.map((tag) => tag.key)
      const { from, to } = query
      const columns = await historian.buckets({ tags, from, to, widthMs: bucketMs, origin })
      return known.map(({ path, key }) => seriesOf(columns, key, { path, from, bucketMs, origin }))
    },
    async raw(query) {
      const tag = find(query.path)
      return tag ? readPage(historian, tag, query) : EMPTY
    },
    async last(paths, before) {
      const known = new Map(knownOf(find, paths).map((tag) => [tag.key, tag]))
      const found = await historian.last([...known.keys()], before)
      return found.flatMap(({ tag, sourceAt, value, quality }) => {
        const own = known.get(tag)
        return own ? [{ path: own.path, at: sourceAt, value: typed(value, own.type), quality }] : []
      })
    },
  }
}

const EMPTY: RawPage = { at: new Float64Array(0), value: [], quality: new Uint8Array(0), nextCursor: null }

interface KnownTag {
  readonly path: string
  readonly key: number
  readonly type: ScalarType
}

const knownOf = (find: ReaderSources['find'], paths: readonly string[]): KnownTag[] =>
  paths.flatMap((path) => {
    const tag = find(path)
    return tag ? [{ path, ...tag }] : []
  })

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** From this width on a rounding to whole hours loses little. */
const HOURS_FROM_MS = 4 * HOUR_MS

interface Grid {
  readonly bucketMs: number
  readonly origin: number
}

/** Buckets that history can make of its roll-ups, where they are a minute wide or more. */
function bucketGrid({ from, to, points, bucketMs }: BucketQuery): Grid {
  if (bucketMs !== undefined) {
    const whole = Math.max(1, Math.trunc(bucketMs))
    return gridOf(from, whole * Math.max(1, Math.ceil((to - from) / whole / MOST_POINTS)))
  }
  const most = Math.min(MOST_POINTS, Math.max(1, Math.trunc(points)))
  const width = Math.ceil((to - from) / most)
  if (width < MINUTE_MS) return { bucketMs: Math.max(1, width), origin: from }
  const unit = width < HOURS_FROM_MS ? MINUTE_MS : HOUR_MS
  const grid = gridOf(from, Math.ceil(width / unit) * unit)
  // Where the span begins within a bucket there may be one too many.
  return to - grid.origin <= most * grid.bucketMs ? grid : gridOf(from, grid.bucketMs + unit)
}

const gridOf = (from: number, bucketMs: number): Grid => ({ bucketMs, origin: Math.floor(from / bucketMs) * bucketMs })

/** The rows of one tag; rows are ordered by tag, so that they are one run. */
function seriesOf(
  columns: BucketColumns,
  key: number,
  { path, from, bucketMs, origin }: Grid & { readonly path: string; readonly from: number },
): BucketSeries {
  const start = lowerBound(columns.tag, key)
  const end = lowerBound(columns.tag, key + 1)
  const run = (column: Float64Array) => column.slice(start, end)
  return {
    path,
    bucketMs,
    at: run(columns.bucket).map((bucket) => Math.max(from, origin + bucket * bucketMs)),
    first: run(columns.first),
    min: run(columns.min),
    max: run(columns.max),
    last: run(columns.last),
    minAt: run(columns.minAt),
    maxAt: run(columns.maxAt),
    lastAt: run(columns.lastAt),
    count: Uint32Array.from(run(columns.count)),
    sum: run(columns.sum).map((sum, row) => (columns.numbers[start + row] ? sum : Number.NaN)),
    mean: run(columns.sum).map((sum, row) => sum / (columns.numbers[start + row] ?? 0)),
    quality: Uint8Array.from(run(columns.quality)),
  }
}

function lowerBound(sorted: Float64Array, wanted: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

async function readPage(
  historian: Historian,
  tag: { readonly key: number; readonly type: ScalarType },
  query: RawQuery,
): Promise<RawPage> {
  const limit = Math.min(MOST_RAW, Math.max(1, Math.trunc(query.limit)))
  const start = parseCursor(query)
  const columns = await historian.raw({
    tag: tag.key,
    from: start.from,
    to: query.to,
    limit: limit + 1,
    skip: start.skip,
  })
  const count = Math.min(limit, columns.at.length)
  const at = columns.at.slice(0, count)
  return {
    at,
    value: Array.from({ length: count }, (_, index) => valueAt(columns, index, tag.type)),
    quality: Uint8Array.from(columns.q.subarray(0, count)),
    nextCursor: columns.at.length > limit ? nextCursor(at, start) : null,
  }
}

interface Start {
  readonly from: number
  readonly skip: number
}

/** A cursor is `<time>.<values at that time already given>`; without one it starts at the beginning. */
function parseCursor({ cursor, from }: RawQuery): Start {
  const match = /^(\d{1,16})\.(\d{1,9})$/.exec(cursor ?? '')
  return match ? { from: Number(match[1]), skip: Number(match[2]) } : { from, skip: 0 }
}

function nextCursor(at: Float64Array, start: Start): string {
  const last = at.at(-1) ?? 0
  let given = last === start.from ? start.skip : 0
  for (let i = at.length - 1; i >= 0 && at[i] === last; i--) given += 1
  return `${last}.${given}`
}

function valueAt(columns: RawColumns, index: number, type: ScalarType): Scalar {
  const text = columns.text[index] ?? null
  if (type === 'string') return text
  if (text !== null) return BigInt(text)
  const wide = columns.wide[index] ?? null
  if (wide !== null) return wide
  const number = columns.v[index] ?? Number.NaN
  if (Number.isNaN(number)) return null
  if (type === 'boolean') return number !== 0
  // External engines keep integers as numbers, and the digits of the widest as text.
  return type === 'int64' || type === 'uint64' ? BigInt(number) : number
}

/** History keeps booleans as numbers, and what no 64 signed bits hold in decimal. */
function typed(value: Scalar, type: ScalarType): Scalar {
  if (type === 'boolean' && typeof value === 'number') return value !== 0
  return typeof value === 'string' && type !== 'string' ? BigInt(value) : value
}
