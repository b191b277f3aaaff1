import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { acknowledgeAlarm } from '../../api/acts.ts'
import { useLostSince } from '../../api/stream.tsx'
import { newKey } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { problemText } from '../../ui/problem.ts'

interface KeyInput {
  readonly rows: readonly Alarm[]
  readonly focused: string | undefined
  readonly onFocus: (id: string) => void
  readonly onToggle: (id: string) => void
  readonly onShelve: (alarm: Alarm) => void
  /** Tells why an acknowledgement was refused; undefined when it is tried anew. */
  readonly onRefusal: (id: string, cause: string | undefined) => void
}

/** A key belongs to the list unless somebody writes, or a form is open. */
function isForList(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return false
  return !(event.target instanceof HTMLElement && event.target.closest('input, select, textarea, [contenteditable]'))
}

/** What each key does with the focused alarm; others do nothing. */
function useKeyActs(input: KeyInput): (key: string, alarm: Alarm) => void {
  const navigate = useNavigate()
  const acknowledge = useAcknowledge(input)
  return (key, alarm) => {
    if (key === 'x') input.onToggle(alarm.id)
    if (key === 's') input.onShelve(alarm)
    if (key === 'Enter') void navigate({ to: '/alarms/$id', params: { id: alarm.id } })
    if (key === 'a' && alarm.flags.includes('unacknowledged')) void acknowledge(alarm.id)
  }
}

/** Acknowledges as the button of the row does: only on a live list, and a refusal is told. */
function useAcknowledge({ onRefusal }: KeyInput): (id: string) => Promise<void> {
  const { t } = useTexts()
  const client = useQueryClient()
  const isLost = useLostSince() !== undefined
  return async (id) => {
    // The row says already that it needs the live list.
    if (isLost) return
    onRefusal(id, undefined)
    try {
      await acknowledgeAlarm(id, { key: newKey() })
    } catch (error) {
      onRefusal(id, problemText(t, error))
    }
    void client.invalidateQueries({ queryKey: ['alarms'] })
  }
}

const STEPS: Readonly<Record<string, number>> = { j: 1, k: -1 }

/** Enter on a link or a button belongs to it. */
const isOnControl = (key: string) => key === 'Enter' && document.activeElement?.matches('a, button, summary') === true

/** j k move, x selects, a acknowledges, s shelves, Enter opens. */
export function useAlarmKeys(input: KeyInput): void {
  const act = useKeyActs(input)
  useEffect(() => {
    const move = (step: number) => {
      const at = input.rows.findIndex((alarm) => alarm.id === input.focused)
      const next = input.rows[Math.min(input.rows.length - 1, Math.max(0, at + step))]
      if (next) input.onFocus(next.id)
    }
    const onKey = (event: KeyboardEvent) => {
      if (!isForList(event)) return
      const step = STEPS[event.key]
      if (step !== undefined) return move(step)
      const alarm = input.rows.find((row) => row.id === input.focused)
      if (alarm && !isOnControl(event.key)) act(event.key, alarm)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}
