import { useId, useState } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import { createWorkOrder } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'

/** Dispatches a work order from the incident: what, and for whom. */
export function DispatchDialog({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }) {
  const { t, read } = useTexts()
  const [title, setTitle] = useState(read(incident.title))
  const [assignee, setAssignee] = useState(incident.acceptedBy[0]?.id ?? '')
  const [titleId, whoId] = [useId(), useId()]
  return (
    <Dialog title={t('room.dispatchTitle')} onClose={onClose}>
      <label className="label" htmlFor={titleId}>
        <span className="meta">{t('room.dispatchWhat')}</span>
        <textarea
          id={titleId}
          className="field"
          rows={2}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <label className="label" htmlFor={whoId}>
        <span className="meta">{t('room.dispatchWho')}</span>
        <select id={whoId} className="field" value={assignee} onChange={(event) => setAssignee(event.target.value)}>
          <option value="">{t('room.dispatchSomebody')}</option>
          {incident.responders.map((responder) => (
            <option key={responder.person.id} value={responder.person.id}>
              {responder.person.name}
            </option>
          ))}
        </select>
      </label>
      <ActionButton
        isPrimary
        label={t('room.dispatchSend')}
        reason={title.trim() ? null : t('room.dispatchWhat')}
        run={(send) =>
          createWorkOrder(
            {
              assetId: incident.asset.id,
              incidentId: incident.id,
              title: title.trim(),
              ...(assignee ? { assigneeId: assignee } : {}),
            },
            send,
          )
        }
        onDone={onClose}
      />
    </Dialog>
  )
}
