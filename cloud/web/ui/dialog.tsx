import Button from 'antd/es/button'
import { type ReactNode, useEffect, useRef } from 'react'
import { Icon } from './icons.tsx'
import { useTexts } from './language.ts'
import './dialog.css'

/** A form beside the view, never over a live list: a sheet at the right, on a phone from below. Closes with Esc. */
export function Dialog(props: { readonly title: string; readonly onClose: () => void; readonly children: ReactNode }) {
  const { t } = useTexts()
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog ref={element} className="dialog" aria-label={props.title} onCancel={props.onClose} onClose={props.onClose}>
      <header className="row">
        <h2 className="grow">{props.title}</h2>
        <Button type="text" onClick={props.onClose} aria-label={t('action.close')} icon={<Icon name="close" />} />
      </header>
      <div className="dialog-body">{props.children}</div>
    </dialog>
  )
}
