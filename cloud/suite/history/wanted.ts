import type { HistoryQuestion } from '#shared/contracts/history.ts'
import { faulty, type Place, type Span } from './input.ts'

/** How a question wants its answer cut. */
export interface WantedGrid {
  readonly method: 'buckets' | 'aggregate' | 'lttb'
  readonly points: number
  /** Undefined: as wide as `points` makes them. */
  readonly bucketMs?: number
}

const POINTS = 600
const MOST_POINTS = 10_000
/** Most buckets or points of one answer, all tags together: some 15 MB as JSON. */
const MOST_CELLS = 200_000
const FEWEST_CHOSEN = 3

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

type Fault = (code: string, field: string, words: string) => Error

/** @throws DomainError that names the field which is at fault, or which does not go with another. */
export function gridOf(question: HistoryQuestion, span: Span, place: Place): WantedGrid {
  const fault: Fault = (code, field, words) => faulty(`history.${code}`, `${place}/${field}`, words)
  const { points = POINTS, every, aggregate, tag } = question
  const tags = new Set(tag).size
  const limit = { each: Math.min(MOST_POINTS, Math.floor(MOST_CELLS / tags)), tags }
  if (question.method === 'lttb') refuseBesideChosen(question, fault)
  const method = question.method === 'lttb' ? 'lttb' : aggregate ? 'aggregate' : 'buckets'
  if (every === undefined) {
    if (points > limit.each) throw fault('points', 'points', `must be at most ${limit.each} for ${tags} tag(s)`)
    return { method, points }
  }
  if (question.points !== undefined) throw fault('every', 'every', 'goes without `points`: one of them')
  return { method, points, bucketMs: requireWide(widthOf(every), span, limit, fault) }
}

function refuseBesideChosen({ aggregate, every, points = POINTS }: HistoryQuestion, fault: Fault): void {
  if (aggregate) throw fault('method', 'method', 'chooses values, so it goes without `aggregate`')
  if (every) throw fault('method', 'method', 'chooses values to a number of `points`, so it goes without `every`')
  if (points < FEWEST_CHOSEN) throw fault('points', 'points', `must be at least ${FEWEST_CHOSEN} for this method`)
}

interface Limit {
  readonly each: number
  readonly tags: number
}

function requireWide(bucketMs: number, { from, to }: Span, { each, tags }: Limit, fault: Fault): number {
  if ((to - from) / bucketMs <= each) return bucketMs
  const shortest = Math.ceil((to - from) / each / 1000)
  throw fault('every', 'every', `must be at least ${shortest}s for this span and ${tags} tag(s)`)
}

function widthOf(every: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(every) ?? []
  return Number(count) * (UNITS[unit ?? ''] ?? 1)
}
