import Button from 'antd/es/button'
import { useEffect, useState } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { acknowledgeAlarm, type Send } from '../../api/acts.ts'
import { useLostSince } from '../../api/stream.tsx'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { problemText } from '../../ui/problem.ts'
import type { Bulk } from './alarm-order.ts'

interface BulkBarProps {
  readonly bulk: Bulk
  readonly onClear: () => void
  readonly onShelve: () => void
}

/** Acts on the chosen alarms, or in two presses on all that are shown; never on more than was said. */
export function BulkBar({ bulk, onClear, onShelve }: BulkBarProps) {
  const { t } = useTexts()
  const { chosen, acknowledgeable } = bulk
  const isLost = useLostSince() !== undefined
  const reason = isLost ? t('link.alarmNeedsLive') : null
  const acknowledge = useAcknowledgeAll()
  if (chosen.length === 0) {
    return acknowledgeable.length > 1 ? <AckThese alarms={acknowledgeable} reason={reason} /> : null
  }
  return (
    <div className="row wrap bulk">
      <b className="grow">{t('alarms.selected', { count: chosen.length })}</b>
      {acknowledgeable.length > 0 ? (
        <ActionButton
          isPrimary
          reason={reason}
          label={t('alarms.ackSelected', { count: acknowledgeable.length })}
          run={(send) => acknowledge(acknowledgeable, send)}
          onDone={onClear}
        />
      ) : null}
      <Button onClick={onShelve} disabled={isLost}>
        {t('alarms.shelveSelected', { count: chosen.length })}
      </Button>
      <Button type="text" onClick={onClear}>
        {t('alarms.clearSelection')}
      </Button>
    </div>
  )
}

/** Acknowledges each alarm; what is refused is told with its count and first cause. */
function useAcknowledgeAll() {
  const { t } = useTexts()
  return async (alarms: readonly Alarm[], send: Send) => {
    const results = await Promise.allSettled(
      alarms.map((alarm) => acknowledgeAlarm(alarm.id, { key: `${send.key}:${alarm.id}` })),
    )
    const failed = results.filter((result) => result.status === 'rejected')
    const first = failed[0]
    if (!first) return
    const counts = { done: results.length - failed.length, failed: failed.length }
    throw new Error(t('alarms.partly', { ...counts, cause: problemText(t, first.reason) }))
  }
}

/** How long the second press may take, in ms; then the question goes away. */
const ASK_MS = 8000

function AckThese({ alarms, reason }: { readonly alarms: readonly Alarm[]; readonly reason: string | null }) {
  const { t } = useTexts()
  const [asked, setAsked] = useState<readonly Alarm[]>()
  const acknowledge = useAcknowledgeAll()
  useEffect(() => {
    if (!asked) return
    const timer = setTimeout(() => setAsked(undefined), ASK_MS)
    return () => clearTimeout(timer)
  }, [asked])
  return (
    <div className="row wrap bulk">
      {asked ? (
        <ActionButton
          isPrimary
          reason={reason}
          label={t('alarms.ackTheseConfirm', { count: asked.length })}
          run={(send) => acknowledge(asked, send)}
          onDone={() => setAsked(undefined)}
        />
      ) : (
        <Button onClick={() => setAsked(alarms)} disabled={reason !== null}>
          {t('alarms.ackThese', { count: alarms.length })}
        </Button>
      )}
    </div>
  )
}
