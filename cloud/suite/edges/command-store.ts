import type { Selectable } from 'kysely'
import type { CommandOutcome } from '#cloud/pipeline/index.ts'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { TagWrite } from '#shared/contracts/device-command.ts'

interface DeviceCommandsTable {
  id: string
  org_id: string
  device_id: string
  writes: readonly TagWrite[]
  asked_by: string
  asked_at: Date
  taken_at: Date | null
  status: CommandOutcome['status'] | null
  error: string | null
  settled_at: Date | null
}

export type DeviceCommandRow = Selectable<DeviceCommandsTable>

/** All SQL of commands to devices. */
export function commandStore(tx: Tx) {
  const db = tx.withTables<{ device_commands: DeviceCommandsTable }>()
  return {
    async add(row: Pick<DeviceCommandRow, 'id' | 'org_id' | 'device_id' | 'writes' | 'asked_by' | 'asked_at'>) {
      const writes = asJson(row.writes as never) as never
      const added = await db
        .insertInto('device_commands')
        .values({ ...row, writes, taken_at: null, status: null, error: null, settled_at: null })
        .onConflict((c) => c.column('id').doNothing())
        .returning('id')
        .executeTakeFirst()
      return added !== undefined
    },
    one: (id: string): Promise<DeviceCommandRow | undefined> =>
      db.selectFrom('device_commands').selectAll().where('id', '=', id).executeTakeFirst(),
    /** True for the one caller who is to send it. */
    async take(id: string, at: Date) {
      const taken = await db
        .updateTable('device_commands')
        .set({ taken_at: at })
        .where('id', '=', id)
        .where('taken_at', 'is', null)
        .returning('id')
        .executeTakeFirst()
      return taken !== undefined
    },
    settle: ({ id, status, error }: CommandOutcome, at: Date) =>
      db
        .updateTable('device_commands')
        .set({ status, error: error ?? null, settled_at: at })
        .where('id', '=', id)
        .where('status', 'is', null)
        .execute(),
  }
}
