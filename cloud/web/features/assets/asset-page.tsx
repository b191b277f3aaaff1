import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useMemo, useState } from 'react'
import type { Asset } from '#shared/contracts/asset.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { alarmsQuery, incidentsQuery, tagsQuery, workOrdersQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock } from '../../ui/clock.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ExportButton } from '../../ui/export-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { LiveTagValue } from '../../ui/tag-value.tsx'
import { isCurve, TrendChart } from '../../ui/trend-chart.tsx'
import { StateBar } from './state-bar.tsx'

/** One asset: its state, live values, trends, states of a day, alarms, incidents and work. */
export function AssetPage({ asset, all }: { readonly asset: Asset; readonly all: readonly Asset[] }) {
  const { t } = useTexts()
  const below = all.filter((one) => one.parentId === asset.id)
  return (
    <section className="screen asset-page">
      <Head asset={asset} />
      {asset.device ? <LiveValues asset={asset} /> : null}
      {asset.kind === 'work-unit' ? <StateBar assetId={asset.id} /> : null}
      {below.length > 0 ? (
        <Panel title={t('assets.below')}>
          <ul className="asset-below">
            {below.map((one) => (
              <li key={one.id}>
                <Link to="/assets/$id" params={{ id: one.id }} className="asset-link">
                  <span className="grow clip">{one.code}</span>
                  {one.worstPriority ? <PriorityMark priority={one.worstPriority} /> : null}
                  {one.kind === 'work-unit' ? <StateBadge kind="machine" state={one.state.state} /> : null}
                </Link>
              </li>
            ))}
          </ul>
        </Panel>
      ) : null}
      <div className="asset-lists">
        <Alarms asset={asset} />
        <Incidents asset={asset} />
        <Work asset={asset} />
      </div>
    </section>
  )
}

function Head({ asset }: { readonly asset: Asset }) {
  const { t, read } = useTexts()
  return (
    <header className="screen-head">
      <Link to="/assets" className="asset-back">
        ‹ {t('assets.title')}
      </Link>
      <div className="title">
        {asset.worstPriority ? <PriorityMark priority={asset.worstPriority} size={24} /> : null}
        <h2 className="asset-title">
          {asset.code} {read(asset.name)}
        </h2>
      </div>
      <span className="row wrap">
        <AssetPath path={asset.path} asset={null} depth={3} />
        <span className="chip">{t(`words.assetKind.${asset.kind}`)}</span>
        {asset.criticality ? <span className="chip">{t('assets.criticality', { c: asset.criticality })}</span> : null}
        {asset.kind === 'work-unit' ? <StateBadge kind="machine" state={asset.state.state} /> : null}
        {asset.kind === 'work-unit' && asset.state.since ? <Clock since={asset.state.since} /> : null}
      </span>
      <span className="meta">
        {asset.owner ? `${t('assets.owner')} ${asset.owner.name}` : ''}
        {asset.device ? ` · ${t('assets.device')} ${asset.device.edge}/${asset.device.device}` : ''}
      </span>
    </header>
  )
}

function Panel({
  title,
  count,
  children,
}: {
  readonly title: string
  readonly count?: number
  readonly children: ReactNode
}) {
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{title}</h2>
        {count === undefined ? null : <span className="num">{count}</span>}
      </header>
      {children}
    </section>
  )
}

/** Tags that alarms watch say most; they stand first. */
const byMeaning = (a: Tag, b: Tag) => b.limits.length - a.limits.length

function LiveValues({ asset }: { readonly asset: Asset }) {
  const { t } = useTexts()
  const tags = useQuery(tagsQuery({ asset: asset.id }))
  return (
    <Loaded query={tags} height={160}>
      {(data) =>
        data.items.length === 0 ? (
          <EmptyState kind="nothing-yet" title={t('assets.liveEmpty')} />
        ) : (
          <ValuesAndTrend tags={data.items.toSorted(byMeaning)} />
        )
      }
    </Loaded>
  )
}

const HOUR_MS = 3_600_000
const lastHour = () => ({ from: serverNow() - HOUR_MS, to: serverNow() })
/** As many curves as colours and dashes keep apart. */
const CURVES = 6

function ValuesAndTrend({ tags }: { readonly tags: readonly Tag[] }) {
  const { t, read } = useTexts()
  const first = tags.find(isCurve)
  const [chosen, setChosen] = useState<readonly string[]>(first ? [first.path] : [])
  const toggle = (path: string) =>
    setChosen(chosen.includes(path) ? chosen.filter((one) => one !== path) : [...chosen, path].slice(-CURVES))
  const shown = useMemo(() => tags.filter((tag) => chosen.includes(tag.path)), [tags, chosen])
  const range = useMemo(() => ({ lastMs: HOUR_MS }), [])
  return (
    <>
      <Panel title={t('assets.live')} count={tags.length}>
        <ul className="values">
          {tags.map((tag) => (
            <li key={tag.id} className={chosen.includes(tag.path) ? 'value-cell value-chosen' : 'value-cell'}>
              <button
                type="button"
                className="value-button"
                aria-pressed={chosen.includes(tag.path)}
                disabled={!isCurve(tag)}
                onClick={() => toggle(tag.path)}
                title={t('assets.pickTag')}
              >
                <span className="meta clip">{read(tag.name)}</span>
                <LiveTagValue tag={tag} size="large" />
              </button>
            </li>
          ))}
        </ul>
      </Panel>
      {shown.length > 0 ? (
        <section className="panel">
          <header>
            <h2 className="grow">{t('assets.trends')}</h2>
            <Link to="/trends" search={{ tags: chosen.join(',') }} className="meta">
              {t('assets.openTrends')}
            </Link>
            <ExportButton tags={shown} range={lastHour} />
          </header>
          <div className="body">
            <TrendChart tags={shown} range={range} height={240} />
          </div>
        </section>
      ) : null}
    </>
  )
}

function Alarms({ asset }: { readonly asset: Asset }) {
  const { t, read } = useTexts()
  const alarms = useQuery(alarmsQuery({ show: 'annunciated', asset: asset.id })).data?.items ?? []
  return (
    <Panel title={t('assets.alarms')} count={alarms.length}>
      {alarms.length === 0 ? <EmptyState kind="all-clear" title={t('assets.alarmsEmpty')} /> : null}
      <ul>
        {alarms.map((alarm) => (
          <li key={alarm.id} className="asset-row row">
            <PriorityMark
              priority={alarm.priority}
              active={alarm.flags.includes('active')}
              acked={!alarm.flags.includes('unacknowledged')}
            />
            <Link to="/alarms/$id" params={{ id: alarm.id }} className="grow">
              {read(alarm.name)}
            </Link>
            {alarm.activeSince ? <Clock since={alarm.activeSince} /> : null}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Incidents({ asset }: { readonly asset: Asset }) {
  const { t, read } = useTexts()
  const incidents = useQuery(incidentsQuery({ show: 'open', asset: asset.id })).data?.items ?? []
  return (
    <Panel title={t('assets.incidents')} count={incidents.length}>
      {incidents.length === 0 ? <EmptyState kind="all-clear" title={t('assets.incidentsEmpty')} /> : null}
      <ul>
        {incidents.map((incident) => (
          <li key={incident.id} className="asset-row row">
            <span className="chip severity">{incident.severity}</span>
            <Link to="/incidents/$id" params={{ id: incident.number }} className="grow">
              {incident.number} {read(incident.title)}
            </Link>
            <StateBadge kind="incident" state={incident.state} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Work({ asset }: { readonly asset: Asset }) {
  const { t, read } = useTexts()
  const orders = useQuery(workOrdersQuery({ show: 'open', asset: asset.id })).data?.items ?? []
  return (
    <Panel title={t('assets.work')} count={orders.length}>
      {orders.length === 0 ? <EmptyState kind="all-clear" title={t('assets.workEmpty')} /> : null}
      <ul>
        {orders.map((order) => (
          <li key={order.id} className="asset-row row">
            <Link to="/work-orders/$id" params={{ id: order.number }} className="grow">
              {order.number} {read(order.title)}
            </Link>
            <StateBadge kind="order" state={order.state} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
