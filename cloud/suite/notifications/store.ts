import type { Selectable } from 'kysely'
import type { Tx } from '#cloud/platform/database/database.ts'

interface PagesTable {
  id: string
  org_id: string
  record_id: string
  person_id: string
  trade: string | null
  step: number
  sent_at: Date
  delivered_at: Date | null
  seen_at: Date | null
  accepted_at: Date | null
  declined_at: Date | null
}

interface EscalationsTable {
  record_id: string
  org_id: string
  trade: string
  first_step: number
  step: number
  after_minutes: number
  schedule_id: string | null
  fallback_role: string
  job_id: string | null
  started_at: Date
  ended_at: Date | null
  ended_by: string | null
}

export type PageRow = Selectable<PagesTable>
export type EscalationRow = Selectable<EscalationsTable>
type Tables = { pages: PagesTable; escalations: EscalationsTable }

/** All SQL of pages and escalations, in the caller's transaction. */
export function pageStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    page: (id: string) => db.selectFrom('pages').selectAll().where('id', '=', id).executeTakeFirst(),
    pagesOf: (recordId: string) =>
      db.selectFrom('pages').selectAll().where('record_id', '=', recordId).orderBy('sent_at').execute(),
    /** Adds a page; false when the step has called this person before. */
    add: async (row: PageRow) => {
      const added = await db
        .insertInto('pages')
        .values(row)
        .onConflict((c) => c.columns(['record_id', 'person_id', 'step']).doNothing())
        .executeTakeFirst()
      return added.numInsertedOrUpdatedRows === 1n
    },
    /** Sets the answer on every page of the person that has none yet. */
    answer: (recordId: string, personId: string, answer: Answer, at: Date) =>
      db
        .updateTable('pages')
        .set({ [answer]: at })
        .where('record_id', '=', recordId)
        .where('person_id', '=', personId)
        .where(answer, 'is', null)
        .execute(),
    escalations: (recordId: string) =>
      db.selectFrom('escalations').selectAll().where('record_id', '=', recordId).forUpdate().execute(),
    /** Starts a trade's escalation, or starts it anew. */
    start: (row: EscalationRow) =>
      db
        .insertInto('escalations')
        .values(row)
        .onConflict((c) => c.columns(['record_id', 'trade']).doUpdateSet({ ...row }))
        .execute(),
    advance: (recordId: string, trade: string, step: number, jobId: string) =>
      db
        .updateTable('escalations')
        .set({ step, job_id: jobId })
        .where('record_id', '=', recordId)
        .where('trade', '=', trade)
        .execute(),
    end: (recordId: string, trade: string, at: Date, by: string) =>
      db
        .updateTable('escalations')
        .set({ ended_at: at, ended_by: by })
        .where('record_id', '=', recordId)
        .where('trade', '=', trade)
        .where('ended_at', 'is', null)
        .execute(),
  }
}

export type Answer = 'seen_at' | 'accepted_at' | 'declined_at'
