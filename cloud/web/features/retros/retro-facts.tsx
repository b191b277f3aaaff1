import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { Retro } from '#shared/contracts/retro.ts'
import { tagsQuery } from '../../api/queries.ts'
import type { IncidentClock } from '../../api/types.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { numberOf, useFactText } from '../../ui/fact-text.ts'
import { isTold } from '../../ui/fact-told.ts'
import { formatShortSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Timeline } from '../../ui/timeline.tsx'
import { isCurve, TrendChart, type TrendTag } from '../../ui/trend-chart.tsx'
import { useStateWord } from '../../ui/words.ts'

/** A numbered part of the retro. */
export function Part({
  n,
  title,
  children,
}: {
  readonly n: number
  readonly title: string
  readonly children: ReactNode
}) {
  return (
    <section className="panel retro-part" id={`part-${n}`}>
      <header>
        <span className="retro-n">{n}</span>
        <h2>{title}</h2>
      </header>
      {children}
    </section>
  )
}

/** Each clock of the incident against its target, as a table with a bar. */
export function Clocks({ retro }: { readonly retro: Retro }) {
  const { t } = useTexts()
  return (
    <Part n={2} title={t('retro.clocks')}>
      <table className="retro-table">
        <thead>
          <tr>
            <th scope="col">{t('retro.clock')}</th>
            <th scope="col">{t('retro.actual')}</th>
            <th scope="col">{t('retro.target')}</th>
            <th scope="col">{t('retro.status')}</th>
            <th scope="col">{t('retro.people')}</th>
          </tr>
        </thead>
        <tbody>
          {retro.clocks.map((clock) => (
            <ClockRow key={clock.clock} clock={clock} />
          ))}
        </tbody>
      </table>
    </Part>
  )
}

const OUTCOMES = { met: '✓', missed: '✕', running: '…', pending: '–' } as const

function ClockRow({ clock }: { readonly clock: IncidentClock }) {
  const { t } = useTexts()
  const { targetSeconds, seconds, status } = clock
  const isJudged = targetSeconds !== null && status !== 'pending'
  return (
    <tr>
      <th scope="row">{t(`words.clock.${clock.clock}`)}</th>
      <td className="num">{seconds === null ? '–' : formatShortSpan(seconds)}</td>
      <td className="num">{targetSeconds === null ? '–' : formatShortSpan(targetSeconds)}</td>
      <td>{isJudged ? <b>{`${OUTCOMES[status]} ${t(`words.clockStatus.${status}`)}`}</b> : '–'}</td>
      <td>{clock.by?.name ?? ''}</td>
    </tr>
  )
}

/** Which alarm came first, what followed, and the trend that shows it. */
export function FirstOut({ retro }: { readonly retro: Retro }) {
  const { t, read, time } = useTexts()
  const tags = useQuery(tagsQuery({ asset: retro.asset.id })).data?.items
  const paths = retro.trend.tags.join('\n')
  const trendTags = useMemo<readonly TrendTag[]>(
    () =>
      paths
        .split('\n')
        .flatMap((path) => tags?.filter((tag) => tag.path === path && isCurve(tag)) ?? [])
        .slice(0, 4),
    [paths, tags],
  )
  const range = useMemo(
    () => ({ from: Date.parse(retro.trend.from), to: Date.parse(retro.trend.to) }),
    [retro.trend.from, retro.trend.to],
  )
  const events = useMemo(
    () => retro.firstOut.map((alarm) => ({ at: Date.parse(alarm.at), label: String(alarm.order) })),
    [retro.firstOut],
  )
  return (
    <Part n={3} title={t('retro.firstOut')}>
      <table className="retro-table">
        <thead>
          <tr>
            <th scope="col">{t('retro.order')}</th>
            <th scope="col">{t('alarms.columns.alarm')}</th>
            <th scope="col">{t('alarms.columns.value')}</th>
            <th scope="col">{t('trends.time')}</th>
            <th scope="col">{t('retro.offset')}</th>
          </tr>
        </thead>
        <tbody>
          {retro.firstOut.map((alarm) => (
            <tr key={alarm.occurrenceId}>
              <td className="num">{alarm.order}</td>
              <td>
                {read(alarm.name)} {alarm.order === 1 ? <span className="chip">{t('alarms.firstOut')}</span> : null}
              </td>
              <td className="num">{alarm.value === null ? '–' : numberOf(alarm.value)}</td>
              <td className="num">{time(alarm.at)}</td>
              <td className="num">+{formatShortSpan(alarm.offsetSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="body">
        {trendTags.length > 0 ? <TrendChart tags={trendTags} range={range} events={events} height={220} /> : null}
      </div>
    </Part>
  )
}

/** Everything that was recorded, in the order of time. */
export function TimelinePart({ retro }: { readonly retro: Retro }) {
  const { t } = useTexts()
  const factText = useFactText()
  return (
    <Part n={4} title={t('retro.timeline')}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard (WCAG 2.1.1). */}
      <section className="retro-timeline" tabIndex={0} aria-label={t('retro.timeline')}>
        <Timeline
          label={t('retro.timeline')}
          lines={retro.timeline.filter(isTold).map((fact) => ({
            id: fact.id,
            at: fact.at,
            source: fact.source,
            actor: fact.actor?.name ?? null,
            body: factText(fact),
          }))}
        />
      </section>
    </Part>
  )
}

/** What was done: the work orders with their failure reports, and who came. */
export function Done({ retro }: { readonly retro: Retro }) {
  const { t } = useTexts()
  const stateWord = useStateWord()
  return (
    <Part n={6} title={t('retro.done')}>
      <ul className="body stack">
        {retro.workOrders.map((order) => (
          <li key={order.id}>
            <Link to="/work-orders/$id" params={{ id: order.number }}>
              {order.number}
            </Link>{' '}
            {stateWord('work-order', order.state)} · {order.assignee?.name ?? t('work.nobody')}
            <br />
            <span className="meta">
              {order.failure
                ? [order.failure.mode, order.failure.cause, order.failure.remedy].join(' → ')
                : t('retro.noFailure')}
            </span>
          </li>
        ))}
        <li className="meta">
          {t('retro.people')}: {retro.people.map((one) => one.person.name).join(', ') || '–'}
        </li>
      </ul>
    </Part>
  )
}

/** Incidents that looked like this one. */
export function Similar({ retro }: { readonly retro: Retro }) {
  const { t, read, time } = useTexts()
  return (
    <Part n={8} title={t('retro.similar')}>
      {retro.similar.length === 0 ? <EmptyState kind="nothing-yet" title={t('retro.similarEmpty')} /> : null}
      <ul className="body stack">
        {retro.similar.map((one) => (
          <li key={one.id}>
            <Link to="/incidents/$id" params={{ id: one.number }}>
              {one.number}
            </Link>{' '}
            {read(one.title)} <span className="meta">{time(one.at, false)}</span>
          </li>
        ))}
      </ul>
    </Part>
  )
}
