import { sql } from 'kysely'
import { asJson, type Tx } from '../database/database.ts'
import { DomainError, found } from '../errors.ts'
import { newId } from '../id.ts'
import type { NewRecord, RecordChange, Records } from './records.ts'

export interface RecordScope {
  readonly tx: Tx
  readonly org: string
  readonly at: Date
  readonly causeId: string | undefined
}

/** The records of one organisation within one transaction. */
export function recordStore(scope: RecordScope): Records {
  const { tx, org } = scope
  return {
    create: (record) => createRecord(scope, record),
    async lock(id, type = 'record') {
      const query = tx.selectFrom('records').selectAll().where('id', '=', id).where('org_id', '=', org).forUpdate()
      const row = await query.executeTakeFirst()
      return found(type === 'record' || row?.type === type ? row : undefined, type, id)
    },
    update: (id, change, ifRevision) => updateRecord(scope, { id, change, ifRevision }),
  }
}

async function createRecord({ tx, org, at, causeId }: RecordScope, record: NewRecord) {
  const id = record.id ?? newId()
  const number = record.series ? await nextNumber(tx, { org, series: record.series, year: at.getUTCFullYear() }) : null
  await tx
    .insertInto('records')
    .values({
      id,
      org_id: org,
      type: record.type,
      number,
      title: asJson(record.title),
      state: record.state,
      owner_id: record.ownerId ?? null,
      department_id: record.departmentId ?? null,
      region: record.region ?? null,
      cause_id: record.causeId ?? causeId ?? null,
      data: asJson(record.data ?? {}),
      created_at: at,
      updated_at: at,
      ...(record.level === undefined ? {} : { level: record.level }),
    })
    .execute()
  return { id, number, revision: 1 }
}

/** Numbers have no holes that a rolled-back transaction would leave: the counter's row is locked until commit. */
async function nextNumber(tx: Tx, series: { org: string; series: string; year: number }): Promise<string> {
  const { last } = await tx
    .insertInto('record_numbers')
    .values({ org_id: series.org, series: series.series, year: series.year, last: 1 })
    .onConflict((c) => c.columns(['org_id', 'series', 'year']).doUpdateSet({ last: sql`record_numbers.last + 1` }))
    .returning('last')
    .executeTakeFirstOrThrow()
  return `${series.series}-${series.year}-${String(last).padStart(6, '0')}`
}

interface Update {
  readonly id: string
  readonly change: RecordChange
  readonly ifRevision: number | undefined
}

async function updateRecord({ tx, org, at }: RecordScope, { id, change, ifRevision }: Update) {
  const { title, state, ownerId, departmentId, data } = change
  const row = await tx
    .updateTable('records')
    .set({
      updated_at: at,
      revision: sql`revision + 1`,
      ...(title === undefined ? {} : { title: asJson(title) }),
      ...(state === undefined ? {} : { state }),
      ...(ownerId === undefined ? {} : { owner_id: ownerId }),
      ...(departmentId === undefined ? {} : { department_id: departmentId }),
      ...(data === undefined ? {} : { data: asJson(data) }),
    })
    .where('id', '=', id)
    .where('org_id', '=', org)
    .$if(ifRevision !== undefined, (q) => q.where('revision', '=', ifRevision ?? 0))
    .returning('revision')
    .executeTakeFirst()
  return row ?? refuseUpdate(tx, id)
}

async function refuseUpdate(tx: Tx, id: string): Promise<never> {
  const row = await tx.selectFrom('records').select('revision').where('id', '=', id).executeTakeFirst()
  const { revision } = found(row, 'record', id)
  throw new DomainError(
    'stale',
    'record.stale',
    `Someone else changed it: it is now at revision ${revision}. Read it again.`,
  )
}
