import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Asset } from '#shared/contracts/asset.ts'
import type { IncidentSummary } from '#shared/contracts/incident.ts'
import { assetsQuery, incidentsQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { BoardIncidents } from './board-incidents.tsx'
import { type Line, linesOf, tallyOf } from './board-lines.ts'
import { Tile } from './tile.tsx'
import './board.css'

const route = getRouteApi('/inside/board')

/** The floor at a glance: lines with their machines in their places, open incidents beside them. */
export function BoardScreen() {
  const { t } = useTexts()
  const assets = useQuery(assetsQuery)
  const incidents = useQuery(incidentsQuery({ show: 'open' }))
  return (
    <div className="screen">
      <Loaded query={assets} height={320}>
        {(data) =>
          linesOf(data.items).length === 0 ? (
            <EmptyState
              kind="nothing-yet"
              title={t('board.emptyTitle')}
              next={t('board.emptyNext')}
              act={<Link to="/edges">{t('board.emptyAct')}</Link>}
            />
          ) : (
            <Floor assets={data.items} incidents={incidents.data?.items ?? []} />
          )
        }
      </Loaded>
    </div>
  )
}

function Floor({
  assets,
  incidents,
}: {
  readonly assets: readonly Asset[]
  readonly incidents: readonly IncidentSummary[]
}) {
  const { t, read } = useTexts()
  const { line } = route.useSearch()
  const navigate = useNavigate()
  const lines = linesOf(assets)
  const shown = lines.filter((one) => !line || one.asset.code === line)
  const tally = tallyOf(shown)
  const show = (code: string) => void navigate({ to: '/board', search: code ? { line: code } : {} })
  return (
    <>
      <header className="screen-head">
        <div className="title">
          <h1>{t('board.title')}</h1>
        </div>
        <p className="row wrap board-tally">
          <span>{t('board.running', { count: tally.running })}</span>
          <b>{t('board.stopped', { count: tally.stopped })}</b>
          <span>{t('board.other', { count: tally.other })}</span>
          <span>{t('board.noData', { count: tally.noData })}</span>
        </p>
      </header>
      <FilterTabs
        label={t('board.allLines')}
        active={line ?? ''}
        onChange={show}
        tabs={[
          { key: '', label: t('board.allLines') },
          ...lines.map((one) => ({ key: one.asset.code, label: read(one.asset.name) })),
        ]}
      />
      <div className="board">
        <BoardIncidents incidents={incidents} />
        <div className="board-lines">
          {shown.map((one) => (
            <LineRow key={one.asset.id} line={one} incidents={incidents} />
          ))}
        </div>
      </div>
    </>
  )
}

function LineRow({ line, incidents }: { readonly line: Line; readonly incidents: readonly IncidentSummary[] }) {
  const { t, read } = useTexts()
  const tally = tallyOf([line])
  return (
    <section className="board-line" aria-label={read(line.asset.name)}>
      <header className="row">
        <h2>
          {line.asset.code} {read(line.asset.name)}
        </h2>
        <span className="meta">
          {t('board.running', { count: tally.running })} / {line.machines.length}
        </span>
      </header>
      <ul className="tiles">
        {line.machines.map((machine) => (
          <li key={machine.id}>
            <Tile machine={machine} incident={incidents.find((i) => i.asset.id === machine.id)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
