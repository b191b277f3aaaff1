import { useId, useState } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { shelveAlarm } from '../../api/acts.ts'
import { useServerNow } from '../../api/server-time.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Choices } from '../../ui/choices.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'

const MINUTES = [15, 30, 60] as const
const REASONS = ['maintenance', 'nuisance', 'sensor', 'production'] as const
type Reason = (typeof REASONS)[number]

/** Shelves alarms for a time with a reason; the button says until when. */
export function ShelveDialog({ alarms, onClose }: { readonly alarms: readonly Alarm[]; readonly onClose: () => void }) {
  const { t, read, time } = useTexts()
  const now = useServerNow()
  const [minutes, setMinutes] = useState<number>(30)
  const [chip, setChip] = useState<Reason>()
  const [text, setText] = useState('')
  const id = useId()
  const reason = text.trim() || (chip ? t(`alarms.reasons.${chip}`) : '')
  const count = alarms.length
  return (
    <Dialog title={t('alarms.shelveTitle', { count })} onClose={onClose}>
      <ul className="meta">
        {alarms.slice(0, 5).map((alarm) => (
          <li key={alarm.id}>{read(alarm.name)}</li>
        ))}
        {count > 5 ? <li>+{count - 5}</li> : null}
      </ul>
      <h3>{t('alarms.shelveFor')}</h3>
      <Choices
        label={t('alarms.shelveFor')}
        options={MINUTES.map((key) => ({ key, text: t('alarms.minutes', { count: key }) }))}
        chosen={minutes}
        onChoose={setMinutes}
      />
      <h3>{t('alarms.shelveReason')}</h3>
      <Choices
        label={t('alarms.shelveReason')}
        options={REASONS.map((key) => ({ key, text: t(`alarms.reasons.${key}`) }))}
        chosen={chip}
        onChoose={setChip}
      />
      <label className="label" htmlFor={id}>
        <span className="meta">{t('alarms.otherReason')}</span>
        <input id={id} className="field" value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <ActionButton
        isPrimary
        label={t('alarms.shelveUntil', { count, time: time(now + minutes * 60_000, false) })}
        reason={reason ? null : t('alarms.reasonNeeded')}
        run={(send) =>
          Promise.all(
            alarms.map((alarm) => shelveAlarm(alarm.id, { minutes, reason }, { key: `${send.key}:${alarm.id}` })),
          )
        }
        onDone={onClose}
      />
    </Dialog>
  )
}
