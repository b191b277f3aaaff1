import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '#shared/log/log.ts'
import { asWholeSystem, type Database, enterOrg, type Tx } from '../database/database.ts'
import type { Door, ExecuteOptions } from '../door/door.ts'
import type { EventHandler, OutboxEvent } from './event.ts'

export interface Handling {
  readonly db: Database
  readonly door: Door
  readonly log: Log
  readonly handler: EventHandler
  readonly signal: AbortSignal
  /** ms before each new try; after the last one the event is parked. */
  readonly retryMs: readonly number[]
}

/** Handles one event, trying again with back-off; parks it in the end. Rejects only when stopped. */
export async function handleUntilDone(event: OutboxEvent, handling: Handling): Promise<void> {
  let attempts = 0
  for (;;) {
    const error = await attempt(event, handling)
    if (error === undefined) return
    handling.signal.throwIfAborted()
    // An outage says nothing about the event: it is waited for, however long it takes.
    const isOutage = isLostDatabase(error)
    if (!isOutage) attempts++
    const pause = isOutage ? OUTAGE_PAUSE_MS : handling.retryMs[attempts - 1]
    if (pause === undefined) return park(event, handling, { attempts, error })
    handling.log.warn({ ...told(event, handling, error), attempts }, 'An event handler failed; it is tried again')
    await wait(pause, undefined, { signal: handling.signal })
  }
}

const OUTAGE_PAUSE_MS = 500

const told = (event: OutboxEvent, { handler }: Handling, err: unknown) => ({
  err,
  handler: handler.name,
  event: event.type,
  seq: event.seq,
})

async function attempt(event: OutboxEvent, handling: Handling): Promise<unknown> {
  try {
    await handleOnce(event, handling)
    return undefined
  } catch (error) {
    return error ?? new Error('nothing was thrown')
  }
}

/** What the handler writes and its place in the stream commit together: exactly once, whatever is killed. */
async function handleOnce(event: OutboxEvent, { db, door, handler }: Handling): Promise<void> {
  await db.asHandler(async (tx) => {
    await enterOrg(tx, event.org)
    await handler.handle(event, { tx, door: doorWithin(door, tx, event) })
    await asWholeSystem(tx)
    await savePlace(tx, handler.name, event.seq)
  })
}

/** The door inside the handler's transaction; commands keep the event's cause unless told another. */
function doorWithin(door: Door, tx: Tx, event: OutboxEvent): Door {
  return {
    ...door,
    execute: (command, actor, input, options: ExecuteOptions = {}) =>
      door.execute(command, actor, input, { causeId: event.causeId ?? undefined, ...options, tx }),
  }
}

/** Moves a handler's place forward, never back. */
export async function savePlace(tx: Tx | Database['system'], name: string, seq: number): Promise<void> {
  await tx
    .updateTable('consumers')
    .set({ last_seq: seq })
    .where('name', '=', name)
    .where('last_seq', '<', String(seq))
    .execute()
}

interface Failure {
  readonly attempts: number
  readonly error: unknown
}

async function park(event: OutboxEvent, handling: Handling, { attempts, error }: Failure): Promise<void> {
  const { db, handler, log } = handling
  log.error(told(event, handling, error), 'An event was parked: its handler failed every time')
  await db.asHandler(async (tx) => {
    await tx
      .insertInto('parked_events')
      .values({
        consumer: handler.name,
        seq: event.seq,
        org_id: event.org,
        attempts,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        parked_at: new Date(),
      })
      .onConflict((c) => c.doNothing())
      .execute()
    await savePlace(tx, handler.name, event.seq)
  })
}

/** SQLSTATE classes 08 (connection), 57P (shutdown), 53 (resources), and the socket's own errors. */
function isLostDatabase(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  if (/^(08|57P|53)/.test(code ?? '') || /^(ECONN|ENOENT|EPIPE)/.test(code ?? '')) return true
  return /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect/.test(
    message ?? '',
  )
}
