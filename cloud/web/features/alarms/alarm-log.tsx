import type { AlarmDetail } from '#shared/contracts/alarm.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { StateBadge } from '../../ui/state-badge.tsx'

/** Five significant places are enough in a sentence. */
const shortNumber = (value: number | boolean | string): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(5))) : String(value)

type Transition = 'activated' | 'returned'

/** Everything that happened to the alarm, newest first. */
export function AlarmLog({ log }: { readonly log: AlarmDetail['log'] }) {
  const { t, time } = useTexts()
  return (
    <section className="panel">
      <header>
        <h2>{t('alarm.log')}</h2>
      </header>
      {log.length === 0 ? <EmptyState kind="nothing-yet" title={t('alarm.logEmpty')} /> : null}
      <ol className="alarm-log">
        {log
          .toSorted((a, b) => b.recordedAt.localeCompare(a.recordedAt) || b.seq.localeCompare(a.seq))
          .map((entry) => (
            <li key={entry.seq}>
              <time className="num meta" dateTime={entry.eventAt}>
                {time(entry.eventAt)}
              </time>
              <span className="grow">
                {t(`words.transition.${entry.transition as Transition}`)}
                {entry.level ? ` ${entry.level}` : ''}
                {entry.value === null || entry.level === null ? '' : ` · ${shortNumber(entry.value)}`}
                {entry.by ? <b> {entry.by.name}</b> : null}
                {entry.comment ? <span className="meta"> “{entry.comment}”</span> : null}
              </span>
              <StateBadge kind="alarm" state={entry.state} />
            </li>
          ))}
      </ol>
    </section>
  )
}
