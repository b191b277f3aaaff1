import type { Tx } from '#cloud/platform/database/database.ts'
import type { DutyPlan, Rotation } from './rotation.ts'
import { onCallStore, type RotationRow, type ScheduleRow } from './store.ts'

/** A schedule with its layers, ready to be asked. */
export interface SchedulePlan extends DutyPlan {
  readonly schedule: ScheduleRow
}

/** Every schedule of the organisation with the overrides that are not over at `at`. */
export async function loadPlans(tx: Tx, at: Date): Promise<SchedulePlan[]> {
  const store = onCallStore(tx)
  const [schedules, rotations, overrides] = [
    await store.schedules(),
    await store.rotations(),
    await store.overrides(at),
  ]
  return schedules.map((schedule) => {
    const layer = (name: string) => rotations.find((r) => r.schedule_id === schedule.id && r.layer === name)
    const backup = layer('backup')
    return {
      schedule,
      primary: rotationOf(layer('primary')),
      backup: backup && rotationOf(backup),
      overrides: overrides
        .filter((o) => o.schedule_id === schedule.id)
        .map((o) => ({ person: o.person_id, from: o.from_at, to: o.to_at })),
    }
  })
}

function rotationOf(row: RotationRow | undefined): Rotation {
  if (!row) return { startsAt: new Date(0), turnHours: 24, people: [] }
  return { startsAt: row.starts_at, turnHours: Number(row.turn_hours), people: row.person_ids }
}
