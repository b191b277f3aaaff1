import { createHash } from 'node:crypto'
import { asJson, type Tx } from '../database/database.ts'
import type { Json } from '../database/tables.ts'
import { DomainError } from '../errors.ts'
import type { Actor } from './actor.ts'

export interface IdempotentRequest {
  readonly key: string
  readonly actor: Actor
  readonly command: string
  readonly input: unknown
  readonly at: Date
}

/**
 * Runs `work` unless the same actor already had the same request done, then answers what it answered. Two at once: the second
 * waits for the first to commit. Throws DomainError `conflict` when the key was used for something else.
 */
export async function once<R>(tx: Tx, request: IdempotentRequest, work: () => Promise<R>): Promise<R> {
  const { key, actor, command, input, at } = request
  const own = { org_id: actor.org, actor_id: actor.id ?? actor.org, key }
  const inputHash = createHash('sha256').update(JSON.stringify(input)).digest()
  const mine = await tx
    .insertInto('idempotency_keys')
    .values({ ...own, command, input_hash: inputHash, answer: null, at })
    .onConflict((c) => c.columns(['org_id', 'actor_id', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst()
  if (!mine) {
    const earlier = await tx
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('org_id', '=', own.org_id)
      .where('actor_id', '=', own.actor_id)
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    if (earlier.command === command && earlier.input_hash.equals(inputHash)) return earlier.answer as R
    throw new DomainError('conflict', 'idempotency-key.reused', 'This Idempotency-Key was used for another request')
  }
  const answer = await work()
  await tx
    .updateTable('idempotency_keys')
    .set({ answer: asJson((answer ?? null) as Json) })
    .where('org_id', '=', own.org_id)
    .where('actor_id', '=', own.actor_id)
    .where('key', '=', key)
    .execute()
  return answer
}
