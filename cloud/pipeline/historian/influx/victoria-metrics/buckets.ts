import type { BucketColumns, BucketRequest } from '../../historian.ts'
import type { Connection } from '../connection.ts'
import type { TagSet } from '../labels.ts'
import { type BucketRow, BucketTable } from '../rows.ts'
import { type Metric, queryRange, type Series, unions } from './query.ts'

export interface Sources {
  readonly connection: Connection
  /** ms since 1970 */
  readonly now: () => number
}

/** Neighbouring buckets of one width; the first and the last of a question may be cut short by its ends. */
interface Stretch {
  readonly bucket: number
  readonly count: number
  /** Start of the first, ms since 1970. */
  readonly from: number
  readonly widthMs: number
}

type Column = Exclude<keyof BucketRow, 'tag' | 'bucket'>

/** Functions of MetricsQL and the columns that they fill; those of `t…` answer seconds. */
const FUNCTIONS: Readonly<Record<Metric, Readonly<Record<string, Column>>>> = {
  tag_value: {
    first_over_time: 'first',
    min_over_time: 'min',
    max_over_time: 'max',
    last_over_time: 'last',
    tmin_over_time: 'minAt',
    tmax_over_time: 'maxAt',
    count_over_time: 'numbers',
    sum_over_time: 'sum',
  },
  // Every value has a quality, a number or not.
  tag_quality: { count_over_time: 'count', min_over_time: 'quality', tlast_over_time: 'lastAt' },
}

/** Reads buckets by range queries, one a metric and group of tags. */
export async function readBuckets(sources: Sources, request: BucketRequest, tags: TagSet): Promise<BucketColumns> {
  const table = new BucketTable()
  for (const stretch of stretchesOf(request)) {
    await Promise.all(
      (['tag_value', 'tag_quality'] as const).map(async (metric) => {
        const window = windowOf(stretch, sources.now())
        for (const query of unions(tags, (filter) => rollups(metric, filter, window))) {
          const found = await queryRange(sources.connection, query, window)
          for (const series of found) enter({ table, tags, metric, stretch, window }, series)
        }
      }),
    )
  }
  return table.columns()
}

/** Most points that one range query may answer is 30,000 a series, unless told. */
const MOST_BUCKETS = 10_000

function* stretchesOf(request: BucketRequest): Generator<Stretch> {
  const { from, to, widthMs, origin = from } = request
  const start = (bucket: number) => origin + bucket * widthMs
  let bucket = Math.floor((from - origin) / widthMs)
  for (let at = from; at < to; at = start(bucket)) {
    const whole = start(bucket) < at ? 0 : Math.min(MOST_BUCKETS, Math.floor((to - at) / widthMs))
    if (whole > 0) yield { bucket, count: whole, from: at, widthMs }
    else yield { bucket, count: 1, from: at, widthMs: Math.min(to, start(bucket + 1)) - at }
    bucket += Math.max(1, whole)
  }
}

interface Window {
  readonly firstEnd: number
  readonly lastEnd: number
  readonly stepMs: number
  /** How much earlier than its data the query is asked. */
  readonly shiftMs: number
}

/** Within this time of now the server takes results for incomplete and repeats older ones. */
const UNSETTLED_MS = 600_000

/** A window of the server is open at its start and closed at its end, both in whole ms: it ends 1 ms before the next begins. */
function windowOf({ from, widthMs, count }: Stretch, now: number): Window {
  const lastEnd = from + count * widthMs - 1
  const shiftMs = Math.max(0, Math.ceil(lastEnd - now + UNSETTLED_MS))
  return { firstEnd: from + widthMs - 1 - shiftMs, lastEnd: lastEnd - shiftMs, stepMs: widthMs, shiftMs }
}

function rollups(metric: Metric, filter: string, { stepMs, shiftMs }: Window): string {
  const names = Object.keys(FUNCTIONS[metric]).map((name) => `"${name}"`)
  return `aggr_over_time((${names.join(', ')}), ${metric}${filter}[${stepMs}ms] offset -${shiftMs}ms)`
}

interface Entry {
  readonly table: BucketTable
  readonly tags: TagSet
  readonly metric: Metric
  readonly stretch: Stretch
  readonly window: Window
}

function enter({ table, tags, metric, stretch, window }: Entry, series: Series): void {
  const tag = tags.keyOf(series.metric)
  const name = series.metric.rollup ?? ''
  const column = FUNCTIONS[metric][name]
  if (tag === undefined || !column) return
  for (const [at, text] of series.values) {
    const bucket = stretch.bucket + Math.round((at * 1000 - window.firstEnd) / window.stepMs)
    const value = Number(text)
    table.row(tag, bucket)[column] = name.startsWith('t') ? Math.round(value * 1000) : value
  }
}
