import { type AlarmInput, DEVICE_ALARM_VERSION } from '#shared/alarms/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import type { PointSlot } from './work.ts'

/**
 * Alarms that a device judges itself (OPC UA Part 9). What it says is taken as it comes: its condition is a switch of which the
 * device alone knows when it turns, so the same engine makes the same ids as the edge. Everything else about the alarm, as
 * acknowledgement and shelving, is kept here as for all others.
 */
export const isDeviceAlarm = ({ rule }: Pick<PointSlot, 'rule'>): boolean => rule.version === DEVICE_ALARM_VERSION

/** The device's own key of the alarm, by which edge and cloud name its point. */
export const deviceAlarmKey = ({ reference, alarm }: AlarmEvent): string => reference ?? alarm

/** What stands in the place of the definition that an alarm of a device does not have. */
export function deviceAlarmDefinition(event: AlarmEvent): AlarmDefinition {
  return {
    alarm: deviceAlarmKey(event),
    name: { en: event.alarm, 'zh-CN': event.alarm },
    tag: event.tag,
    priority: event.priority,
    condition: { kind: 'discrete', abnormal: [true] },
  }
}

/** True when the device raises an alarm in other words than before; what it says at the end of one is often less. */
export function isRedefined(before: AlarmDefinition, event: AlarmEvent): boolean {
  if (event.transition !== 'activated') return false
  return before.name.en !== event.alarm || before.tag !== event.tag || before.priority !== event.priority
}

/** What an event means to the engine; undefined when it changes nothing, as one of before the present activation. */
export function deviceAlarmInput({ state }: PointSlot, event: AlarmEvent): AlarmInput | undefined {
  const at = event.eventAt
  switch (event.transition) {
    case 'activated':
      return { kind: 'sample', at, value: true, quality: GOOD }
    case 'returned':
      return { kind: 'sample', at, value: false, quality: GOOD }
    case 'acknowledged':
      if (at < (state.occurrence?.activatedAt ?? 0)) return undefined
      return { kind: 'acknowledge', at, by: event.by ?? '', comment: event.comment }
    default:
      return undefined
  }
}
