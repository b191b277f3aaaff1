import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { acknowledgeAlarm } from '../../api/acts.ts'
import { newKey } from '../../ui/action-button.tsx'

interface KeyInput {
  readonly rows: readonly Alarm[]
  readonly focused: string | undefined
  readonly onFocus: (id: string) => void
  readonly onToggle: (id: string) => void
  readonly onShelve: (alarm: Alarm) => void
}

/** A key belongs to the list unless somebody writes, or a form is open. */
function isForList(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return false
  return !(event.target instanceof HTMLElement && event.target.closest('input, select, textarea, [contenteditable]'))
}

/** j k move, x selects, a acknowledges, s shelves, Enter opens. */
export function useAlarmKeys(input: KeyInput): void {
  const navigate = useNavigate()
  const client = useQueryClient()
  useEffect(() => {
    const acts: Readonly<Record<string, (alarm: Alarm) => void>> = {
      x: (alarm) => input.onToggle(alarm.id),
      s: (alarm) => input.onShelve(alarm),
      Enter: (alarm) => void navigate({ to: '/alarms/$id', params: { id: alarm.id } }),
      a: (alarm) => {
        if (!alarm.flags.includes('unacknowledged')) return
        const settle = () => void client.invalidateQueries({ queryKey: ['alarms'] })
        acknowledgeAlarm(alarm.id, { key: newKey() }).then(settle, settle)
      },
    }
    const move = (step: number) => {
      const at = input.rows.findIndex((alarm) => alarm.id === input.focused)
      const next = input.rows[Math.min(input.rows.length - 1, Math.max(0, at + step))]
      if (next) input.onFocus(next.id)
    }
    const onKey = (event: KeyboardEvent) => {
      if (!isForList(event)) return
      if (event.key === 'j') return move(1)
      if (event.key === 'k') return move(-1)
      const alarm = input.rows.find((row) => row.id === input.focused)
      const isOnControl = event.key === 'Enter' && document.activeElement?.matches('a, button')
      if (alarm && !isOnControl) acts[event.key]?.(alarm)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}
