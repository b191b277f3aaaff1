import { sql } from 'kysely'
import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import { isId } from './nobody.ts'

/** The id behind what a URL names: an id, or a number such as `INC-2026-000001`. Throws `not-found`, coded by the type. */
export async function recordId(tx: Tx, type: string, idOrNumber: string): Promise<string> {
  const column = isId(idOrNumber) ? 'id' : 'number'
  const row = await tx
    .selectFrom('records')
    .select('id')
    .where('type', '=', type)
    .where(column, '=', idOrNumber)
    .executeTakeFirst()
  return found(row, type, idOrNumber).id
}

/** The type of a record. Throws `not-found`. */
export async function recordType(tx: Tx, idOrNumber: string): Promise<{ id: string; type: string }> {
  const column = isId(idOrNumber) ? 'id' : 'number'
  const row = await tx.selectFrom('records').select(['id', 'type']).where(column, '=', idOrNumber).executeTakeFirst()
  return found(row, 'record', idOrNumber)
}

/** Activity of records, oldest first. */
export async function activityOf(tx: Tx, recordIds: readonly string[]) {
  if (recordIds.length === 0) return []
  return tx
    .selectFrom('activity')
    .selectAll()
    .where('record_id', 'in', [...recordIds])
    .orderBy('at')
    .orderBy('id')
    .execute()
}

/** Inbox rows of one person, urgent first, then newest; done ones newest first. */
export function inboxRows(tx: Tx, personId: string, show: 'open' | 'done') {
  return tx
    .selectFrom('inbox_items')
    .innerJoin('records', 'records.id', 'inbox_items.record_id')
    .selectAll('inbox_items')
    .select(['records.type as record_type', 'records.number as record_number'])
    .where('inbox_items.person_id', '=', personId)
    .where('inbox_items.done_at', show === 'open' ? 'is' : 'is not', null)
    .orderBy('inbox_items.is_urgent', 'desc')
    .orderBy(sql`coalesce(inbox_items.due_at, inbox_items.created_at)`, 'desc')
    .limit(500)
    .execute()
}
export type InboxRow = Awaited<ReturnType<typeof inboxRows>>[number]

/** One inbox row of the person, locked. */
export function inboxRow(tx: Tx, personId: string, id: string) {
  return tx
    .selectFrom('inbox_items')
    .selectAll()
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .forUpdate()
    .executeTakeFirst()
}

/** The `records` row; throws `not-found`. */
export async function recordRow(tx: Tx, id: string) {
  return found(await tx.selectFrom('records').selectAll().where('id', '=', id).executeTakeFirst(), 'record', id)
}

/** `records` rows by id. */
export async function recordRows(tx: Tx, ids: readonly string[]) {
  if (ids.length === 0) return []
  return tx
    .selectFrom('records')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}
