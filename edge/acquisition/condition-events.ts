import type { ConditionReport } from '#edge/drivers/driver.ts'
import { DEVICE_ALARM_VERSION, occurrenceId, pointId, uuidV8 } from '#shared/alarms/identity.ts'
import type { AlarmEvent, AlarmTransition } from '#shared/contracts/alarm-event.ts'
import type { Priority } from '#shared/contracts/priority.ts'

/** Whose alarms they are. */
export interface ConditionSource {
  readonly group: string
  readonly edge: string
  readonly device: string
}

/** Turns what a device says of its own alarms into lines of the alarm log. */
export interface ConditionLog {
  /** What happened since the last report of the same condition; nothing when it says the same again. */
  take(report: ConditionReport, now: number): AlarmEvent[]
  /** The alarm of a point as it stands; undefined when the device reports none such, or needs nobody for it any more. */
  find(pointId: string): StandingAlarm | undefined
}

/** What an acknowledgement of a device's own alarm has to name. */
export interface StandingAlarm {
  readonly condition: string
  readonly eventId: Uint8Array
}

interface Known {
  readonly isActive: boolean
  readonly isAcknowledged: boolean
  readonly beganAt: number
  readonly count: number
  readonly eventId: Uint8Array
}

const NORMAL: Known = { isActive: false, isAcknowledged: true, beganAt: 0, count: 0, eventId: new Uint8Array() }

/** Nothing is known of any condition yet: what stands then has happened at its own time. */
export function createConditionLog(source: ConditionSource): ConditionLog {
  const known = new Map<string, Known>()
  return {
    take(report, now) {
      const before = known.get(report.condition) ?? NORMAL
      const after = next(before, report)
      if (report.isRetained || after.isActive) known.set(report.condition, after)
      else known.delete(report.condition)
      return transitionsOf(before, after).map((transition) => eventOf(source, report, { transition, after, now }))
    },
    find(id) {
      for (const [condition, { eventId }] of known) {
        if (pointId(pathOf(source, condition)) === id) return { condition, eventId }
      }
      return undefined
    },
  }
}

const pathOf = ({ group, edge, device }: ConditionSource, condition: string) =>
  `${group}/${edge}/${device}/${condition}`

function next(before: Known, { isActive, isAcknowledged, at, eventId }: ConditionReport): Known {
  const isNew = before.count === 0 || (before.isAcknowledged && !before.isActive && isActive)
  const isRaised = isActive && !before.isActive
  return {
    ...{ isActive, isAcknowledged, eventId },
    beganAt: isNew ? at : before.beganAt,
    count: isNew ? 1 : before.count + (isRaised ? 1 : 0),
  }
}

function transitionsOf(before: Known, after: Known): AlarmTransition[] {
  const isRaised = after.isActive && !before.isActive
  return [
    ...(isRaised ? (['activated'] as const) : []),
    ...(after.isAcknowledged && !before.isAcknowledged ? (['acknowledged'] as const) : []),
    ...(before.isActive && !after.isActive ? (['returned'] as const) : []),
  ]
}

interface Happened {
  readonly transition: AlarmTransition
  readonly after: Known
  readonly now: number
}

function eventOf(source: ConditionSource, report: ConditionReport, happened: Happened): AlarmEvent {
  const { group, edge, device } = source
  const { transition, after, now } = happened
  const path = pathOf(source, report.condition)
  const [point, occurrence] = [pointId(path), occurrenceId(path, DEVICE_ALARM_VERSION, after.beganAt)]
  const isRaised = transition === 'activated'
  return {
    id: uuidV8('alarm-event', point, occurrence, transition, report.at, ''),
    ...{ occurrenceId: occurrence, pointId: point, group, edge, device },
    ...{ tag: report.source || device, alarm: report.name || report.condition, transition },
    ...{ eventAt: report.at, recordedAt: now, state: stateOf(after) },
    condition: after.isActive ? 'active' : 'normal',
    priority: priorityOf(report.severity),
    ...{ isAnnunciated: after.isActive && !after.isAcknowledged, isRaised, count: after.count },
    comment: transition === 'acknowledged' ? report.comment : report.message,
    ...{ reference: report.condition, isLate: false },
  }
}

/** ISA-18.2: A normal, B unacknowledged, C acknowledged, D returned and unacknowledged. */
function stateOf({ isActive, isAcknowledged }: Known) {
  if (isActive) return isAcknowledged ? 'C' : 'B'
  return isAcknowledged ? 'A' : 'D'
}

/** Ranges of OPC UA Part 9 for severities of systems with four priorities. */
function priorityOf(severity: number): Priority {
  if (severity > 800) return 'critical'
  if (severity > 600) return 'high'
  return severity > 300 ? 'medium' : 'low'
}
