import { asJson, type Tx } from '../database/database.ts'
import { newId } from '../id.ts'
import { emit } from '../outbox/emit.ts'
import type { Inbox, InboxMatch, NewInboxItem } from './inbox.ts'

export interface InboxScope {
  readonly tx: Tx
  readonly org: string
  readonly at: Date
  readonly causeId: string | undefined
  /** Who closes items; null for the system. */
  readonly actorId: string | null
}

/** The inbox of one organisation within one transaction. */
export function inboxStore(scope: InboxScope): Inbox {
  return { add: (item) => addItem(scope, item), complete: (match) => completeItems(scope, match) }
}

async function addItem(scope: InboxScope, item: NewInboxItem): Promise<string> {
  const { tx, org, at, causeId } = scope
  const id = newId()
  const added = await tx
    .insertInto('inbox_items')
    .values({
      id,
      org_id: org,
      person_id: item.personId,
      record_id: item.recordId,
      kind: item.kind,
      is_urgent: item.isUrgent ?? false,
      title: asJson(item.title),
      detail: item.detail ? asJson(item.detail) : null,
      severity: item.severity ?? null,
      priority: item.priority ?? null,
      href: item.href,
      page_id: item.pageId ?? null,
      cause_id: causeId ?? null,
      created_at: at,
      due_at: item.dueAt ?? null,
      done_at: null,
      done_by: null,
    })
    .onConflict((c) => c.columns(['person_id', 'record_id', 'kind']).where('done_at', 'is', null).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!added) return openItem(tx, item)
  await tell(scope, 'inbox.added', { personId: item.personId, itemId: id, recordId: item.recordId })
  return id
}

async function openItem(tx: Tx, { personId, recordId, kind }: NewInboxItem): Promise<string> {
  const { id } = await tx
    .selectFrom('inbox_items')
    .select('id')
    .where('person_id', '=', personId)
    .where('record_id', '=', recordId)
    .where('kind', '=', kind)
    .where('done_at', 'is', null)
    .executeTakeFirstOrThrow()
  return id
}

async function completeItems(scope: InboxScope, { recordId, personId, kind }: InboxMatch): Promise<number> {
  const done = await scope.tx
    .updateTable('inbox_items')
    .set({ done_at: scope.at, done_by: scope.actorId })
    .where('record_id', '=', recordId)
    .where('done_at', 'is', null)
    .$if(personId !== undefined, (q) => q.where('person_id', '=', personId ?? ''))
    .$if(kind !== undefined, (q) => q.where('kind', '=', kind ?? ''))
    .returning(['id', 'person_id'])
    .execute()
  for (const row of done) await tell(scope, 'inbox.done', { personId: row.person_id, itemId: row.id, recordId })
  return done.length
}

interface InboxFact {
  readonly personId: string
  readonly itemId: string
  readonly recordId: string
}

async function tell({ tx, org, at, causeId }: InboxScope, type: string, fact: InboxFact): Promise<void> {
  const { personId, itemId, recordId } = fact
  await emit(tx, { org, type, topics: [`inbox:${personId}`], recordId, causeId, at, data: { itemId, personId } })
}
