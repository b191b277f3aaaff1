import Button from 'antd/es/button'
import { useState } from 'react'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { moveWorkOrder, type Send } from '../../api/acts.ts'
import { actOf, verbOf } from '../../api/offers.ts'
import type { ActionOffer } from '../../api/types.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { reasonText } from '../../ui/problem.ts'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { useActLabel } from '../../ui/words.ts'
import { AssignDialog } from './assign-dialog.tsx'
import { FinishDialog } from './finish-dialog.tsx'

type Form = 'finish' | 'hold' | 'reject' | 'cancel' | 'assign'
const FORMS: readonly string[] = ['finish', 'hold', 'reject', 'cancel', 'assign'] satisfies readonly Form[]
const isForm = (verb: string): verb is Form => FORMS.includes(verb)

/** Steps aside or back: never the next act, even when nothing else can be done now. */
const ASIDE: readonly string[] = ['hold', 'reject', 'cancel']

/** Finish stays the next act while something is missing: its form says what. */
const offersOf = (order: WorkOrder) => {
  const verb = (offer: ActionOffer) => verbOf('work-order', offer.action)
  const primary =
    order.actions.find((offer) => verb(offer) === 'finish') ??
    order.actions.find((offer) => offer.isPrimary && !ASIDE.includes(verb(offer)))
  return { primary, others: order.actions.filter((offer) => offer !== primary) }
}

/** The next act of this person on the order: Accept, Arrived, Start, Finish, then Verify and Close for the lead. */
export function PrimaryAct({ order, isBig = false }: { readonly order: WorkOrder; readonly isBig?: boolean }) {
  const { primary } = offersOf(order)
  const [form, setForm] = useState<Form>()
  if (!primary) return null
  return (
    <>
      <Offer key={primary.action} order={order} offer={primary} onForm={setForm} isPrimary isBig={isBig} />
      <FormOf order={order} form={form} onClose={() => setForm(undefined)} />
    </>
  )
}

/** What else may be done. */
export function OtherActs({ order }: { readonly order: WorkOrder }) {
  const { others } = offersOf(order)
  const [form, setForm] = useState<Form>()
  return (
    <div className="row wrap order-others">
      {others.map((offer) => (
        <Offer key={offer.action} order={order} offer={offer} onForm={setForm} />
      ))}
      <FormOf order={order} form={form} onClose={() => setForm(undefined)} />
    </div>
  )
}

function Offer(props: {
  readonly order: WorkOrder
  readonly offer: ActionOffer
  readonly onForm: (form: Form) => void
  readonly isPrimary?: boolean
  readonly isBig?: boolean
}) {
  const { order, offer, isPrimary = false, isBig = false } = props
  const { t } = useTexts()
  const actLabel = useActLabel()
  const verb = verbOf('work-order', offer.action)
  const label = verb === 'reject' && order.state !== 'done' ? t('order.giveBack') : actLabel(verb)
  if (isForm(verb)) {
    return (
      <span className={isBig ? 'act act-big' : 'act'}>
        <Button
          type={isPrimary ? 'primary' : 'default'}
          disabled={!offer.isEnabled && verb !== 'finish'}
          onClick={() => props.onForm(verb)}
        >
          {label}
        </Button>
      </span>
    )
  }
  const act = actOf('work-order', offer.action)
  if (!act) return null
  return (
    <ActionButton
      label={label}
      isPrimary={isPrimary}
      isBig={isBig}
      reason={offer.isEnabled ? null : reasonText(t, offer.reason)}
      run={(send) => act(order.id, send)}
    />
  )
}

function FormOf({
  order,
  form,
  onClose,
}: {
  readonly order: WorkOrder
  readonly form: Form | undefined
  readonly onClose: () => void
}) {
  const { t } = useTexts()
  const to = (state: string) => (reason: string, send: Send) => moveWorkOrder(order.id, { to: state, reason }, send)
  if (form === 'finish') return <FinishDialog order={order} onClose={onClose} />
  if (form === 'assign') return <AssignDialog order={order} onClose={onClose} />
  if (form === 'hold') {
    const chips = (['parts', 'permit', 'production', 'other'] as const).map((key) => ({
      key,
      text: t(`words.hold.${key}`),
    }))
    return (
      <ReasonDialog
        title={t('order.holdTitle')}
        submit={t('order.holdSend')}
        chips={chips}
        run={to('on_hold')}
        onClose={onClose}
      />
    )
  }
  if (form === 'reject') {
    const isRework = order.state === 'done'
    const submit = isRework ? t('order.rejectSend', { name: order.assignee?.name ?? '' }) : t('order.giveBack')
    const title = isRework ? t('order.rejectTitle') : t('order.giveBackTitle')
    return <ReasonDialog title={title} submit={submit} run={to('rejected')} onClose={onClose} />
  }
  if (form === 'cancel') {
    return (
      <ReasonDialog
        title={t('order.cancelTitle')}
        submit={t('order.cancelSend')}
        run={to('cancelled')}
        onClose={onClose}
      />
    )
  }
  return null
}
