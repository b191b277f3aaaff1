import { sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { Database } from './database/database.ts'

export interface HousekeepingOptions {
  readonly db: Database
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  /** Names of the handlers that still need their events. */
  readonly handlers: readonly string[]
}

const HOUR_MS = 3_600_000
/** A browser that was away for longer reads its lists again; beyond the stream's own window of 10,000. */
const KEPT_EVENTS = 50_000
/** A phone's outbox may send again after a long shift without a network. */
const IDEMPOTENCY_DAYS = 7

/** Every hour drops what nobody needs any more: told events, old keys, ended sessions and links. */
export function startHousekeeping(options: HousekeepingOptions): { stop(): void } {
  const timer = setInterval(() => {
    keepHouse(options).catch((err) => options.log.warn({ err }, 'Housekeeping failed; it is done again in an hour'))
  }, HOUR_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Does it once. An event stays while any handler has not passed it. */
export async function keepHouse(
  { db, clock, handlers }: Omit<HousekeepingOptions, 'log'>,
  keptEvents = KEPT_EVENTS,
): Promise<void> {
  const now = new Date(clock())
  const keysUntil = new Date(now.getTime() - IDEMPOTENCY_DAYS * 24 * HOUR_MS)
  await db.asSystem(async (tx) => {
    const { rows } = await sql<{ first_seq: string }>`
      update stream_head set first_seq = greatest(first_seq, least(
        last_seq - ${keptEvents} + 1,
        coalesce((select min(last_seq) + 1 from consumers where name = any(${[...handlers]})), last_seq + 1)))
      returning first_seq`.execute(tx)
    await tx
      .deleteFrom('stream_events')
      .where('seq', '<', rows[0]?.first_seq ?? '0')
      .execute()
    await tx.deleteFrom('idempotency_keys').where('at', '<', keysUntil).execute()
    await tx.deleteFrom('sessions').where('expires_at', '<', now).execute()
    await sql`delete from password_links where expires_at < ${now}`.execute(tx)
  })
}
