import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BucketSeries, choosePoints, HistoryTimeoutError, type Pipeline } from '#cloud/pipeline/index.ts'
import { wireValue } from '#cloud/platform/realtime/values.ts'
import type {
  Aggregate,
  AggregateSeries,
  HistoryAnswer,
  HistoryQuestion,
  HistorySeries,
  LastQuestion,
  LastValues,
  PointSeries,
  RawHistory,
  RawQuestion,
  Retained,
  RetentionQuestion,
} from '#shared/contracts/history.ts'
import { gapView } from '../edges/index.ts'
import { faulty, gapsOf, inTime, type OwnTag, ownTags, type Place, type Span, spanOf } from './input.ts'
import { gridOf, type WantedGrid } from './wanted.ts'

/** Who asks, and whom. */
export interface Asking {
  readonly org: string
  readonly pipeline: Pick<Pipeline, 'tag' | 'history'>
  readonly place: Place
  /** Chosen values of many tags are given up after this time; 20 s unless told. */
  readonly limitMs?: number
}

interface Answering extends Span {
  readonly history: Pipeline['history']
  readonly tags: readonly OwnTag[]
  readonly grid: WantedGrid
  readonly limitMs: number
}

const LIMIT_MS = 20_000

/** Answers a question about some tags, with the gaps of their devices, as JSON. */
export async function answerHistory(asking: Asking, question: HistoryQuestion): Promise<string> {
  const { org, pipeline, place, limitMs = LIMIT_MS } = asking
  const span = spanOf(question, place)
  const grid = gridOf(question, span, place)
  const tags = await ownTags(pipeline, org, question.tag, `${place}/tag`)
  const answering = { ...span, history: pipeline.history, tags, grid, limitMs }
  const [series, gaps] = await Promise.all([
    inTime(() => seriesOf(answering, question.aggregate)),
    gapsOf(pipeline.history, org, tags, span),
  ])
  return written({ method: grid.method, series, gaps: gaps.map(gapView) } as HistoryAnswer)
}

/** Series by series with turns between, because the thread that writes it also tells alarms. */
async function written({ method, series, gaps }: HistoryAnswer): Promise<string> {
  const pieces: string[] = []
  for (const one of series) {
    pieces.push(JSON.stringify(one))
    await nextTurn()
  }
  return `{"method":"${method}","series":[${pieces.join(',')}],"gaps":${JSON.stringify(gaps)}}`
}

async function seriesOf(
  answering: Answering,
  aggregates: readonly Aggregate[] | undefined,
): Promise<HistoryAnswer['series']> {
  const { history, tags, from, to, grid } = answering
  const units = new Map(tags.map((tag) => [tag.path, tag.unit]))
  const unitOf = (path: string) => units.get(path) ?? null
  const { points, bucketMs } = grid
  if (grid.method === 'lttb') return chosenOf(answering)
  const paths = tags.map((tag) => tag.path)
  const found = await history.buckets({ paths, from, to, points, ...(bucketMs ? { bucketMs } : {}) })
  if (aggregates) return found.map((series) => aggregated(series, unitOf(series.path), aggregates))
  return found.map((series) => bucketsView(series, unitOf(series.path)))
}

/** One tag after the other, so that values of one alone are in memory. @throws HistoryTimeoutError for all together too. */
async function chosenOf({ history, tags, from, to, grid, limitMs }: Answering): Promise<PointSeries[]> {
  const end = performance.now() + limitMs
  const chosen: PointSeries[] = []
  for (const { path, unit } of tags) {
    if (performance.now() > end) throw new HistoryTimeoutError(`Choosing values took more than ${limitMs} ms`)
    const { at, value, ...rest } = await choosePoints(history, { path, from, to, points: grid.points })
    chosen.push({ path, unit, at: [...at], value: [...value], ...rest })
  }
  return chosen
}

function bucketsView(series: BucketSeries, unit: string | null): HistorySeries {
  const { path, bucketMs } = series
  return {
    ...{ path, unit, bucketMs },
    at: [...series.at],
    first: numbers(series.first),
    min: numbers(series.min),
    max: numbers(series.max),
    last: numbers(series.last),
    minAt: [...series.minAt],
    maxAt: [...series.maxAt],
    lastAt: [...series.lastAt],
    count: [...series.count],
    quality: [...series.quality],
  }
}

function aggregated(series: BucketSeries, unit: string | null, wanted: readonly Aggregate[]): AggregateSeries {
  const { path, bucketMs, at, quality } = series
  const columns = wanted.map((aggregate) => [aggregate, columnOf(series, aggregate)])
  return { path, unit, bucketMs, at: [...at], quality: [...quality], ...Object.fromEntries(columns) }
}

function columnOf(series: BucketSeries, aggregate: Aggregate): (number | null)[] {
  if (aggregate === 'count') return [...series.count]
  return numbers(aggregate === 'avg' ? series.mean : series[aggregate])
}

const numbers = (column: Float64Array) => Array.from(column, (v) => (Number.isFinite(v) ? v : null))

/** Stored samples of one tag, page by page. */
export async function rawHistoryOf({ org, pipeline, place }: Asking, question: RawQuestion): Promise<RawHistory> {
  const span = spanOf(question, place)
  const [tag] = await ownTags(pipeline, org, [question.tag], `${place}/tag`)
  const { cursor, limit = 1000 } = question
  const path = tag?.path ?? question.tag
  const page = await inTime(() => pipeline.history.raw({ path, ...span, limit, ...(cursor ? { cursor } : {}) }))
  return {
    path,
    at: [...page.at],
    value: page.value.map(wireValue),
    quality: [...page.quality],
    nextCursor: page.nextCursor,
  }
}

/** The newest stored value of each tag, before a time where one is given. */
export async function lastValuesOf({ org, pipeline, place }: Asking, question: LastQuestion): Promise<LastValues> {
  const tags = await ownTags(pipeline, org, question.tag, `${place}/tag`)
  const before = question.before === undefined ? undefined : Date.parse(question.before)
  if (Number.isNaN(before)) throw faulty('history.before', `${place}/before`, 'is no time')
  const paths = tags.map((tag) => tag.path)
  const found = await inTime(() => pipeline.history.last(paths, before))
  const order = new Map(paths.map((path, index) => [path, index]))
  return {
    items: found
      .toSorted((a, b) => (order.get(a.path) ?? 0) - (order.get(b.path) ?? 0))
      .map(({ path, at, value, quality }) => ({
        ...{ path, at: new Date(at).toISOString(), value: wireValue(value), quality },
      })),
  }
}

/** How long the tags are kept, and up to when they were removed. */
export async function retainedOf({ org, pipeline, place }: Asking, question: RetentionQuestion): Promise<Retained> {
  const tags = await ownTags(pipeline, org, question.tag, `${place}/tag`)
  const kept = await inTime(() => pipeline.history.retention(tags.map((tag) => tag.path)))
  const instant = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  return {
    items: kept.map(({ removedUntil: { values, minutes, hours }, ...own }) => ({
      ...own,
      removedUntil: { values: instant(values), minutes: instant(minutes), hours: instant(hours) },
    })),
  }
}
