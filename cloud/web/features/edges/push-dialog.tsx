import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useId, useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { ConfigurationPush } from '#shared/contracts/edge-configuration.ts'
import { pushConfiguration } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { useBoxWords } from './box-words.ts'
import { useDraft } from './draft.ts'
import { FaultList } from './fault-list.tsx'

export interface PushDialogProps {
  readonly edge: Edge
  readonly version: number
  readonly title: string
  readonly submit: string
  /** What this push means besides what every push does. */
  readonly says?: string
  /** Hash of what lies on the box, to overwrite what was changed there. */
  readonly replaces?: string | undefined
  readonly onClose: (isTaken: boolean) => void
}

/** Asks why, sends a version, and tells what the box made of it. */
export function PushDialog(props: PushDialogProps) {
  const { t } = useTexts()
  const { edge, version, replaces } = props
  const client = useQueryClient()
  const id = useId()
  const [reason, setReason] = useState('')
  const [push, setPush] = useState<ConfigurationPush>()
  const { start } = useDraft(edge.id)
  const close = () => {
    // What the box refused is corrected where it can be: in the editor, with the faults marked.
    if (push && push.faults.length > 0) void start(push.version, push.faults)
    props.onClose(push?.status === 'done')
  }
  return (
    <Dialog title={props.title} onClose={close}>
      {props.says ? <p>{props.says}</p> : null}
      <p>{t('edges.configuration.pushSays')}</p>
      {push ? (
        <Outcome push={push} onClose={close} />
      ) : (
        <>
          <label className="label" htmlFor={id}>
            <span className="meta">{t('edges.configuration.reason')}</span>
            <textarea
              id={id}
              className="field"
              rows={3}
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </label>
          <ActionButton
            isPrimary
            isBig
            label={props.submit}
            reason={reason.trim() ? null : t('edges.configuration.reasonNeeded')}
            run={async (send) => {
              const input = { version, reason: reason.trim(), ...(replaces ? { replaces } : {}) }
              setPush(await pushConfiguration(edge.id, input, send))
              await client.invalidateQueries({ queryKey: ['edges'] })
            }}
          />
        </>
      )}
    </Dialog>
  )
}

function Outcome({ push, onClose }: { readonly push: ConfigurationPush; readonly onClose: () => void }) {
  const { t } = useTexts()
  const { refusal } = useBoxWords()
  return (
    <>
      <p role="status">
        <b>
          {push.status === 'done' ? '✓ ' : '! '}
          {t('edges.version', { version: push.version })}:{' '}
          {t(`edges.configuration.outcome.${push.status ?? 'pending'}`)}
        </b>
      </p>
      {push.faults.length > 0 ? <FaultList faults={push.faults} /> : null}
      {push.faults.length === 0 && push.error ? <p>{refusal(push, push.error)}</p> : null}
      <Button onClick={onClose}>
        {push.faults.length > 0 ? t('edges.configuration.toFaults') : t('action.close')}
      </Button>
    </>
  )
}
