import { asJson, type Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import { newId } from '../id.ts'

/** A fact to be told: past tense and dotted (`incident.opened`). Topics are those of `shared/contracts/stream.ts`. */
export interface NewEvent {
  readonly org: string
  readonly type: string
  /** Who hears it live; `inbox:<person id>` reaches that person's `inbox:me`. Empty: handlers alone. */
  readonly topics: readonly string[]
  readonly recordId?: string | undefined
  /** The first-out occurrence that it follows from. */
  readonly causeId?: string | undefined
  readonly at: Date
  readonly data: JsonObject
}

/** Writes the event in the caller's transaction; the relay numbers and tells it after commit. Returns its id. */
export async function emit(tx: Tx, event: NewEvent): Promise<string> {
  const id = newId()
  await tx
    .insertInto('outbox')
    .values({
      id,
      org_id: event.org,
      type: event.type,
      topics: [...event.topics],
      record_id: event.recordId ?? null,
      cause_id: event.causeId ?? null,
      at: event.at,
      data: asJson(event.data),
    })
    .execute()
  return id
}
