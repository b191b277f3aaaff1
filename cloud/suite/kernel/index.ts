import { Type } from 'typebox'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import type { Module, TopicGuard } from '#cloud/platform/module.ts'
import { Id } from '#shared/contracts/http.ts'
import type { CardSource } from './cards.ts'
import type { SuiteDeps } from './deps.ts'
import { isId, NOBODY } from './nobody.ts'
import { STAFF } from './roles.ts'
import { kernelRoutes } from './routes.ts'
import { inboxRow, recordRows } from './store.ts'

export type { CardSource } from './cards.ts'
export type { SeedOptions, SuiteDeps } from './deps.ts'
export { isId, NOBODY, personOf } from './nobody.ts'
export { type Act, type Offer, offersFor } from './offers.ts'
export { cursorId, cursorNumber, cursorText, encodeCursor, onePage, pageOf } from './page.ts'
export { CREW, LEADS, STAFF } from './roles.ts'
export { activityOf, recordId, recordRow, recordRows, recordType } from './store.ts'
export { instant, joined, plain } from './text.ts'

/** What stands on any record: its card, and the inbox of the people who wait on it. */
export function kernelModule(deps: SuiteDeps, cards: readonly CardSource[]): Module {
  return {
    name: 'kernel',
    routes: (app) => kernelRoutes(app, { ...deps, cards: new Map(cards.map((c) => [c.type, c])), completeItem }),
    topics: [recordGuard],
    rules: [
      { name: 'staff-see-cards', roles: STAFF, actions: ['record.view'], types: ['record'] },
      { name: 'everyone-reads-own-inbox', actions: ['inbox.view'], types: ['inbox'] },
      { name: 'everyone-completes-own-inbox', actions: ['inbox.complete'], when: [{ fact: 'personId', is: 'self' }] },
    ],
  }
}

/** What happens to a record is heard by the plant's own people. */
const recordGuard: TopicGuard = {
  prefix: 'record',
  async mayHear(tx, actor, id) {
    if (!isId(id) || !STAFF.some((role) => actor.roles.includes(role))) return false
    return (await recordRows(tx, [id])).length > 0
  },
}

/** Takes one item off one's own list. A page is not ticked off: it is answered. */
const completeItem = defineCommand({
  name: 'inbox.complete',
  input: Type.Object({ itemId: Id }),
  async resource(context, input) {
    const row = await ownItem(context, input.itemId)
    return { type: 'inbox', personId: row.person_id }
  },
  async run(context, input) {
    const row = await ownItem(context, input.itemId)
    if (row.is_urgent && row.done_at === null) {
      throw new DomainError('conflict', 'inbox.answer-required', 'A page is answered with seen, accept or decline')
    }
    await context.inbox.complete({ recordId: row.record_id, personId: row.person_id, kind: row.kind as 'task' })
    return { id: row.id }
  },
})

async function ownItem(context: CommandContext, id: string) {
  return found(await inboxRow(context.tx, context.actor.id ?? NOBODY, id), 'inbox-item', id)
}

export type CompleteItem = typeof completeItem
