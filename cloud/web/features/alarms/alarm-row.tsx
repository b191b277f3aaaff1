import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { acknowledgeAlarm, unshelveAlarm } from '../../api/acts.ts'
import { useLostSince } from '../../api/stream.tsx'
import { ActionButton } from '../../ui/action-button.tsx'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock } from '../../ui/clock.tsx'
import { formatValue } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'

interface AlarmRowProps {
  readonly alarm: Alarm
  readonly isLeaving: boolean
  readonly isSelected: boolean
  readonly isFocused: boolean
  /** Why the last acknowledgement by key was refused. */
  readonly refusal?: string | undefined
  readonly onToggle: () => void
  readonly onShelve: () => void
}

/** What, where, since when, who has it, what next: one alarm in one line, two on a phone. */
export function AlarmRow(props: AlarmRowProps) {
  const { alarm, isLeaving, isSelected, isFocused } = props
  const { t, read, time } = useTexts()
  const element = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (isFocused) element.current?.scrollIntoView({ block: 'nearest' })
  }, [isFocused])
  const isActive = alarm.flags.includes('active')
  const isAcked = !alarm.flags.includes('unacknowledged')
  const classes = [
    'alarm-row',
    isActive && !isLeaving ? `tint-${alarm.priority}` : '',
    isLeaving ? 'alarm-leaving' : '',
    isFocused ? 'alarm-focused' : '',
  ]
  return (
    <li ref={element} className={classes.join(' ')} aria-current={isFocused}>
      <label className="alarm-select">
        <input type="checkbox" checked={isSelected} onChange={props.onToggle} />
        <span className="sr">
          {t('action.select')} {read(alarm.name)}
        </span>
      </label>
      <PriorityMark priority={alarm.priority} active={isActive} acked={isAcked || isLeaving} size={24} />
      <div className="alarm-what">
        <Link to="/alarms/$id" params={{ id: alarm.id }} className="alarm-name">
          {read(alarm.name)}
        </Link>
        <span className="meta row wrap">
          <AssetPath path={alarm.assetPath} asset={alarm.asset} />
          {alarm.isFirstOut ? <span className="chip">{t('alarms.firstOut')}</span> : null}
          {alarm.incident ? (
            <Link to="/incidents/$id" params={{ id: alarm.incident.number }}>
              {alarm.incident.number}
            </Link>
          ) : null}
        </span>
      </div>
      <AlarmValue alarm={alarm} />
      <span className="alarm-since">{alarm.activeSince ? <Clock since={alarm.activeSince} /> : null}</span>
      <span className="alarm-state">
        <StateBadge kind="alarm" state={alarm.state} flags={alarm.flags} />
        <span className="meta clip">
          {alarm.shelvedUntil
            ? t('alarms.until', { time: time(alarm.shelvedUntil, false) })
            : (alarm.acknowledgedBy?.name ?? '')}
        </span>
      </span>
      <RowActs {...props} isAcked={isAcked} />
    </li>
  )
}

/** The number of a coded state says nothing to people; the alarm's name does. */
const isCode = (alarm: Alarm) => alarm.setpoint === null && alarm.unit === null && typeof alarm.value === 'number'

function AlarmValue({ alarm }: { readonly alarm: Alarm }) {
  const { t, language } = useTexts()
  const format = { yes: t('value.yes'), no: t('value.no'), none: '—' }
  return (
    <span className="alarm-value num">
      <b>{isCode(alarm) ? '' : formatValue(alarm.value, format, language)}</b>{' '}
      <span className="meta">{alarm.unit}</span>
      {alarm.setpoint === null ? null : (
        <span className="meta">
          {' '}
          {alarm.level?.startsWith('L') ? '<' : '>'} {alarm.setpoint}
        </span>
      )}
    </span>
  )
}

function RowActs(props: AlarmRowProps & { readonly isAcked: boolean }) {
  const { alarm } = props
  const { t, read } = useTexts()
  const isLost = useLostSince() !== undefined
  const reason = isLost ? t('link.alarmNeedsLive') : null
  if (props.isLeaving) return <span className="alarm-acts" />
  return (
    <span className="alarm-acts">
      {props.isAcked ? null : (
        <ActionButton
          label={t('alarms.ack')}
          description={read(alarm.name)}
          reason={reason}
          refusal={props.refusal}
          run={(send) => acknowledgeAlarm(alarm.id, send)}
        />
      )}
      {alarm.shelvedUntil ? (
        <ActionButton
          label={t('alarms.unshelve')}
          description={read(alarm.name)}
          reason={reason}
          run={(send) => unshelveAlarm(alarm.id, send)}
        />
      ) : (
        <button
          type="button"
          className="alarm-shelve"
          disabled={isLost}
          onClick={props.onShelve}
          aria-label={`${t('alarms.shelve')} ${read(alarm.name)}`}
        >
          {t('alarms.shelve')}
        </button>
      )}
    </span>
  )
}
