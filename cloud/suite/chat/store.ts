import { type Selectable, sql } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'

interface ChannelsTable {
  id: string
  org_id: string
  kind: 'incident' | 'record' | 'group' | 'direct'
  name: JsonColumn<LocalizedText>
  record_id: string | null
  last_seq: number
  last_message_at: Date | null
  created_at: Date
}

interface MembersTable {
  channel_id: string
  org_id: string
  person_id: string
  joined_at: Date
  read_seq: number
}

interface MessagesTable {
  id: string
  org_id: string
  channel_id: string
  seq: number
  kind: 'text' | 'system' | 'card'
  author_id: string | null
  text: string | null
  localized: JsonColumn<LocalizedText | null>
  record_id: string | null
  at: Date
}

type Tables = { channels: ChannelsTable; channel_members: MembersTable; messages: MessagesTable }

export type ChannelRow = Selectable<ChannelsTable>
export type MessageRow = Selectable<MessagesTable>

/** All SQL of chat, in the caller's transaction. */
export const chatStore = (tx: Tx) => ({ ...channelQueries(tx), ...memberQueries(tx), ...messageQueries(tx) })

function channelQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    channel: (id: string) => db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst(),
    channelOfRecord: (recordId: string) =>
      db.selectFrom('channels').selectAll().where('record_id', '=', recordId).executeTakeFirst(),
    /** Channels of a person, newest talk first, with how many messages wait. */
    channelsOf: (personId: string) =>
      db
        .selectFrom('channels')
        .innerJoin('channel_members as m', 'm.channel_id', 'channels.id')
        .selectAll('channels')
        .select(sql<number>`channels.last_seq - m.read_seq`.as('unread'))
        .where('m.person_id', '=', personId)
        .orderBy(sql`channels.last_message_at desc nulls last`)
        .limit(200)
        .execute(),
    unread: async (channelId: string, personId: string) => {
      const row = await db
        .selectFrom('channels')
        .innerJoin('channel_members as m', 'm.channel_id', 'channels.id')
        .select(sql<number>`channels.last_seq - m.read_seq`.as('unread'))
        .where('channels.id', '=', channelId)
        .where('m.person_id', '=', personId)
        .executeTakeFirst()
      return row?.unread ?? 0
    },
    addChannel: (row: ChannelRow) =>
      db
        .insertInto('channels')
        .values({ ...row, name: asJson(row.name) })
        .execute(),
  }
}

function memberQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    members: (channelIds: readonly string[]) =>
      db
        .selectFrom('channel_members')
        .select(['channel_id', 'person_id'])
        .where((eb) => eb('channel_id', '=', eb.fn.any(eb.val([...channelIds]))))
        .orderBy('joined_at')
        .execute(),
    isMember: async (channelId: string, personId: string) => {
      const row = await db
        .selectFrom('channel_members')
        .select('person_id')
        .where('channel_id', '=', channelId)
        .where('person_id', '=', personId)
        .executeTakeFirst()
      return row !== undefined
    },
    /** Adds a member; returns false when they were one already. */
    addMember: async (row: Selectable<MembersTable>) => {
      const added = await db
        .insertInto('channel_members')
        .values(row)
        .onConflict((c) => c.doNothing())
        .executeTakeFirst()
      return added.numInsertedOrUpdatedRows === 1n
    },
    /** Moves the reader's mark forward, never back. */
    markRead: (channelId: string, personId: string, seq: number) =>
      db
        .updateTable('channel_members')
        .set((eb) => ({ read_seq: eb.fn<number>('greatest', ['read_seq', eb.val(seq)]) }))
        .where('channel_id', '=', channelId)
        .where('person_id', '=', personId)
        .execute(),
  }
}

function messageQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    /** The newest messages before `seq`, newest first. */
    messagesBefore: (channelId: string, seq: number, limit: number) =>
      db
        .selectFrom('messages')
        .selectAll()
        .where('channel_id', '=', channelId)
        .where('seq', '<', seq)
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute(),
    textsOf: (channelId: string) =>
      db
        .selectFrom('messages')
        .selectAll()
        .where('channel_id', '=', channelId)
        .where('kind', '=', 'text')
        .orderBy('seq')
        .limit(2000)
        .execute(),
    /** Takes the channel's next number; the row stays locked until commit, so that numbers have no hole. */
    nextSeq: async (channelId: string, at: Date) => {
      const row = await db
        .updateTable('channels')
        .set((eb) => ({ last_seq: eb('last_seq', '+', 1), last_message_at: at }))
        .where('id', '=', channelId)
        .returning('last_seq')
        .executeTakeFirstOrThrow()
      return row.last_seq
    },
    addMessage: (row: MessageRow) =>
      db
        .insertInto('messages')
        .values({ ...row, localized: row.localized === null ? null : asJson(row.localized) })
        .execute(),
  }
}
