import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Card as CardShape } from '#shared/contracts/message.ts'
import { actOf, verbOf } from '../api/offers.ts'
import { cardQuery } from '../api/queries.ts'
import { ActionButton } from './action-button.tsx'
import { useTexts } from './language.ts'
import { reasonText } from './problem.ts'
import { useActLabel, useFieldLabel, useStateWord } from './words.ts'
import './card.css'

/** A record's current state for this viewer, the same wherever it is shown; acts where it stands. */
export function Card({ recordId }: { readonly recordId: string }) {
  const card = useQuery(cardQuery(recordId))
  const { t } = useTexts()
  if (card.data) return <CardView card={card.data} />
  if (card.error) return <p className="card meta">{t('error.notFound')}</p>
  return <div className="card skeleton" style={{ height: 96 }} />
}

/** Fields that name a moment come as RFC 3339. */
const isInstant = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:/.test(value)

function CardView({ card }: { readonly card: CardShape }) {
  const { t, read, time } = useTexts()
  const stateWord = useStateWord()
  const fieldLabel = useFieldLabel()
  const actLabel = useActLabel()
  const offers = card.actions.filter((offer) => actOf(card.record.type, offer.action))
  return (
    <article className="card">
      <header className="row">
        <Link to={card.href} className="card-number">
          {card.record.number ?? read(card.record.title)}
        </Link>
        <span className="state">{stateWord(card.record.type, card.record.state)}</span>
      </header>
      <p>{read(card.record.title)}</p>
      <dl className="card-fields">
        {card.fields.map((field) => (
          <div key={field.key}>
            <dt className="meta">{fieldLabel(field.key)}</dt>
            <dd>{isInstant(field.value) ? time(field.value, false) : read(field.value)}</dd>
          </div>
        ))}
      </dl>
      {offers.length > 0 ? (
        <div className="row wrap">
          {offers.map((offer) => (
            <ActionButton
              key={offer.action}
              label={actLabel(verbOf(card.record.type, offer.action))}
              isPrimary={offer.isPrimary}
              reason={offer.isEnabled ? null : reasonText(t, offer.reason)}
              run={async (send) => actOf(card.record.type, offer.action)?.(card.record.id, send)}
            />
          ))}
        </div>
      ) : null}
    </article>
  )
}
