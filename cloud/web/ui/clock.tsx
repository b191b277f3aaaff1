import { useServerNow } from '../api/server-time.ts'
import { formatSpan } from './format.ts'
import { useTexts } from './language.ts'
import './clock.css'

export interface ClockProps {
  /** Instant from which it counts. */
  readonly since: string
  /** Instant at which it stopped; null while it runs. */
  readonly until?: string | null
  /** Instant after which it is late. */
  readonly due?: string | null
}

/** How long something lasts, on server time; late in ink. */
export function Clock({ since, until, due }: ClockProps) {
  const now = useServerNow()
  const { t, language } = useTexts()
  const end = until ? Date.parse(until) : now
  const isLate = due ? end > Date.parse(due) : false
  return (
    <time className={isLate ? 'clock clock-late' : 'clock'} dateTime={since}>
      {formatSpan(end - Date.parse(since), language)}
      {isLate ? <span className="clock-word"> {t('time.late')}</span> : null}
    </time>
  )
}

/** Time left until something is due, or by how much it is overdue. */
export function Due({ at }: { readonly at: string }) {
  const now = useServerNow()
  const { t, language } = useTexts()
  const left = Date.parse(at) - now
  return (
    <time className={left < 0 ? 'clock clock-late' : 'clock'} dateTime={at}>
      {left < 0
        ? t('time.overdue', { age: formatSpan(-left, language) })
        : t('time.dueIn', { age: formatSpan(left, language) })}
    </time>
  )
}
