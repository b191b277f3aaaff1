import Button from 'antd/es/button'
import { type ReactNode, useRef, useState } from 'react'
import type { Send } from '../api/acts.ts'
import { useTexts } from './language.ts'
import { problemText } from './problem.ts'
import './action-button.css'

export interface ActionButtonProps {
  readonly label: string
  /** Sends the command; it is done when this resolves, refused when it rejects. Never shown as done before. */
  readonly run: (send: Send) => Promise<unknown>
  readonly isPrimary?: boolean
  /** Why it is not possible now; shown, not hidden. */
  readonly reason?: string | null
  /** Why the same act was refused when it was started without this button, as by a key. */
  readonly refusal?: string | undefined
  readonly isBig?: boolean
  readonly isSmall?: boolean
  readonly icon?: ReactNode
  readonly onDone?: () => void
  /** Says more than the label for those who cannot see what it stands beside. */
  readonly description?: string
}

type Phase = { readonly is: 'idle' | 'sending' | 'done' } | { readonly is: 'refused'; readonly cause: string }

/** A key that names one intention; pressing again after a failed sending repeats the same intention. */
export const newKey = (): string => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`

/** How long "done" stays before the button offers itself again, in ms. */
const SHOWN_MS = 3000

/** Sends a command and follows it: sending, then done with the time, or refused with the cause. */
export function useAction(run: (send: Send) => Promise<unknown>, onDone?: () => void) {
  const { t } = useTexts()
  const [phase, setPhase] = useState<Phase>({ is: 'idle' })
  const key = useRef<string | undefined>(undefined)
  const start = async () => {
    if (phase.is === 'sending') return
    key.current ??= newKey()
    setPhase({ is: 'sending' })
    try {
      await run({ key: key.current })
      key.current = undefined
      setPhase({ is: 'done' })
      setTimeout(() => setPhase((now) => (now.is === 'done' ? { is: 'idle' } : now)), SHOWN_MS)
      onDone?.()
    } catch (error) {
      setPhase({ is: 'refused', cause: problemText(t, error) })
    }
  }
  return { phase, start }
}

/** Why it was refused: by this button, else elsewhere, until it is pressed here. */
function refusalOf(phase: Phase, elsewhere: string | undefined): string | undefined {
  if (phase.is === 'refused') return phase.cause
  return phase.is === 'idle' ? elsewhere : undefined
}

/** One act of the viewer. Grey or accent, never red; the label stays, its outcome stands beside it. */
export function ActionButton(props: ActionButtonProps) {
  const { t } = useTexts()
  const { phase, start } = useAction(props.run, props.onDone)
  const isSending = phase.is === 'sending'
  const refusal = refusalOf(phase, props.refusal)
  const label = isSending ? t('action.sending') : props.label
  return (
    <span className={props.isBig ? 'act act-big' : 'act'}>
      <Button
        type={props.isPrimary ? 'primary' : 'default'}
        size={props.isSmall ? 'small' : 'medium'}
        disabled={Boolean(props.reason)}
        aria-busy={isSending}
        icon={props.icon}
        onClick={(event) => {
          event.stopPropagation()
          void start()
        }}
        {...(props.description ? { 'aria-label': `${label} ${props.description}` } : {})}
      >
        {phase.is === 'done' ? `✓ ${label}` : label}
      </Button>
      <span className="act-said" role="status">
        {refusal ? t('action.refused', { cause: refusal }) : (props.reason ?? null)}
      </span>
    </span>
  )
}
