import type { Database, Tx } from '../database/database.ts'
import type { Actor } from '../door/actor.ts'
import type { Door } from '../door/door.ts'

/** Guards the topics `<prefix>:<id>`. */
export interface TopicGuard {
  readonly prefix: string
  mayHear(tx: Tx, actor: Actor, id: string): Promise<boolean>
}

export interface TopicOptions {
  readonly db: Database
  readonly door: Pick<Door, 'decide'>
  readonly guards: readonly TopicGuard[]
}

/** A record may be heard by whoever may see its row, unless its module says otherwise. */
const recordGuard: TopicGuard = {
  prefix: 'record',
  async mayHear(tx, _actor, id) {
    if (!/^[0-9a-f-]{36}$/i.test(id)) return false
    return (await tx.selectFrom('records').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
  },
}

/** Says whether somebody may hear a topic. `inbox:me` is everyone's own; an unknown prefix is refused. */
export function createTopicAccess({
  db,
  door,
  guards,
}: TopicOptions): (actor: Actor, topic: string) => Promise<boolean> {
  const byPrefix = new Map([recordGuard, ...guards].map((guard) => [guard.prefix, guard]))
  return async (actor, topic) => {
    if (topic === 'inbox:me') return actor.id !== null
    const colon = topic.indexOf(':')
    if (colon < 0) return door.decide(actor, 'topic.hear', { type: 'topic', topic }).isAllowed
    const guard = byPrefix.get(topic.slice(0, colon))
    if (!guard) return false
    return db.inOrg(actor.org, (tx) => guard.mayHear(tx, actor, topic.slice(colon + 1)))
  }
}
