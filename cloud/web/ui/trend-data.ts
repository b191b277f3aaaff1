import type { HistorySeries } from '#shared/contracts/history.ts'
import type { LiveValue } from '#shared/contracts/tag.ts'

/** A curve: times in seconds since 1970, rising; null breaks the line. */
export interface Curve {
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
}

/** A stretch without trustworthy values, in seconds since 1970. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

/**
 * Turns buckets into a curve that keeps every extreme: first, min, max and last of each bucket in their order of time.
 * `gaps` break the line, and so does a bucket of bad values.
 */
export function curveOf(series: HistorySeries, gaps: readonly Stretch[]): Curve {
  const x: number[] = []
  const y: (number | null)[] = []
  series.at.forEach((at, i) => {
    const before = x.at(-1)
    const isBroken = before !== undefined && gaps.some((gap) => gap.from < at / 1000 && gap.to > before)
    if (isBroken) push(x, y, before + 0.001, null)
    const points = series.quality[i] === 0 ? ([[at, null]] as const) : pointsOf(series, i)
    hold(x, y, (points[0]?.[0] ?? at) / 1000, series.bucketMs / 1000)
    for (const [time, value] of points) push(x, y, time / 1000, value)
  })
  return { x, y }
}

/** The up to four points of a bucket in order of time, each once. */
function pointsOf(series: HistorySeries, i: number): (readonly [number, number])[] {
  const all: (readonly [number | undefined, number | null | undefined])[] = [
    [series.at[i], series.first[i]],
    [series.minAt[i], series.min[i]],
    [series.maxAt[i], series.max[i]],
    [series.lastAt[i], series.last[i]],
  ]
  const known = all.filter((p): p is readonly [number, number] => typeof p[0] === 'number' && typeof p[1] === 'number')
  return known.sort((a, b) => a[0] - b[0]).filter((p, n, sorted) => p[0] !== sorted[n - 1]?.[0])
}

/** Seconds between two values beyond which the first one is drawn as standing until the second. */
const LONGEST_SLOPE_S = 1.5

/** A value that was reported by exception stood until the next one came: no slope is drawn over the time between. */
function hold(x: number[], y: (number | null)[], until: number, bucketS = 0): void {
  const [at, value] = [x.at(-1), y.at(-1)]
  if (at === undefined || value === undefined || value === null) return
  if (until - at > Math.max(LONGEST_SLOPE_S, bucketS * LONGEST_SLOPE_S)) push(x, y, until - 0.0005, value)
}

function push(x: number[], y: (number | null)[], time: number, value: number | null): void {
  const last = x.at(-1)
  x.push(last !== undefined && time <= last ? last + 0.0005 : time)
  y.push(value)
}

/** Adds live values behind the history of their tag; values that history has already are left out. */
export function withLive(curve: Curve, live: readonly LiveValue[]): Curve {
  const x = [...curve.x]
  const y = [...curve.y]
  for (const value of live) {
    const time = value.sourceAt === null ? Number.NaN : Date.parse(value.sourceAt) / 1000
    if (!(time > (x.at(-1) ?? Number.NEGATIVE_INFINITY))) continue
    hold(x, y, time)
    x.push(time)
    y.push(numberOf(value))
  }
  return { x, y }
}

function numberOf(live: LiveValue): number | null {
  if (live.quality === 'bad' || live.quality === 'stale') return null
  if (typeof live.value === 'number') return live.value
  return typeof live.value === 'boolean' ? Number(live.value) : null
}

/** Holds the last value up to `until`: a tag that reports by exception has not vanished, it has not changed. */
export function heldUntil(curve: Curve, until: number): Curve {
  const [lastX, lastY] = [curve.x.at(-1), curve.y.at(-1)]
  if (lastX === undefined || lastY === undefined || lastY === null || until <= lastX) return curve
  return { x: [...curve.x, until], y: [...curve.y, lastY] }
}

/** Scale of one axis: the data with some air, and those limits that do not squeeze the data to under a third. */
export function scaleOf(min: number, max: number, limits: readonly number[]): [number, number] {
  const span = max - min || Math.max(Math.abs(max) * 0.1, 1)
  const near = limits.filter((limit) => limit > min - span * 2 && limit < max + span * 2)
  const [low, high] = [Math.min(min, ...near), Math.max(max, ...near)]
  const air = (high - low || span) * 0.08
  return [low - air, high + air]
}

/** Value of a curve at a time: the newest one not after it. */
export function valueAt(curve: Curve, time: number): number | null {
  let [low, high] = [0, curve.x.length - 1]
  if (high < 0 || time < (curve.x[0] ?? 0)) return null
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((curve.x[middle] ?? 0) <= time) low = middle
    else high = middle - 1
  }
  return curve.y[low] ?? null
}
