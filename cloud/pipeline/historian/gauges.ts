import type { PipelineMetrics } from '../contract.ts'
import type { Historian } from './historian.ts'

export interface GaugesOptions {
  readonly historian: Historian
  readonly metrics: PipelineMetrics
  /** ms since 1970 */
  readonly clock: () => number
  readonly everyMs: number
}

/** Tells how much of history is not yet sorted into files, and since when it waits; answers the function that ends it. */
export function gaugeHistory({ historian, metrics, clock, everyMs }: GaugesOptions): () => void {
  const look = async () => {
    const { hotRows, hotSince, fileRows } = await historian.status()
    metrics.gauge('history_unsorted_values', hotRows)
    metrics.gauge('history_unsorted_seconds', hotSince === undefined ? 0 : Math.max(0, clock() - hotSince) / 1000)
    metrics.gauge('history_sorted_values', fileRows)
  }
  // A history that cannot answer says so by its faults and by the commits that fail.
  const timer = setInterval(() => void look().catch(() => undefined), everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
