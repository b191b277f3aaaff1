import { Type } from 'typebox'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { found } from '#cloud/platform/errors.ts'
import { Id } from '#shared/contracts/http.ts'
import { MessagePost } from '#shared/contracts/message.ts'
import { personOf } from '../kernel/index.ts'
import { join, messageOf, say, threadOf } from './room.ts'
import { chatStore } from './store.ts'

async function channelResource({ tx, actor }: CommandContext, channelId: string) {
  const store = chatStore(tx)
  const channel = found(await store.channel(channelId), 'channel', channelId)
  const isMember = actor.id !== null && (await store.isMember(channelId, actor.id))
  return { type: 'channel', id: channelId, kind: channel.kind, isMember }
}

/** Says something; who speaks in a room becomes a member of it and has read up to there. */
export const postMessage = defineCommand({
  name: 'message.post',
  input: MessagePost,
  audited: ({ channelId }) => ({ channelId }),
  resource: (context, input) => channelResource(context, input.channelId),
  async run(context, { channelId, text }) {
    const authorId = personOf(context.actor)
    await join(context, channelId, [authorId])
    const row = await say(context, channelId, { kind: 'text', text, authorId })
    await chatStore(context.tx).markRead(channelId, authorId, row.seq)
    return messageOf(row, { id: authorId, name: context.actor.name })
  },
})

/** Moves one's own reading mark. */
export const readChannel = defineCommand({
  name: 'channel.read',
  input: Type.Object({ channelId: Id, seq: Type.Integer({ minimum: 0 }) }),
  resource: (context, input) => channelResource(context, input.channelId),
  async run(context, { channelId, seq }) {
    const personId = personOf(context.actor)
    await chatStore(context.tx).markRead(channelId, personId, seq)
    await context.emit({ type: 'channel.read', topics: [`inbox:${personId}`], data: { channelId, seq } })
    return { seq }
  },
})

/** Opens the thread of a record and joins it. */
export const openThread = defineCommand({
  name: 'thread.open',
  input: Type.Object({ recordId: Id }),
  resource: () => ({ type: 'record' }),
  async run(context, { recordId }) {
    const channelId = await threadOf(context, recordId)
    if (context.actor.id) await join(context, channelId, [context.actor.id])
    return { channelId }
  },
})
