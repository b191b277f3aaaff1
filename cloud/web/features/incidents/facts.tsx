import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Incident } from '#shared/contracts/incident.ts'
import { assetsQuery } from '../../api/queries.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { formatShortSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'

/** Where, since when, what the machine does now, what restore waits for, and which alarm came first. */
export function Facts({ incident }: { readonly incident: Incident }) {
  const { t, time } = useTexts()
  const machine = useQuery(assetsQuery).data?.items.find((asset) => asset.id === incident.asset.id)
  const { provenBy, waitingFor } = incident.restore
  return (
    <section className="panel room-facts">
      <header>
        <h2>{t('room.facts')}</h2>
      </header>
      <div className="body stack">
        <div className="row wrap">
          <Link to="/assets/$id" params={{ id: incident.asset.id }}>
            <AssetPath path={incident.assetPath} asset={incident.asset} />
          </Link>
          {machine ? <StateBadge kind="machine" state={machine.state.state} /> : null}
        </div>
        <p className="meta">
          {t('room.startedAt')} <span className="num">{time(incident.startedAt)}</span>
        </p>
        {provenBy ? (
          <p className="meta">{provenBy === 'hand' ? t('room.provenByHand') : t('room.provenByTag')}</p>
        ) : null}
        {waitingFor ? (
          <p className="meta">{t('room.waitingFor', { what: waitingFor.replace(/^running:/, '') })}</p>
        ) : null}
        {incident.retroId ? (
          <Link to="/retros/$id" params={{ id: incident.retroId }}>
            {t('room.retroOpen')}
          </Link>
        ) : null}
        <FirstOut incident={incident} />
      </div>
    </section>
  )
}

function FirstOut({ incident }: { readonly incident: Incident }) {
  const { t, read } = useTexts()
  const ordered = incident.alarms.toSorted((a, b) => a.order - b.order)
  const first = ordered[0]
  if (!first) return null
  const start = Date.parse(first.activatedAt)
  return (
    <>
      <h3>{t('room.firstOut')}</h3>
      <ol className="first-out">
        {ordered.map((alarm) => (
          <li key={alarm.occurrenceId} className="row">
            <PriorityMark priority={alarm.priority} active={alarm.returnedAt === null} />
            <Link to="/alarms/$id" params={{ id: alarm.alarmId }} className="grow">
              {read(alarm.name)}
            </Link>
            {alarm.isFirstOut ? <span className="chip">{t('alarms.firstOut')}</span> : null}
            <span className="meta num">+{formatShortSpan((Date.parse(alarm.activatedAt) - start) / 1000)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
