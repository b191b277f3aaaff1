import { Type } from 'typebox'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Page } from '#shared/contracts/http.ts'
import { InboxItem } from '#shared/contracts/inbox.ts'
import { Card } from '#shared/contracts/message.ts'
import { type CardSource, plainCard } from './cards.ts'
import type { SuiteDeps } from './deps.ts'
import type { CompleteItem } from './index.ts'
import { NOBODY } from './nobody.ts'
import { onePage } from './page.ts'
import { type InboxRow, inboxRows, recordType } from './store.ts'
import { instant } from './text.ts'

export interface KernelRouteDeps extends SuiteDeps {
  readonly cards: ReadonlyMap<string, CardSource>
  readonly completeItem: CompleteItem
}

const Params = Type.Object({ id: Type.String() })
const InboxQuery = Type.Object({ show: Type.Optional(Type.Enum(['open', 'done'])) })

/** `GET /api/records/:id/card`, `GET /api/inbox`, `POST /api/inbox/:id/completions`. */
export function kernelRoutes(app: HttpApp, { db, door, cards, completeItem }: KernelRouteDeps): void {
  const cardAccess = { action: 'record.view', type: 'record' }
  const inboxAccess = { action: 'inbox.view', type: 'inbox' }
  app.get(
    '/api/records/:id/card',
    { config: { access: cardAccess }, schema: { params: Params, response: { 200: Card } } },
    ({ actor, params }) =>
      db.inOrg(actor.org, async (tx) => {
        const record = await recordType(tx, params.id)
        const source = cards.get(record.type)
        return source ? source.card(tx, actor, record.id) : plainCard(tx, record)
      }),
  )
  app.get(
    '/api/inbox',
    { config: { access: inboxAccess }, schema: { querystring: InboxQuery, response: { 200: Page(InboxItem) } } },
    async ({ actor, query }) => {
      const rows = await db.inOrg(actor.org, (tx) => inboxRows(tx, actor.id ?? NOBODY, query.show ?? 'open'))
      return onePage(rows.map(inboxItem))
    },
  )
  app.post(
    '/api/inbox/:id/completions',
    {
      config: { access: inboxAccess },
      schema: { params: Type.Object({ id: Id }), response: { 200: Type.Object({ id: Id }) } },
    },
    ({ actor, params, intent }) => door.execute(completeItem, actor, { itemId: params.id }, intent),
  )
}

function inboxItem(row: InboxRow): InboxItem {
  return {
    id: row.id,
    kind: row.kind as InboxItem['kind'],
    isUrgent: row.is_urgent,
    title: row.title,
    detail: row.detail,
    severity: row.severity as InboxItem['severity'],
    priority: row.priority as InboxItem['priority'],
    record: { id: row.record_id, type: row.record_type, number: row.record_number, href: row.href },
    pageId: row.page_id,
    createdAt: row.created_at.toISOString(),
    dueAt: instant(row.due_at),
    doneAt: instant(row.done_at),
  }
}
