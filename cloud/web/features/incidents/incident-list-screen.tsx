import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { IncidentSummary } from '#shared/contracts/incident.ts'
import { incidentsQuery } from '../../api/queries.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock } from '../../ui/clock.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { useLiveRows } from '../../ui/use-live-rows.ts'
import './incidents.css'

const route = getRouteApi('/inside/incidents')

const SHOWS = ['open', 'review', 'closed', 'all'] as const
type Show = (typeof SHOWS)[number]
const CLEAR_TEXTS = {
  open: 'incidents.clear',
  review: 'incidents.clearReview',
  closed: 'incidents.clearClosed',
  all: 'incidents.clear',
} as const
const SEVERITY = ['S1', 'S2', 'S3', 'S4']

/** Unaccepted first, then gravest, then oldest; ended ones newest first. */
function byUrgency(a: IncidentSummary, b: IncidentSummary): number {
  if (a.closedAt && b.closedAt) return b.closedAt.localeCompare(a.closedAt)
  return (
    Number(a.acceptedBy.length > 0) - Number(b.acceptedBy.length > 0) ||
    SEVERITY.indexOf(a.severity) - SEVERITY.indexOf(b.severity) ||
    a.startedAt.localeCompare(b.startedAt)
  )
}

/** All incidents of one kind of state, live. */
export function IncidentListScreen() {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const show = SHOWS.find((one) => one === search.show) ?? 'open'
  const filter = {
    show,
    ...(search.mine ? { mine: 'true' } : {}),
    ...(search.asset ? { asset: search.asset } : {}),
  }
  const incidents = useQuery(incidentsQuery(filter))
  const change = (next: typeof search) => void navigate({ to: '/incidents', search: next, replace: true })
  const isFiltered = Boolean(search.mine || search.asset)
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('incidents.title')}</h1>
        </div>
        <FilterTabs
          label={t('incidents.columns.state')}
          active={show}
          onChange={(key: Show) => change({ ...search, show: key })}
          tabs={SHOWS.map((key) => ({ key, label: t(`incidents.${key}`) }))}
        />
        <button
          type="button"
          className="choice"
          aria-pressed={Boolean(search.mine)}
          onClick={() => change(search.mine ? { show } : { ...search, mine: 'true' })}
        >
          {t('incidents.mine')}
        </button>
      </header>
      <Loaded query={incidents} height={240}>
        {(data) => <Found incidents={data.items} show={show} isFiltered={isFiltered} scope={JSON.stringify(filter)} />}
      </Loaded>
    </div>
  )
}

function Found(props: {
  readonly incidents: readonly IncidentSummary[]
  readonly show: Show
  readonly isFiltered: boolean
  readonly scope: string
}) {
  const { t } = useTexts()
  if (props.incidents.length > 0) return <Rows incidents={props.incidents} scope={props.scope} />
  if (props.isFiltered) return <EmptyState kind="filtered" title={t('incidents.clearFiltered')} />
  return <EmptyState kind="all-clear" title={t(CLEAR_TEXTS[props.show])} next={t('incidents.clearNext')} />
}

function Rows({ incidents, scope }: { readonly incidents: readonly IncidentSummary[]; readonly scope: string }) {
  const live = useLiveRows(incidents.toSorted(byUrgency), (incident) => incident.id, { isHeld: false, scope })
  return (
    <ul className="panel incident-list">
      {live.shown.map(({ row, leaving }) => (
        <li key={row.id} className={leaving ? 'incident-leaving' : ''}>
          <IncidentRow incident={row} />
        </li>
      ))}
    </ul>
  )
}

function IncidentRow({ incident }: { readonly incident: IncidentSummary }) {
  const { t, read } = useTexts()
  const [first, ...others] = incident.acceptedBy
  return (
    <Link to="/incidents/$id" params={{ id: incident.number }} className="incident-row">
      <span className="row incident-marks">
        <PriorityMark priority={incident.priority} active={incident.restoredAt === null} size={24} />
        <span className="chip severity">
          {incident.severity} {t(`words.severity.${incident.severity}`)}
        </span>
      </span>
      <span className="incident-what">
        <b>{read(incident.title)}</b>
        <span className="meta">
          {incident.number} · <AssetPath path={incident.assetPath} asset={incident.asset} />
        </span>
      </span>
      <span className="incident-state">
        <StateBadge kind="incident" state={incident.state} />
      </span>
      <span className="incident-since">
        <Clock since={incident.startedAt} until={incident.restoredAt} />
      </span>
      <span className="incident-who clip">
        {first ? (
          <>
            {first.name}
            {others.length > 0 ? ` +${others.length}` : ''}
          </>
        ) : (
          <b>{t('incidents.nobody')}</b>
        )}
      </span>
      <span className="meta incident-work clip">{incident.workOrderNumbers.join(' ')}</span>
    </Link>
  )
}
