import type { Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import type { Door } from '../door/door.ts'

/** An event as told: numbered gapless in commit order over the whole installation. */
export interface OutboxEvent {
  readonly seq: number
  readonly id: string
  readonly org: string
  readonly type: string
  readonly topics: readonly string[]
  readonly recordId: string | null
  readonly causeId: string | null
  readonly at: Date
  readonly data: JsonObject
}

export interface HandlerContext {
  /** Already narrowed to the event's organisation; committed together with the handler's place in the stream. */
  readonly tx: Tx
  /** Runs commands inside `tx` as the system. */
  readonly door: Door
}

/**
 * Hears events in order, each exactly once: what it writes through `tx` commits together with its place in the stream.
 * It must do nothing outside the transaction but schedule. A throw is retried with back-off and, in the end, the event is
 * parked and told in the log, so that one poisoned event does not hold up the rest.
 */
export interface EventHandler {
  /** Names its place in the stream: unique and never changed. A new name starts at the events from now on. */
  readonly name: string
  /** Exact types, or a noun with all its facts: `alarm.*`. */
  readonly types: readonly string[]
  handle(event: OutboxEvent, context: HandlerContext): Promise<void>
}
