import type { Tx } from '#cloud/platform/database/database.ts'
import type { Module, TopicGuard } from '#cloud/platform/module.ts'
import type { Directory } from '../directory/index.ts'
import { isId, STAFF, type SuiteDeps } from '../kernel/index.ts'
import { chatRoutes } from './routes.ts'
import { chatStore, type MessageRow } from './store.ts'

export { join, type NewChannel, openChannel, type Saying, say, threadOf } from './room.ts'

/** What people said in a channel, oldest first. */
export function textsOf(tx: Tx, channelId: string): Promise<MessageRow[]> {
  return chatStore(tx).textsOf(channelId)
}

/** Rooms of records are open to the whole plant; group and direct talk to its members. */
const OPEN_KINDS = ['incident', 'record'] as const
const TALK = ['message.post', 'channel.read'] as const

const guard: TopicGuard = {
  prefix: 'channel',
  async mayHear(tx, actor, id) {
    const channel = isId(id) ? await chatStore(tx).channel(id) : undefined
    if (!channel || actor.id === null) return false
    const isOpen = OPEN_KINDS.some((kind) => kind === channel.kind) && !actor.roles.includes('external')
    return isOpen || chatStore(tx).isMember(id, actor.id)
  },
}

/** Wires chat. */
export function chatModule(deps: SuiteDeps, directory: Directory): Module {
  return {
    name: 'chat',
    routes: (app) => chatRoutes(app, { ...deps, directory }),
    topics: [guard],
    rules: [
      { name: 'staff-see-channels', roles: STAFF, actions: ['channel.view', 'thread.open'] },
      { name: 'staff-talk-in-rooms', roles: STAFF, actions: TALK, when: [{ fact: 'kind', oneOf: OPEN_KINDS }] },
      { name: 'members-talk', actions: TALK, when: [{ fact: 'isMember', oneOf: [true] }] },
    ],
  }
}
