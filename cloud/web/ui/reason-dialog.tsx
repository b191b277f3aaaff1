import { useId, useState } from 'react'
import type { Send } from '../api/acts.ts'
import { ActionButton } from './action-button.tsx'
import { Choices } from './choices.tsx'
import { Dialog } from './dialog.tsx'
import { useTexts } from './language.ts'

/** Asks for the reason that an act needs: chips first, free text last; the button names the consequence. */
export function ReasonDialog(props: {
  readonly title: string
  /** What the act does, before anything is asked. */
  readonly says?: string
  readonly submit: string
  readonly chips?: readonly { readonly key: string; readonly text: string }[]
  readonly run: (reason: string, send: Send) => Promise<unknown>
  readonly onClose: () => void
}) {
  const { t } = useTexts()
  const [chip, setChip] = useState<string>()
  const [text, setText] = useState('')
  const id = useId()
  const reason = text.trim() || chip || ''
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.says ? <p>{props.says}</p> : null}
      {props.chips ? <Choices label={t('room.reason')} options={props.chips} chosen={chip} onChoose={setChip} /> : null}
      <label className="label" htmlFor={id}>
        <span className="meta">{t('room.reason')}</span>
        <textarea id={id} className="field" rows={3} value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <ActionButton
        isPrimary
        label={props.submit}
        reason={reason ? null : t('alarms.reasonNeeded')}
        run={(send) => props.run(reason, send)}
        onDone={props.onClose}
      />
    </Dialog>
  )
}
