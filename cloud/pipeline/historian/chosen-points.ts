import type { HistoryReader } from '../contract.ts'
import { lttb } from './lttb.ts'

export interface ChosenQuery {
  readonly path: string
  /** ms since 1970; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** 3 or more. */
  readonly points: number
}

/** Values of one tag that look like all of them. Times in ms since 1970. */
export interface ChosenPoints {
  readonly at: Float64Array
  readonly value: Float64Array
  /** What they were chosen from: every value, or the extremes of some buckets a point. */
  readonly from: 'values' | 'extremes'
}

/** More values than this are not read one by one; their extremes are chosen first. */
const MOST_VALUES = 100_000
/** As many as keep the line indistinguishable (Van Der Donckt et al., "MinMaxLTTB", 2023). */
const BUCKETS_A_POINT = 4

type History = Pick<HistoryReader, 'buckets' | 'raw' | 'last'>

/** Chooses by largest triangle, three buckets, through any history; what is no number is left out. */
export async function choosePoints(history: History, query: ChosenQuery): Promise<ChosenPoints> {
  const { path, from, to, points } = query
  const [series] = await history.buckets({ paths: [path], from, to, points: points * BUCKETS_A_POINT })
  const count = series?.count.reduce((sum, own) => sum + own, 0) ?? 0
  const found =
    series && count > MOST_VALUES ? await extremesOf(history, query, series) : await numbersOf(history, query)
  const chosen = lttb(found.at, found.value, points)
  return {
    at: Float64Array.from(chosen, (place) => found.at[place] as number),
    value: Float64Array.from(chosen, (place) => found.value[place] as number),
    from: count > MOST_VALUES ? 'extremes' : 'values',
  }
}

interface Line {
  readonly at: Float64Array
  readonly value: Float64Array
}

async function numbersOf(history: History, { path, from, to }: ChosenQuery): Promise<Line> {
  const page = await history.raw({ path, from, to, limit: MOST_VALUES })
  const numbers = page.value.map((value) => (value === null || typeof value === 'string' ? Number.NaN : Number(value)))
  const isNumber = (_: unknown, row: number) => Number.isFinite(numbers[row])
  return { at: page.at.filter(isNumber), value: Float64Array.from(numbers.filter(isNumber)) }
}

type Series = Awaited<ReturnType<HistoryReader['buckets']>>[number]

/** Lowest and highest value of each bucket at their times, between the first and the last value of all. */
async function extremesOf(history: History, { path, from, to }: ChosenQuery, series: Series): Promise<Line> {
  const [{ at: starts, value: starting }, [newest]] = await Promise.all([
    history.raw({ path, from, to, limit: 1 }),
    history.last([path], to),
  ])
  const rows: (readonly [number, number])[] = [[starts[0] ?? from, Number(starting[0] ?? Number.NaN)]]
  for (let row = 0; row < series.at.length; row++) {
    const low = [series.minAt[row] as number, series.min[row] as number] as const
    const high = [series.maxAt[row] as number, series.max[row] as number] as const
    rows.push(...(low[0] <= high[0] ? [low, high] : [high, low]))
  }
  if (newest) rows.push([newest.at, Number(newest.value ?? Number.NaN)])
  const rising = rows.filter(([at, value], row) => Number.isFinite(value) && at > (rows[row - 1]?.[0] ?? -1))
  return {
    at: Float64Array.from(rising, ([at]) => at),
    value: Float64Array.from(rising, ([, value]) => value),
  }
}
