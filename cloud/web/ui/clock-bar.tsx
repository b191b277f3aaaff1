import { useServerNow } from '../api/server-time.ts'
import type { IncidentClock } from '../api/types.ts'
import { formatShortSpan } from './format.ts'
import { useTexts } from './language.ts'
import './clock-bar.css'

const GLYPHS = { pending: '–', running: '…', met: '✓', missed: '✕' } as const

/** The seven clocks of an incident: each pending, running, met or missed, by glyph and word. */
export function ClockBar({
  clocks,
  startedAt,
}: {
  readonly clocks: readonly IncidentClock[]
  readonly startedAt: string
}) {
  const { t } = useTexts()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard (WCAG 2.1.1).
    <ol className="clock-bar" aria-label={t('room.clocks')} tabIndex={0}>
      {clocks.map((clock) => (
        <li key={clock.clock} className={`clock-cell clock-${clock.status}`}>
          <span className="meta">{t(`words.clock.${clock.clock}`)}</span>
          <span className="num">
            <ClockTime clock={clock} startedAt={startedAt} /> <span aria-hidden="true">{GLYPHS[clock.status]}</span>
            <span className="sr">{t(`words.clockStatus.${clock.status}`)}</span>
          </span>
          {clock.targetSeconds === null ? null : (
            <span className="meta quiet">{t('room.target', { time: formatShortSpan(clock.targetSeconds) })}</span>
          )}
        </li>
      ))}
    </ol>
  )
}

function ClockTime({ clock, startedAt }: { readonly clock: IncidentClock; readonly startedAt: string }) {
  if (clock.seconds !== null) return formatShortSpan(clock.seconds)
  return clock.status === 'pending' ? '' : <Running since={startedAt} />
}

function Running({ since }: { readonly since: string }) {
  const now = useServerNow()
  return formatShortSpan((now - Date.parse(since)) / 1000)
}
