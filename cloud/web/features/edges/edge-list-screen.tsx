import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import Button from 'antd/es/button'
import type { Edge } from '#shared/contracts/edge.ts'
import { edgesQuery, sessionQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { EdgeFigures, EdgeName, Faults } from './edge-summary.tsx'
import { byHealth, fits, isShown, mayManage, SHOWS, type Show } from './fleet.ts'
import './edges.css'

const route = getRouteApi('/inside/edges')

/** The fleet of edge boxes, unhealthy ones first; each fault is told as cause and step. */
export function EdgeListScreen() {
  const { t } = useTexts()
  const edges = useQuery(edgesQuery)
  const canEnrol = mayManage(useQuery(sessionQuery).data?.person.roles ?? [])
  const enrol = canEnrol ? (
    <Link to="/edges/new">
      <Button type="primary" tabIndex={-1}>
        {t('edges.enrol')}
      </Button>
    </Link>
  ) : null
  const known = edges.data?.items.length ?? 0
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('edges.title')}</h1>
        </div>
        {known > 0 ? <div className="acts">{enrol}</div> : null}
      </header>
      <Loaded query={edges} height={240}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState kind="nothing-yet" title={t('edges.empty')} next={t('edges.emptyNext')} act={enrol} />
          ) : (
            <Fleet edges={data.items} />
          )
        }
      </Loaded>
    </div>
  )
}

function Fleet({ edges }: { readonly edges: readonly Edge[] }) {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  // The order is that of the last answer: nothing moves under a finger while seconds pass.
  const now = serverNow()
  const show = SHOWS.find((one) => one === search.show) ?? 'all'
  const go = (next: typeof search) => void navigate({ to: '/edges', search: next, replace: true })
  const shown = edges.filter((edge) => isShown(edge, show, now) && fits(edge, search.q ?? '')).toSorted(byHealth(now))
  const count = (one: Show) => edges.filter((edge) => isShown(edge, one, now)).length
  return (
    <>
      <div className="edge-filters">
        <FilterTabs
          label={t('edges.show.label')}
          active={show}
          onChange={(key: Show) => go({ ...search, show: key })}
          tabs={SHOWS.map((key) => ({ key, label: t(`edges.show.${key}`, { count: count(key) }) }))}
        />
        <input
          type="search"
          className="field"
          aria-label={t('edges.search')}
          placeholder={t('edges.search')}
          value={search.q ?? ''}
          onChange={(event) => go({ ...search, q: event.target.value })}
        />
      </div>
      {shown.length === 0 ? (
        <EmptyState
          kind="filtered"
          title={t('edges.filtered')}
          act={<Button onClick={() => go({})}>{t('edges.clear')}</Button>}
        />
      ) : (
        <Rows edges={shown} />
      )}
    </>
  )
}

const COLUMNS = ['edge', 'message', 'journal', 'gaps', 'devices', 'configuration', 'certificate'] as const

function Rows({ edges }: { readonly edges: readonly Edge[] }) {
  const { t } = useTexts()
  return (
    <div className="panel">
      <div className="edge-columns edge-grid meta" aria-hidden="true">
        {COLUMNS.map((column) => (
          <span key={column}>{t(`edges.column.${column}`)}</span>
        ))}
      </div>
      <ul className="edges">
        {edges.map((edge) => (
          <li key={edge.id}>
            <Link to="/edges/$id/{-$tab}" params={{ id: edge.id }} className="edge-link edge-grid">
              <EdgeName edge={edge} />
              <EdgeFigures edge={edge} />
            </Link>
            <Faults edge={edge} />
          </li>
        ))}
      </ul>
    </div>
  )
}
