import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import { tagsQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { useTexts } from '../../ui/language.ts'
import { isCurve, TrendChart, type TrendTag } from '../../ui/trend-chart.tsx'

const MINUTE_MS = 60_000
/** Before the incident began, and at least so much, is shown. */
const BEFORE_MS = 10 * MINUTE_MS
/** More curves than these cannot be told apart at a glance. */
const CURVES = 4
const AT_MOST_MS = 4 * 60 * MINUTE_MS

/** The trend of the tags that tell this incident, live until it is restored. */
export function RoomTrend({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  const tags = useQuery(tagsQuery({ asset: incident.asset.id })).data?.items
  const paths = incident.trendTags.join('\n')
  const trendTags = useMemo<readonly TrendTag[]>(
    () =>
      paths
        .split('\n')
        .flatMap((path) => tags?.filter((tag) => tag.path === path && isCurve(tag)) ?? [])
        .slice(0, CURVES),
    [paths, tags],
  )
  const { startedAt, restoredAt } = incident
  const range = useMemo(() => {
    const from = Date.parse(startedAt) - BEFORE_MS
    if (restoredAt) return { from, to: Date.parse(restoredAt) + BEFORE_MS / 2 }
    const lasting = serverNow() - from
    return { lastMs: Math.min(AT_MOST_MS, Math.ceil(lasting / BEFORE_MS + 1) * BEFORE_MS) }
  }, [startedAt, restoredAt])
  const events = useMemo(
    () =>
      incident.alarms.map((alarm) => ({
        at: Date.parse(alarm.activatedAt),
        label: alarm.isFirstOut ? `${alarm.order}` : '',
        priority: alarm.priority,
      })),
    [incident.alarms],
  )
  return (
    <section className="panel room-trend">
      <header>
        <h2 className="grow">{t('room.trend')}</h2>
        <Link to="/trends" search={{ tags: incident.trendTags.join(',') }} className="meta">
          {t('assets.openTrends')}
        </Link>
      </header>
      <div className="body">
        <TrendChart tags={trendTags} range={range} events={events} height={240} />
      </div>
    </section>
  )
}
