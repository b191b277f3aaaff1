import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import type { Card } from '#shared/contracts/message.ts'
import { recordRow } from './store.ts'

/** Draws the card of one type of record: its present state for the viewer. Throws `forbidden` when the viewer may not see it. */
export interface CardSource {
  readonly type: string
  card(tx: Tx, actor: Actor, id: string): Promise<Card>
}

/** The card of a type that draws none of its own: title and state. */
export async function plainCard(tx: Tx, record: { readonly id: string; readonly type: string }): Promise<Card> {
  const row = await recordRow(tx, record.id)
  const { id, type, number, title, state, revision } = row
  return { record: { id, type, number, title, state, revision }, fields: [], href: `/${type}s/${id}`, actions: [] }
}
