import type { Incident } from '#shared/contracts/incident.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { PersonChip } from '../../ui/person-chip.tsx'

type Responder = Incident['responders'][number]

/** Everybody who was called with their own clock: called, delivered, seen, accepted, arrived or declined. */
export function People({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  return (
    <section className="panel room-people">
      <header>
        <h2 className="grow">{t('room.people')}</h2>
        <span className="num">{incident.responders.length}</span>
      </header>
      {incident.responders.length === 0 ? <EmptyState kind="nothing-yet" title={t('room.peopleEmpty')} /> : null}
      <ul>
        {incident.responders.map((responder) => (
          <li key={responder.person.id} className="responder">
            <span className="row">
              <span className="grow">
                <PersonChip person={responder.person} />
              </span>
              {responder.trade ? <span className="chip">{t(`words.trade.${responder.trade}`)}</span> : null}
            </span>
            <Steps responder={responder} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Steps({ responder }: { readonly responder: Responder }) {
  const { t, time } = useTexts()
  const steps = stepsOf(responder)
  const words = steps.map(([step, at]) => t(`room.${step}`, { time: time(at) }))
  const isWaiting = responder.acceptedAt === null && responder.declinedAt === null && responder.arrivedAt === null
  return (
    <p className="meta responder-steps">
      {words.join(' · ')}
      {responder.etaMinutes !== null && !responder.arrivedAt ? (
        <b> {t('room.eta', { count: responder.etaMinutes })}</b>
      ) : null}
      {isWaiting && responder.seenAt === null ? <b> · {t('room.noAnswer')}</b> : null}
    </p>
  )
}

/** The steps that were taken, in the order of time. */
function stepsOf(responder: Responder): (readonly ['asked' | 'seen' | 'accepted' | 'arrived' | 'declined', string])[] {
  const all = [
    ['asked', responder.pagedAt],
    ['seen', responder.seenAt],
    ['accepted', responder.acceptedAt],
    ['arrived', responder.arrivedAt],
    ['declined', responder.declinedAt],
  ] as const
  return all.flatMap(([step, at]) => (at === null ? [] : [[step, at] as const]))
}
