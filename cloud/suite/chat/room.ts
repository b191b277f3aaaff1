import type { CommandContext } from '#cloud/platform/door/command.ts'
import { newId } from '#cloud/platform/id.ts'
import type { Message } from '#shared/contracts/message.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { type ChannelRow, chatStore, type MessageRow } from './store.ts'

export interface NewChannel {
  readonly kind: ChannelRow['kind']
  readonly name: LocalizedText
  readonly recordId?: string
}

/** Opens a channel without members. Inside a command. */
export async function openChannel(context: CommandContext, channel: NewChannel): Promise<string> {
  const id = newId()
  await chatStore(context.tx).addChannel({
    id,
    org_id: context.org,
    kind: channel.kind,
    name: channel.name,
    record_id: channel.recordId ?? null,
    last_seq: 0,
    last_message_at: null,
    created_at: context.at,
  })
  return id
}

/** Brings people into a channel; those who are in it stay. Inside a command. */
export async function join(context: CommandContext, channelId: string, people: Iterable<string>): Promise<void> {
  const store = chatStore(context.tx)
  for (const person_id of new Set(people)) {
    const row = { channel_id: channelId, org_id: context.org, person_id, joined_at: context.at, read_seq: 0 }
    if (!(await store.addMember(row))) continue
    const topics = [`channel:${channelId}`, `inbox:${person_id}`]
    await context.emit({ type: 'channel.member-joined', topics, data: { channelId, personId: person_id } })
  }
}

/** What is said: text of a person, a line of the system in both languages, or a card of a record. */
export type Saying =
  | { readonly kind: 'text'; readonly text: string; readonly authorId: string }
  | { readonly kind: 'system'; readonly localized: LocalizedText; readonly authorId?: string | undefined }
  | { readonly kind: 'card'; readonly recordId: string }

/** Adds a message under the channel's next number and tells `message.posted`. Inside a command. */
export async function say(context: CommandContext, channelId: string, saying: Saying): Promise<MessageRow> {
  const store = chatStore(context.tx)
  const row: MessageRow = {
    id: newId(),
    org_id: context.org,
    channel_id: channelId,
    seq: await store.nextSeq(channelId, context.at),
    kind: saying.kind,
    author_id: 'authorId' in saying ? (saying.authorId ?? null) : null,
    text: saying.kind === 'text' ? saying.text : null,
    localized: saying.kind === 'system' ? saying.localized : null,
    record_id: saying.kind === 'card' ? saying.recordId : null,
    at: context.at,
  }
  await store.addMessage(row)
  await context.emit({
    type: 'message.posted',
    topics: [`channel:${channelId}`],
    data: { channelId, messageId: row.id, seq: row.seq, kind: row.kind, authorId: row.author_id },
  })
  return row
}

/** The thread of any record, opened when it is first needed. Inside a command. */
export async function threadOf(context: CommandContext, recordId: string): Promise<string> {
  const { number, title } = await context.records.lock(recordId)
  const known = await chatStore(context.tx).channelOfRecord(recordId)
  if (known) return known.id
  const name = number ? { en: `${number} ${title.en}`, 'zh-CN': `${number} ${title['zh-CN']}` } : title
  return openChannel(context, { kind: 'record', name, recordId })
}

/** A stored message as the wire has it. */
export function messageOf(row: MessageRow, author: Message['author']): Message {
  const { id, seq, kind, text, localized } = row
  const at = row.at.toISOString()
  return { id, channelId: row.channel_id, seq, kind, author, text, localized, recordId: row.record_id, at }
}
