import type { Selectable, Updateable } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { Retro } from '#shared/contracts/retro.ts'
import type { RetroState } from './state.ts'

/** What is read from events, and frozen by approval. */
export type RetroFacts = Pick<
  Retro,
  | 'restoredAt'
  | 'downtimeSeconds'
  | 'clocks'
  | 'firstOut'
  | 'trend'
  | 'timeline'
  | 'workOrders'
  | 'people'
  | 'draftSummary'
  | 'similar'
>

interface RetrosTable {
  id: string
  org_id: string
  incident_id: string
  summary: string | null
  whys: JsonColumn<readonly (string | null)[]>
  facts: JsonColumn<RetroFacts | null>
  submitted_by: string | null
  approved_by: string | null
  approved_at: Date | null
}

interface ActionsTable {
  id: string
  org_id: string
  retro_id: string
  position: number
  text: string
  type: 'contain' | 'correct' | 'prevent'
  owner_id: string | null
  due_at: Date | null
  done_at: Date | null
}

type Tables = { retros: RetrosTable; retro_actions: ActionsTable }

export type RetroRow = Selectable<RetrosTable>
export type ActionRow = Selectable<ActionsTable>

const withRecord = (tx: Tx) =>
  tx
    .withTables<Tables>()
    .selectFrom('retros')
    .innerJoin('records', 'records.id', 'retros.id')
    .selectAll('retros')
    .select(['records.number', 'records.title', 'records.revision', 'records.cause_id', 'records.created_at'])
    .select((eb) => eb.ref('records.state').$castTo<RetroState>().as('state'))

export type FullRetroRow = Awaited<ReturnType<ReturnType<typeof withRecord>['execute']>>[number]

/** All SQL of retros, in the caller's transaction. */
export function retroStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    find: (id: string) => withRecord(tx).where('retros.id', '=', id).executeTakeFirst(),
    ofIncident: (incidentId: string) =>
      db.selectFrom('retros').select('id').where('incident_id', '=', incidentId).executeTakeFirst(),
    /** Newest first. */
    list: ({ states, beforeId, limit }: { states?: readonly string[]; beforeId?: string; limit: number }) =>
      withRecord(tx)
        .$if(states !== undefined, (q) => q.where('records.state', 'in', [...(states ?? [])]))
        .$if(beforeId !== undefined, (q) => q.where('retros.id', '<', beforeId ?? ''))
        .orderBy('retros.id', 'desc')
        .limit(limit)
        .execute(),
    add: (row: RetroRow) =>
      db
        .insertInto('retros')
        .values({ ...row, whys: asJson(row.whys), facts: null })
        .execute(),
    set: (id: string, { whys, facts, ...change }: Updateable<RetrosTable>) =>
      db
        .updateTable('retros')
        .set({ id, ...change, ...(whys ? { whys: asJson(whys) } : {}), ...(facts ? { facts: asJson(facts) } : {}) })
        .where('id', '=', id)
        .execute(),
    actions: (retroId: string) =>
      db.selectFrom('retro_actions').selectAll().where('retro_id', '=', retroId).orderBy('position').execute(),
    async replaceActions(retroId: string, rows: readonly ActionRow[]) {
      await db.deleteFrom('retro_actions').where('retro_id', '=', retroId).execute()
      if (rows.length > 0)
        await db
          .insertInto('retro_actions')
          .values([...rows])
          .execute()
    },
  }
}

/** The retro of an incident; null when none is drafted. */
export async function retroOf(tx: Tx, incidentId: string): Promise<string | null> {
  return (await retroStore(tx).ofIncident(incidentId))?.id ?? null
}
