import type { Tx } from '#cloud/platform/database/database.ts'
import { newId } from '#cloud/platform/id.ts'
import type { OrganisationSeed, SeedSchedule } from '#shared/contracts/organisation-seed.ts'
import { onCallStore } from './store.ts'

export interface ImportScope {
  readonly org: string
  readonly at: Date
  /** Ids of people by their key in the file. */
  readonly people: ReadonlyMap<string, string>
}

/** Adds the schedules of the file that are not there yet; the first turn begins with the day of the import. */
export async function importSchedules(tx: Tx, seed: OrganisationSeed, scope: ImportScope): Promise<void> {
  const store = onCallStore(tx)
  const known = new Set((await store.schedules()).map((row) => row.key))
  for (const [position, schedule] of seed.schedules.entries()) {
    if (known.has(schedule.schedule)) continue
    const id = newId()
    await store.addSchedule({
      id,
      org_id: scope.org,
      key: schedule.schedule,
      name: schedule.name,
      trade: schedule.trade,
      time_zone: schedule.timeZone,
      fallback_role: schedule.fallback,
      escalate_after_minutes: schedule.escalateAfterMinutes,
      position,
    })
    await importLayers(tx, schedule, { ...scope, scheduleId: id })
  }
}

async function importLayers(
  tx: Tx,
  schedule: SeedSchedule,
  scope: ImportScope & { scheduleId: string },
): Promise<void> {
  const layers = [
    ['primary', schedule.primary],
    ['backup', schedule.backup ?? []],
  ] as const
  for (const [layer, people] of layers.filter(([, keys]) => keys.length > 0)) {
    await onCallStore(tx).addRotation({
      id: newId(),
      org_id: scope.org,
      schedule_id: scope.scheduleId,
      layer,
      starts_at: startOfDay(scope.at, schedule.timeZone),
      turn_hours: schedule.turnHours,
      person_ids: people.flatMap((key) => scope.people.get(key) ?? []),
    })
  }
}

/** Midnight in the zone at which the day of `at` began. Zones of whole minutes; a day of changed clocks may be off by an hour. */
export function startOfDay(at: Date, timeZone: string): Date {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(at)
  const of = (type: string) => Number(parts.find((p) => p.type === type)?.value ?? 0)
  const sinceMidnightMs = ((of('hour') * 60 + of('minute')) * 60 + of('second')) * 1000 + at.getMilliseconds()
  return new Date(at.getTime() - sinceMidnightMs)
}
