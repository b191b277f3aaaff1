import type { Tx } from '#cloud/platform/database/database.ts'
import type { Channel } from '#shared/contracts/message.ts'
import type { Directory } from '../directory/index.ts'
import { instant } from '../kernel/index.ts'
import { type ChannelRow, chatStore } from './store.ts'

/** Channels as the wire has them, each with its members. */
export async function channelsView(
  tx: Tx,
  directory: Directory,
  rows: readonly (ChannelRow & { unread: number })[],
): Promise<Channel[]> {
  const members = await chatStore(tx).members(rows.map((row) => row.id))
  const refs = await directory.refs(
    tx,
    members.map((m) => m.person_id),
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    recordId: row.record_id,
    members: members.filter((m) => m.channel_id === row.id).flatMap((m) => refs.get(m.person_id) ?? []),
    unreadCount: Math.max(0, row.unread),
    lastMessageAt: instant(row.last_message_at),
  }))
}
