import type { BucketSeries } from '#cloud/pipeline/index.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import type { History, HistorySeries, RawHistory } from '#shared/contracts/tag.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { gapView, wireValue } from './view.ts'

export interface HistoryQuestion {
  readonly org: string
  readonly paths: readonly string[]
  /** RFC 3339 */
  readonly from: string
  readonly to: string
  readonly points: number
}

/** Buckets of some tags with the gaps of their devices. A tag of another organisation is unknown. */
export async function historyOf({ pipeline }: SuiteDeps, question: HistoryQuestion): Promise<History> {
  const { org, points } = question
  const [from, to] = spanOf(question)
  const tags = await Promise.all(question.paths.map((path) => ownTag(pipeline, org, path)))
  const found = await pipeline.history.buckets({ paths: tags.map((t) => t.path), from, to, points })
  const units = new Map(tags.map((tag) => [tag.path, tag.unit]))
  const devices = new Set(tags.map((tag) => tag.device))
  const gaps = await pipeline.history.gaps({ org, from, to, limit: 200 })
  const own = gaps.filter((gap) => gap.device === null || devices.has(gap.device))
  return { series: found.map((s) => seriesView(s, units.get(s.path) ?? null)), gaps: own.map(gapView) }
}

export interface RawQuestion {
  readonly org: string
  readonly tag: string
  /** RFC 3339 */
  readonly from: string
  readonly to: string
  readonly cursor?: string | undefined
  /** 1,000 unless told. */
  readonly limit?: number | undefined
}

/** Stored samples of one tag, page by page. */
export async function rawHistoryOf({ pipeline }: SuiteDeps, question: RawQuestion): Promise<RawHistory> {
  const [from, to] = spanOf(question)
  const { path } = await ownTag(pipeline, question.org, question.tag)
  const { cursor, limit = 1000 } = question
  const page = await pipeline.history.raw({ path, from, to, limit, ...(cursor ? { cursor } : {}) })
  return {
    path,
    at: [...page.at],
    value: page.value.map(wireValue),
    quality: [...page.quality],
    nextCursor: page.nextCursor,
  }
}

/** A tag of another organisation is as unknown as one that does not exist. */
async function ownTag(pipeline: SuiteDeps['pipeline'], org: string, path: string) {
  const tag = await pipeline.tag(path)
  if (tag?.org !== org) throw new DomainError('not-found', 'tag.unknown', `There is no tag ${path}`)
  return tag
}

function spanOf({ from, to }: { readonly from: string; readonly to: string }): readonly [number, number] {
  const span = [Date.parse(from), Date.parse(to)] as const
  if (!(span[0] < span[1])) throw new DomainError('invalid', 'history.empty-range', '`from` must lie before `to`')
  return span
}

function seriesView(series: BucketSeries, unit: string | null): HistorySeries {
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

const numbers = (column: Float64Array) => Array.from(column, (v) => (Number.isFinite(v) ? v : null))
