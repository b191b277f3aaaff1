import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useState } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import { moveIncident, respondToIncident, type Send } from '../../api/acts.ts'
import { actOf, verbOf } from '../../api/offers.ts'
import { sessionQuery } from '../../api/queries.ts'
import type { ActionOffer } from '../../api/types.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { useActLabel } from '../../ui/words.ts'
import { CallDialog } from './call-dialog.tsx'
import { DispatchDialog } from './dispatch-dialog.tsx'

type Form = 'call' | 'dispatch' | 'decline' | 'cancel'
const FORMS: readonly string[] = ['call', 'dispatch', 'decline', 'cancel'] satisfies readonly Form[]
const isForm = (verb: string): verb is Form => FORMS.includes(verb)

/** The viewer's next act first and big, the other acts behind it. */
export function RoomActs({ incident }: { readonly incident: Incident }) {
  const [form, setForm] = useState<Form>()
  const close = () => setForm(undefined)
  const offers = incident.actions.filter((offer) => offer.action !== 'message')
  const primary = offers.find((offer) => offer.isPrimary)
  const others = offers.filter((offer) => offer !== primary)
  return (
    <>
      {primary ? <Offer incident={incident} offer={primary} onForm={setForm} isPrimary /> : null}
      <div className="row wrap room-others">
        {others.map((offer) => (
          <Offer key={offer.action} incident={incident} offer={offer} onForm={setForm} />
        ))}
      </div>
      {form === 'call' ? <CallDialog incident={incident} onClose={close} /> : null}
      {form === 'dispatch' ? <DispatchDialog incident={incident} onClose={close} /> : null}
      {form === 'decline' ? <DeclineForm incident={incident} onClose={close} /> : null}
      {form === 'cancel' ? <CancelForm incident={incident} onClose={close} /> : null}
    </>
  )
}

function Offer(props: {
  readonly incident: Incident
  readonly offer: ActionOffer
  readonly onForm: (form: Form) => void
  readonly isPrimary?: boolean
}) {
  const { incident, offer } = props
  const { t } = useTexts()
  const actLabel = useActLabel()
  const verb = verbOf('incident', offer.action)
  const label = verb === 'accept' ? t('room.accept') : actLabel(verb)
  if (isForm(verb)) {
    return (
      <Button
        type={props.isPrimary ? 'primary' : 'default'}
        disabled={!offer.isEnabled}
        onClick={() => props.onForm(verb)}
      >
        {label}
      </Button>
    )
  }
  const act = actOf('incident', offer.action)
  if (!act) return null
  return (
    <ActionButton
      label={label}
      isPrimary={props.isPrimary ?? false}
      isBig={props.isPrimary ?? false}
      reason={offer.isEnabled ? null : offer.reason}
      run={(send) => act(incident.id, send)}
    />
  )
}

interface FormProps {
  readonly incident: Incident
  readonly onClose: () => void
}

function DeclineForm({ incident, onClose }: FormProps) {
  const { t } = useTexts()
  const run = (reason: string, send: Send) => respondToIncident(incident.id, { response: 'decline', reason }, send)
  return <ReasonDialog title={t('room.declineTitle')} submit={t('room.declineSend')} run={run} onClose={onClose} />
}

function CancelForm({ incident, onClose }: FormProps) {
  const { t } = useTexts()
  const run = (reason: string, send: Send) => moveIncident(incident.id, 'cancelled', send, reason)
  const title = t('room.cancelTitle', { number: incident.number })
  return <ReasonDialog title={title} submit={t('room.cancelSend')} run={run} onClose={onClose} />
}

/** The viewer's own id; undefined until the session is read. */
export const useOwnId = (): string | undefined => useQuery(sessionQuery).data?.person.id
