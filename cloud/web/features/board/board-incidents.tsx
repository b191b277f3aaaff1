import { Link } from '@tanstack/react-router'
import type { IncidentSummary } from '#shared/contracts/incident.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock } from '../../ui/clock.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { byUrgency } from './board-lines.ts'

/** Open incidents with running clocks, those that nobody has taken first. */
export function BoardIncidents({ incidents }: { readonly incidents: readonly IncidentSummary[] }) {
  const { t, read } = useTexts()
  return (
    <aside className="panel board-incidents" aria-label={t('board.incidents')}>
      <header>
        <h2 className="grow">{t('board.incidents')}</h2>
        <b className="num">{incidents.length}</b>
      </header>
      {incidents.length === 0 ? <EmptyState kind="all-clear" title={t('board.clear')} /> : null}
      <ul>
        {incidents.toSorted(byUrgency).map((incident) => (
          <li key={incident.id}>
            <Link to="/incidents/$id" params={{ id: incident.number }} className="board-incident">
              <span className="row">
                <PriorityMark priority={incident.priority} active={incident.restoredAt === null} />
                <span className="chip severity">{incident.severity}</span>
                <b className="clip grow">{read(incident.title)}</b>
              </span>
              <span className="row meta">
                <span className="clip grow">
                  <AssetPath path={incident.assetPath} asset={incident.asset} /> · {incident.number}
                </span>
                <StateBadge kind="incident" state={incident.state} />
              </span>
              <span className="row">
                <span className="clip grow">
                  {incident.acceptedBy[0]
                    ? t('board.onTheWay', { name: incident.acceptedBy[0].name })
                    : t('board.unaccepted')}
                </span>
                <Clock since={incident.startedAt} until={incident.restoredAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </aside>
  )
}
