import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { incidentQuery, tagsQuery } from '../../api/queries.ts'
import { isCurve, TrendChart, type TrendTag } from '../../ui/trend-chart.tsx'

const QUARTER_MS = 900_000
const SHOWN_MS = 3_600_000

/** The trend that led to the order: the incident's first tag, from a quarter of an hour before it began. */
export function OrderTrend({ order }: { readonly order: WorkOrder }) {
  const incident = useQuery({ ...incidentQuery(order.incident?.number ?? ''), enabled: order.incident !== null }).data
  const tags = useQuery(tagsQuery({ asset: order.asset.id })).data?.items
  const paths = incident?.trendTags.join('\n')
  const shown = useMemo<readonly TrendTag[]>(() => {
    const wanted = paths?.split('\n').flatMap((path) => tags?.filter((tag) => tag.path === path && isCurve(tag)) ?? [])
    return wanted?.slice(0, 1) ?? []
  }, [paths, tags])
  const from = incident ? Date.parse(incident.startedAt) - QUARTER_MS : 0
  const end = order.doneAt ? Date.parse(order.doneAt) : undefined
  const range = useMemo(() => (end ? { from, to: end } : { lastMs: SHOWN_MS }), [from, end])
  if (shown.length === 0) return null
  return <TrendChart tags={shown} range={range} height={160} />
}
