import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Edge } from '#shared/contracts/edge.ts'
import { edgeQuery } from '../../api/queries.ts'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { Certificates } from './certificates.tsx'
import { Configuration } from './configuration.tsx'
import { Devices } from './devices.tsx'
import { EdgeFigures, Faults } from './edge-summary.tsx'
import { concernsOf } from './fleet.ts'
import { Gaps } from './gaps.tsx'
import { Lanes } from './lanes.tsx'
import { Tags } from './tags.tsx'
import './edges.css'

const route = getRouteApi('/inside/edges/$id/{-$tab}')

const TABS = ['devices', 'lanes', 'tags', 'gaps', 'configuration', 'certificates'] as const
type Tab = (typeof TABS)[number]

/** One edge box: how it is, and its parts, each with an address of its own. */
export function EdgeScreen() {
  const { id, tab: asked } = route.useParams()
  const edge = useQuery(edgeQuery(id))
  return (
    <div className="screen">
      <Loaded query={edge} height={320}>
        {(data) => <Box edge={data} tab={TABS.find((tab) => tab === asked) ?? 'devices'} />}
      </Loaded>
    </div>
  )
}

function Box({ edge, tab }: { readonly edge: Edge; readonly tab: Tab }) {
  const { t } = useTexts()
  const navigate = useNavigate()
  return (
    <>
      <Head edge={edge} />
      <section className="panel">
        <div className="edge-summary">
          <EdgeFigures edge={edge} />
        </div>
        <Faults edge={edge} />
        {concernsOf(edge, Date.now()).length === 0 ? <p className="edge-ok meta">✓ {t('edges.faultsNone')}</p> : null}
      </section>
      <FilterTabs
        label={t('edges.tab.label')}
        active={tab}
        onChange={(key: Tab) => void navigate({ to: '/edges/$id/{-$tab}', params: { id: edge.id, tab: key } })}
        tabs={TABS.map((key) => ({ key, label: t(`edges.tab.${key}`) }))}
      />
      <Part edge={edge} tab={tab} />
    </>
  )
}

function Head({ edge }: { readonly edge: Edge }) {
  const { t, time } = useTexts()
  return (
    <header className="screen-head">
      <div className="title">
        <Link to="/edges" aria-label={t('edges.title')} className="edge-up">
          ‹
        </Link>
        <h1>{edge.edge}</h1>
        <StateBadge kind="edge" state={edge.status} />
      </div>
      <span className="meta">
        {edge.group}
        {edge.name && edge.name !== edge.edge ? ` · ${edge.name}` : ''}
        {edge.connectedAt && edge.status === 'online' ? ` · ${t('edges.since', { time: time(edge.connectedAt) })}` : ''}
      </span>
    </header>
  )
}

function Part({ edge, tab }: { readonly edge: Edge; readonly tab: Tab }) {
  switch (tab) {
    case 'devices':
      return <Devices edge={edge} />
    case 'lanes':
      return <Lanes edge={edge} />
    case 'tags':
      return <Tags edge={edge} />
    case 'gaps':
      return <Gaps edge={edge} />
    case 'configuration':
      return <Configuration key={edge.id} edge={edge} />
    case 'certificates':
      return <Certificates edge={edge} />
  }
}
