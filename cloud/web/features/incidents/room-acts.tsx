import Button from 'antd/es/button'
import { useState } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import { moveIncident, respondToIncident, type Send } from '../../api/acts.ts'
import { actOf, verbOf } from '../../api/offers.ts'
import type { ActionOffer } from '../../api/types.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { reasonText } from '../../ui/problem.ts'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { useActLabel } from '../../ui/words.ts'
import { CallDialog } from './call-dialog.tsx'

type Form = 'call' | 'decline' | 'restore' | 'cancel'
const FORMS: readonly string[] = ['call', 'decline', 'restore', 'cancel'] satisfies readonly Form[]
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
      {primary ? <Offer key={primary.action} incident={incident} offer={primary} onForm={setForm} isPrimary /> : null}
      <div className="row wrap room-others">
        {others.map((offer) => (
          <Offer key={offer.action} incident={incident} offer={offer} onForm={setForm} />
        ))}
      </div>
      {form === 'call' ? <CallDialog incident={incident} onClose={close} /> : null}
      {form === 'restore' ? <RestoreForm incident={incident} onClose={close} /> : null}
      {form === 'decline' ? <DeclineForm incident={incident} onClose={close} /> : null}
      {form === 'cancel' ? <CancelForm incident={incident} onClose={close} /> : null}
    </>
  )
}

/** Here accepting says that one goes, and a restore says that it is by hand. */
function useVerbLabel() {
  const { t } = useTexts()
  const actLabel = useActLabel()
  return (verb: string) => {
    if (verb === 'accept') return t('room.accept')
    return verb === 'restore' ? t('room.restoreByHand') : actLabel(verb)
  }
}

function Offer(props: {
  readonly incident: Incident
  readonly offer: ActionOffer
  readonly onForm: (form: Form) => void
  readonly isPrimary?: boolean
}) {
  const { incident, offer } = props
  const { t } = useTexts()
  const labelOf = useVerbLabel()
  const verb = verbOf('incident', offer.action)
  const label = labelOf(verb)
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
      reason={offer.isEnabled ? null : reasonText(t, offer.reason)}
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

/** A restore that no state tag proves is marked as set by hand, with its reason. */
function RestoreForm({ incident, onClose }: FormProps) {
  const { t } = useTexts()
  const run = (reason: string, send: Send) => moveIncident(incident.id, 'restored', send, reason)
  const title = t('room.restoreByHand')
  return <ReasonDialog title={title} submit={title} run={run} onClose={onClose} />
}

function CancelForm({ incident, onClose }: FormProps) {
  const { t } = useTexts()
  const run = (reason: string, send: Send) => moveIncident(incident.id, 'cancelled', send, reason)
  const title = t('room.cancelTitle', { number: incident.number })
  return <ReasonDialog title={title} submit={t('room.cancelSend')} run={run} onClose={onClose} />
}
