import type { Selectable } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'

interface SchedulesTable {
  id: string
  org_id: string
  key: string
  name: JsonColumn<LocalizedText>
  trade: string
  time_zone: string
  fallback_role: string
  escalate_after_minutes: number
  position: number
}

interface RotationsTable {
  id: string
  org_id: string
  schedule_id: string
  layer: 'primary' | 'backup'
  starts_at: Date
  turn_hours: string | number
  person_ids: string[]
}

interface OverridesTable {
  id: string
  org_id: string
  schedule_id: string
  person_id: string
  from_at: Date
  to_at: Date
}

export type ScheduleRow = Selectable<SchedulesTable>
export type RotationRow = Selectable<RotationsTable>
export type OverrideRow = Selectable<OverridesTable>

type Tables = {
  schedules: SchedulesTable
  schedule_rotations: RotationsTable
  schedule_overrides: OverridesTable
}

/** All SQL of duty, in the caller's transaction. */
export function onCallStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    schedules: () => db.selectFrom('schedules').selectAll().orderBy('position').execute(),
    rotations: () => db.selectFrom('schedule_rotations').selectAll().execute(),
    /** Overrides that are not over at `at`. */
    overrides: (at: Date) =>
      db.selectFrom('schedule_overrides').selectAll().where('to_at', '>', at).orderBy('from_at').execute(),
    addSchedule: (row: ScheduleRow) =>
      db
        .insertInto('schedules')
        .values({ ...row, name: asJson(row.name) })
        .execute(),
    addRotation: (row: RotationRow) => db.insertInto('schedule_rotations').values(row).execute(),
  }
}
