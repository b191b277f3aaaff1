import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import type { Priority } from '#shared/contracts/priority.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { historyQuery } from '../api/queries.ts'
import { serverNow, useServerNow } from '../api/server-time.ts'
import { ErrorState } from './error-state.tsx'
import { useTexts } from './language.ts'
import './trend-chart.css'

const TrendPlot = lazy(() => import('./trend-plot.tsx').then((module) => ({ default: module.TrendPlot })))

/** A tag as a trend draws it. */
export interface TrendTag {
  readonly path: string
  readonly name: LocalizedText | string
  readonly unit: string | null
  readonly decimals?: number | null
  readonly limits?: readonly { readonly level: string; readonly setpoint: number; readonly priority: string }[]
}

/** Whether a tag is a quantity that a curve can show; codes and texts have words instead. */
export const isCurve = (tag: Pick<Tag, 'type' | 'words'>): boolean => tag.type !== 'string' && tag.words === null

/** Something that happened, as a mark on the time axis. Time in ms since 1970. */
export interface TrendEvent {
  readonly at: number
  readonly label: string
  readonly priority?: Priority
}

export type TrendRange =
  /** The last so many ms, moving on with the clock. */
  { readonly lastMs: number } | { readonly from: number; readonly to: number }

export interface TrendChartProps {
  readonly tags: readonly TrendTag[]
  readonly range: TrendRange
  readonly events?: readonly TrendEvent[]
  readonly height?: number
}

/** History is read anew when the live window has moved by this share of itself. */
const RENEW = 20

/** The window to read: for a live range its start stands still until a twentieth of it has passed. */
function windowOf(range: TrendRange, now: number): { from: number; to: number } {
  if ('from' in range) return { from: range.from, to: range.to }
  const step = Math.max(30_000, range.lastMs / RENEW)
  const anchor = Math.floor(now / step) * step
  return { from: anchor - range.lastMs, to: anchor + step }
}

/** Curves of tags with limits, gaps and events; live when the range moves. uPlot is fetched when the first chart is drawn. */
export function TrendChart(props: TrendChartProps) {
  const { tags, range, height = 240 } = props
  const { t } = useTexts()
  const isLive = 'lastMs' in range
  const span = isLive ? range.lastMs : range.to - range.from
  const step = Math.max(30_000, span / RENEW)
  const now = useSlowNow(isLive ? step : 0)
  const { from, to } = windowOf(range, now)
  const paths = useMemo(() => tags.map((tag) => tag.path), [tags])
  const points = window.innerWidth < 768 ? 300 : 800
  const history = useQuery(historyQuery(paths, from, to, points))
  if (history.error && !history.data) {
    return <ErrorState problem={history.error} retry={() => void history.refetch()} />
  }
  const skeleton = (
    <div className="skeleton trend-wait" style={{ height }}>
      {t('trends.loading')}
    </div>
  )
  if (!history.data) return skeleton
  return (
    <Suspense fallback={skeleton}>
      <TrendPlot
        tags={tags}
        history={history.data}
        from={from}
        to={to}
        lastMs={isLive ? range.lastMs : undefined}
        events={props.events ?? NO_EVENTS}
        height={height}
      />
    </Suspense>
  )
}

const NO_EVENTS: readonly TrendEvent[] = []

/** Server time that changes only every `stepMs`; 0 stands still. */
function useSlowNow(stepMs: number): number {
  const now = useServerNow()
  const [start] = useState(serverNow)
  return stepMs === 0 ? start : Math.floor(now / stepMs) * stepMs
}
