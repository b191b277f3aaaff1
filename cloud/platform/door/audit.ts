import { asJson, type Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import type { Actor } from './actor.ts'

export interface AuditEntry {
  readonly actor: Actor
  readonly at: Date
  readonly command: string
  readonly outcome: 'done' | 'refused'
  readonly rule: string
  readonly recordId: string | null
  readonly reason: string | undefined
  readonly input: JsonObject
}

/** Writes who did what, from where and why; the table takes no change and no deletion. */
export async function writeAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  const { actor, at, command, outcome, rule, recordId, reason, input } = entry
  await tx
    .insertInto('audit')
    .values({
      org_id: actor.org,
      at,
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name,
      command,
      outcome,
      rule,
      record_id: recordId,
      reason: reason ?? null,
      address: actor.origin.address,
      user_agent: actor.origin.userAgent,
      input: asJson(input),
      previous_hash: null,
      hash: null,
    })
    .execute()
}
