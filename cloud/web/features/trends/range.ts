import type { TrendRange } from '../../ui/trend-chart.tsx'

const HOUR_MS = 3_600_000

/** Ranges of one press. */
export const SPANS = {
  '10m': HOUR_MS / 6,
  '1h': HOUR_MS,
  '8h': 8 * HOUR_MS,
  '24h': 24 * HOUR_MS,
  '7d': 168 * HOUR_MS,
} as const
export type Span = keyof typeof SPANS

const isSpan = (text: string | undefined): text is Span => text !== undefined && text in SPANS

/** The range that the address names; the last hour, live, when it names none. */
export function readRange(search: {
  readonly last?: string
  readonly from?: string
  readonly to?: string
}): TrendRange {
  const from = Date.parse(search.from ?? '')
  const to = Date.parse(search.to ?? '')
  if (from < to) return { from, to }
  return { lastMs: SPANS[isSpan(search.last) ? search.last : '1h'] }
}

/** The range moved by half of itself, earlier or later. */
export function shifted(range: TrendRange, direction: -1 | 1, now: number): { from: number; to: number } {
  const fixed = 'lastMs' in range ? { from: now - range.lastMs, to: now } : range
  const step = ((fixed.to - fixed.from) / 2) * direction
  return { from: Math.round(fixed.from + step), to: Math.round(fixed.to + step) }
}
