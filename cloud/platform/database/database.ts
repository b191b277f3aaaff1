import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import type { PlatformTables } from './tables.ts'

/** A transaction. A module's store does `tx.withTables<OwnTables>()` once and works on that. */
export type Tx = Transaction<PlatformTables>

/** The two doors to PostgreSQL. Times are Date, int8 is text, jsonb is parsed. */
export interface Database {
  /**
   * Runs `work` in one transaction as andon_app that sees and writes rows of this organisation alone (row-level security).
   * Rejects with whatever `work` throws, rolled back.
   */
  inOrg<R>(org: string, work: (tx: Tx) => Promise<R>): Promise<R>
  /** Runs `work` in one transaction as andon_system, which sees every organisation: relay, timers, pipeline. */
  asSystem<R>(work: (tx: Tx) => Promise<R>): Promise<R>
  /** The same on the few connections of event handlers. */
  asHandler<R>(work: (tx: Tx) => Promise<R>): Promise<R>
  /** The pool of andon_system, for statements of their own. */
  readonly system: Kysely<PlatformTables>
  /** The pool of andon_app; outside `inOrg` it sees no row of any organisation, only the SECURITY DEFINER functions. */
  readonly app: Kysely<PlatformTables>
  /** Calls `hear` for each NOTIFY on the channel, and once after each (re)connection, since hints may have been missed. Returns the end of it. */
  listen(channel: string, hear: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** A value for a jsonb column or parameter. */
export const asJson = <T>(value: T): RawBuilder<T> => sql<T>`${JSON.stringify(value)}::jsonb`

/** Narrows an andon_system transaction to one organisation and the rights of andon_app until `asWholeSystem`. */
export async function enterOrg(tx: Tx, org: string): Promise<void> {
  await sql`select set_config('role', 'andon_app', true), set_config('andon.org', ${org}, true)`.execute(tx)
}

/** Gives a transaction that entered an organisation the rights of andon_system back. */
export async function asWholeSystem(tx: Tx): Promise<void> {
  await sql`select set_config('role', 'none', true), set_config('andon.org', '', true)`.execute(tx)
}
