import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { moveWorkOrder } from '../../api/acts.ts'
import { peopleQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'

/** Gives the order to somebody; people on duty stand first. */
export function AssignDialog({ order, onClose }: { readonly order: WorkOrder; readonly onClose: () => void }) {
  const { t } = useTexts()
  const [assigneeId, setAssignee] = useState(order.assignee?.id ?? '')
  const people = useQuery(peopleQuery('')).data?.items ?? []
  const able = people
    .filter((person) => person.trades.length > 0)
    .toSorted((a, b) => Number(b.isOnDuty) - Number(a.isOnDuty))
  const id = useId()
  return (
    <Dialog title={t('order.assignTitle')} onClose={onClose}>
      <label className="label" htmlFor={id}>
        <span className="meta">{t('order.assignee')}</span>
        <select id={id} className="field" value={assigneeId} onChange={(event) => setAssignee(event.target.value)}>
          <option value="" />
          {able.map((person) => (
            <option key={person.id} value={person.id}>
              {person.name} {person.isOnDuty ? `· ${t('app.onDuty')}` : ''}
            </option>
          ))}
        </select>
      </label>
      <ActionButton
        isPrimary
        label={t('order.assignSend')}
        reason={assigneeId ? null : t('refusal.assignee')}
        run={(send) => moveWorkOrder(order.id, { to: 'assigned', assigneeId }, send)}
        onDone={onClose}
      />
    </Dialog>
  )
}
