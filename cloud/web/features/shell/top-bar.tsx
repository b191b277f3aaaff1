import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { PRIORITIES } from '#shared/contracts/priority.ts'
import { alarmsQuery, sessionQuery } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import { useLink, useLostSince } from '../../api/stream.tsx'
import { useTexts } from '../../ui/language.ts'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { UserMenu } from './user-menu.tsx'

/** Organisation, alarms by priority, the link, server time, the person. */
export function TopBar() {
  const { t, read } = useTexts()
  const session = useQuery(sessionQuery).data
  return (
    <header className="top">
      <Link to="/" className="brand">
        <svg width="20" height="20" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
          <path d="M5 1.5h6v4H5zM5 6.5h6v4H5zM3 13h10v1.5H3zM5 11.5h6V13H5z" fill="currentColor" />
        </svg>
        <span className="clip brand-name">{session ? read(session.organisation.name) : t('app.name')}</span>
      </Link>
      <AlarmStrip />
      <span className="grow" />
      <LinkLamp />
      <ServerClock />
      <UserMenu />
    </header>
  )
}

/** Annunciated alarms by priority; each count opens the list filtered to it. */
function AlarmStrip() {
  const { t } = useTexts()
  const alarms = useQuery(alarmsQuery({ show: 'annunciated' })).data?.items ?? []
  const unacked = alarms.filter((alarm) => alarm.flags.includes('unacknowledged'))
  const counts = PRIORITIES.map((priority) => ({
    priority,
    count: alarms.filter((alarm) => alarm.priority === priority).length,
    isAcked: !unacked.some((alarm) => alarm.priority === priority),
  }))
  return (
    <nav className="strip" aria-label={t('app.alarmStrip')}>
      {counts.map(({ priority, count, isAcked }) =>
        count === 0 ? null : (
          <Link key={priority} to="/alarms" search={{ priority }} className="strip-link">
            <PriorityMark priority={priority} acked={isAcked} />
            <b className="num">{count}</b>
          </Link>
        ),
      )}
      <Link to="/alarms" search={{}} className="strip-link strip-text">
        {alarms.length === 0 ? t('app.noAlarms') : t('app.unacked', { count: unacked.length })}
      </Link>
    </nav>
  )
}

function LinkLamp() {
  const { t } = useTexts()
  const link = useLink()
  const lostSince = useLostSince()
  if (link.status !== 'live' || lostSince !== undefined) return null
  return (
    <span className="lamp">
      <span aria-hidden="true">◉</span> {t('app.live')}
    </span>
  )
}

function ServerClock() {
  const { t, time } = useTexts()
  const now = useServerNow()
  return (
    <time className="num server-clock" title={t('app.serverTime')}>
      {time(now)}
    </time>
  )
}
