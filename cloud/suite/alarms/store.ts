import type { Selectable } from 'kysely'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { IsaState } from '#shared/contracts/alarm.ts'
import type { AlarmActionKind } from '#shared/contracts/alarm-command.ts'

/** What the shard answers to an action. */
export interface ActionResult {
  readonly status: 'applied' | 'refused'
  readonly state?: IsaState
  readonly error?: string
}

interface AlarmActionsTable {
  id: string
  org_id: string
  point_id: string
  kind: AlarmActionKind
  by: string
  comment: string | null
  until: Date | null
  occurrence_id: string | null
  at: Date
}

interface AppliedTable extends AlarmActionsTable {
  result: ActionResult | null
}

/** The people side of the machine side's table `alarm_actions`: rows are added and read, never changed. */
export function alarmActionStore(tx: Tx) {
  return {
    add: (row: Selectable<AlarmActionsTable>) =>
      tx.withTables<{ alarm_actions: AlarmActionsTable }>().insertInto('alarm_actions').values(row).execute(),
    async result(id: string): Promise<ActionResult | null> {
      const db = tx.withTables<{ alarm_actions: AppliedTable }>()
      const row = await db.selectFrom('alarm_actions').select('result').where('id', '=', id).executeTakeFirst()
      return row?.result ?? null
    },
  }
}
