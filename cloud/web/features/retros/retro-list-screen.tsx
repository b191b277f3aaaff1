import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { retrosQuery } from '../../api/queries.ts'
import type { RetroSummary } from '../../api/types.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { formatSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import './retros.css'

const route = getRouteApi('/inside/retros')

const SHOWS = ['open', 'approved', 'all'] as const
type Show = (typeof SHOWS)[number]
/** A manager reads what waits for a decision first. */
const byWaiting = (a: RetroSummary, b: RetroSummary) =>
  Number(b.state === 'in_review') - Number(a.state === 'in_review') || b.createdAt.localeCompare(a.createdAt)

/** Retros that are written, wait for a decision, or are approved. */
export function RetroListScreen() {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const show = SHOWS.find((one) => one === search.show) ?? 'open'
  const retros = useQuery(retrosQuery(show))
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('retros.title')}</h1>
        </div>
        <FilterTabs
          label={t('retros.columns.state')}
          active={show}
          onChange={(key: Show) => void navigate({ to: '/retros', search: { show: key }, replace: true })}
          tabs={SHOWS.map((key) => ({ key, label: t(`retros.${key}`) }))}
        />
      </header>
      <Loaded query={retros} height={240}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState
              kind="all-clear"
              title={show === 'approved' ? t('retros.clearApproved') : t('retros.clear')}
              next={t('retros.clearNext')}
            />
          ) : (
            <ul className="panel">
              {data.items.toSorted(byWaiting).map((retro) => (
                <li key={retro.id}>
                  <RetroRow retro={retro} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  )
}

function RetroRow({ retro }: { readonly retro: RetroSummary }) {
  const { t, read, time, language } = useTexts()
  return (
    <Link to="/retros/$id" params={{ id: retro.number }} className="retro-row">
      <span className="chip severity">
        {retro.severity} {t(`words.severity.${retro.severity}`)}
      </span>
      <span className="retro-what">
        <b>{read(retro.title)}</b>
        <span className="meta">
          {retro.number} · {retro.incident.number} · {retro.asset.code}
        </span>
      </span>
      <StateBadge kind="retro" state={retro.state} />
      <span className="num meta">
        {t('retros.columns.downtime')}{' '}
        {retro.downtimeSeconds === null ? '–' : formatSpan(retro.downtimeSeconds * 1000, language)}
      </span>
      <span className="num meta">{time(retro.startedAt, false)}</span>
    </Link>
  )
}
