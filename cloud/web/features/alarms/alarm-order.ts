import type { Alarm } from '#shared/contracts/alarm.ts'
import { PRIORITIES } from '#shared/contracts/priority.ts'

const isUnacknowledged = (alarm: Alarm) => alarm.flags.includes('unacknowledged')
const since = (alarm: Alarm) => alarm.activeSince ?? alarm.changedAt

/** Order of the alarm list: unacknowledged first, then priority, then newest. */
export function byUrgency(a: Alarm, b: Alarm): number {
  const acknowledged = Number(isUnacknowledged(b)) - Number(isUnacknowledged(a))
  const priority = PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority)
  return acknowledged || priority || since(b).localeCompare(since(a))
}

/** Alarms of one asset together, first-out first; the asset with the worst alarm on top. */
export function groupByAsset(alarms: readonly Alarm[]): readonly Alarm[] {
  const groups = new Map<string, Alarm[]>()
  for (const alarm of alarms.toSorted(byUrgency)) {
    const key = alarm.asset?.id ?? alarm.tagPath.split('/').slice(0, 3).join('/')
    groups.set(key, [...(groups.get(key) ?? []), alarm])
  }
  const firstOut = (a: Alarm, b: Alarm) =>
    Number(b.isFirstOut) - Number(a.isFirstOut) || since(a).localeCompare(since(b))
  return [...groups.values()].flatMap((group) => group.toSorted(firstOut))
}

const FLOOD_MS = 600_000

/** Alarms raised in the last ten minutes. Over ten is a flood for one operator (ISA-18.2). */
export function floodCount(alarms: readonly Alarm[], now: number): number {
  return alarms.filter((alarm) => alarm.activeSince !== null && now - Date.parse(alarm.activeSince) < FLOOD_MS).length
}

/** What the bulk bar acts on: the chosen alarms, or every unacknowledged one that is shown. */
export interface Bulk {
  readonly chosen: readonly Alarm[]
  readonly acknowledgeable: readonly Alarm[]
}

/** At most so many alarms are acted on at once. */
const BULK_LIMIT = 200

export function bulkOf(shown: readonly Alarm[], chosen: readonly Alarm[]): Bulk {
  const from = chosen.length > 0 ? chosen : shown
  return { chosen: chosen.slice(0, BULK_LIMIT), acknowledgeable: from.filter(isUnacknowledged).slice(0, BULK_LIMIT) }
}
