import type { RoundTrips } from '../driver.ts'

/** Upper bounds in ms; from a fast TCP device to a slow serial line behind a radio. */
const BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] as const
/** Percentiles are of so many replies: enough to see a change within a minute on a slow line. */
const LATEST = 256

/** Counts how long replies took: a few additions for each, the sorting only when somebody looks. */
export interface RoundTripMeter {
  count(ms: number): void
  read(): RoundTrips
}

export function createRoundTripMeter(): RoundTripMeter {
  const latest = new Float64Array(LATEST)
  const counts = new Float64Array(BOUNDS.length + 1)
  let total = 0
  let sumMs = 0
  return {
    count(ms) {
      latest[total % LATEST] = ms
      total++
      sumMs += ms
      const at = BOUNDS.findIndex((bound) => ms <= bound)
      const slot = at < 0 ? BOUNDS.length : at
      counts[slot] = (counts[slot] ?? 0) + 1
    },
    read() {
      const sorted = latest.slice(0, Math.min(total, LATEST)).sort()
      const quantile = (q: number) => sorted[Math.ceil(q * sorted.length) - 1] ?? 0
      return { p50Ms: quantile(0.5), p95Ms: quantile(0.95), buckets: growing(counts), sumMs }
    },
  }
}

function growing(counts: Float64Array): RoundTrips['buckets'] {
  let count = 0
  return [...counts].map((own, i) => {
    count += own
    return { leMs: BOUNDS[i] ?? Infinity, count }
  })
}
