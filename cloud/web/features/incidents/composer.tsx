import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { type KeyboardEvent, useRef, useState } from 'react'
import { postMessage } from '../../api/acts.ts'
import { newKey } from '../../ui/action-button.tsx'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import { problemText } from '../../ui/problem.ts'

/** Writes into the room. The text stays until the server has it; sending again after a failure sends it once. */
export function Composer({ channelId }: { readonly channelId: string }) {
  const { t } = useTexts()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [fault, setFault] = useState<string>()
  const [isSending, setSending] = useState(false)
  const key = useRef<string | undefined>(undefined)
  const send = async () => {
    const trimmed = text.trim()
    if (!trimmed || isSending) return
    key.current ??= newKey()
    setSending(true)
    setFault(undefined)
    try {
      await postMessage(channelId, trimmed, { key: key.current })
      key.current = undefined
      setText('')
      void client.invalidateQueries({ queryKey: ['messages', channelId] })
    } catch (error) {
      setFault(t('room.sendFailed', { cause: problemText(t, error) }))
    } finally {
      setSending(false)
    }
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <textarea
        className="field"
        rows={1}
        aria-label={t('room.message')}
        placeholder={t('room.message')}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          key.current = undefined
        }}
        onKeyDown={onKey}
      />
      <Button
        type="primary"
        htmlType="submit"
        aria-label={t('room.send')}
        aria-busy={isSending}
        icon={<Icon name="send" />}
      />
      {fault ? (
        <p className="meta composer-fault" role="alert">
          {fault}
        </p>
      ) : null}
    </form>
  )
}
