import type { Log } from '#shared/log/log.ts'
import type { Database } from '../database/database.ts'
import type { Door } from '../door/door.ts'
import type { EventHandler, OutboxEvent } from './event.ts'
import { type Handling, handleUntilDone, savePlace } from './handle.ts'
import { type Relay, readEvents } from './relay.ts'

/** The handlers of this process at work. */
export interface Consumers {
  /** Resolves when every handler has handled every event up to this number. */
  caughtUp(seq: number): Promise<void>
  close(): Promise<void>
}

export interface ConsumerOptions {
  readonly db: Database
  readonly door: Door
  readonly relay: Relay
  readonly log: Log
  readonly handlers: readonly EventHandler[]
  /** ms before each new try; after the last one the event is parked. */
  readonly retryMs?: readonly number[]
}

const RETRY_MS = [20, 100, 500, 1_000, 2_000, 5_000]
const BATCH = 200
/** Events passed over before the place is saved although none of them was heard. */
const SAVE_EVERY = 1_000

/** Starts each handler at its place in the stream, which `takePlaces` gave it; handlers do not wait for one another. */
export async function startConsumers(options: ConsumerOptions): Promise<Consumers> {
  const started = await Promise.all(options.handlers.map((handler) => startConsumer(handler, options)))
  return {
    caughtUp: async (seq) => void (await Promise.all(started.map((c) => c.caughtUp(seq)))),
    close: async () => void (await Promise.all(started.map((c) => c.close()))),
  }
}

async function startConsumer(handler: EventHandler, options: ConsumerOptions): Promise<Consumers> {
  const { db, relay, log, retryMs = RETRY_MS } = options
  const abort = new AbortController()
  const handling: Handling = { ...options, handler, retryMs, signal: abort.signal }
  const place = createPlace(await placeOf(db, handler.name))
  let running: Promise<void> | undefined
  let isAsked = false

  async function drain(): Promise<void> {
    while (isAsked && !abort.signal.aborted) {
      isAsked = false
      const head = relay.head()
      const events = await eventsAfter(options, place.at(), head)
      await handleAll(events, handling, place)
      isAsked ||= place.at() < relay.head()
    }
  }

  function wake(): void {
    isAsked = true
    running ??= drain()
      .catch((err) => {
        if (abort.signal.aborted) return
        log.warn({ err, handler: handler.name }, 'An event handler lost the database; it goes on when that is back')
        setTimeout(wake, 1_000).unref()
      })
      .finally(() => {
        running = undefined
      })
  }

  const unsubscribe = relay.subscribe(() => wake())
  wake()
  return {
    caughtUp: place.reached,
    async close() {
      unsubscribe()
      abort.abort()
      await running
      // Only spares the next start some reading: without a database the place follows from the events handled.
      await savePlace(db.system, handler.name, place.at()).catch(() => {})
    },
  }
}

async function handleAll(events: readonly OutboxEvent[], handling: Handling, place: Place): Promise<void> {
  const { db, handler, signal } = handling
  const begun = place.at()
  for (const event of events) {
    if (signal.aborted) return
    if (isHeard(handler, event)) await handleUntilDone(event, handling)
    place.moveTo(event.seq)
  }
  const hasPassed = Math.floor(begun / SAVE_EVERY) < Math.floor(place.at() / SAVE_EVERY)
  if (hasPassed) await savePlace(db.system, handler.name, place.at())
}

function isHeard({ types }: EventHandler, { type }: OutboxEvent): boolean {
  return types.some((t) => t === type || (t.endsWith('.*') && type.startsWith(t.slice(0, -1))))
}

interface Place {
  at(): number
  moveTo(seq: number): void
  reached(seq: number): Promise<void>
}

function createPlace(start: number): Place {
  const waiting = new Set<{ readonly seq: number; readonly done: () => void }>()
  let place = start
  return {
    at: () => place,
    moveTo(seq) {
      place = seq
      for (const one of [...waiting].filter((w) => w.seq <= seq)) {
        waiting.delete(one)
        one.done()
      }
    },
    reached: (seq) => (place >= seq ? Promise.resolve() : new Promise((done) => void waiting.add({ seq, done }))),
  }
}

/** Gives handlers that the stream does not know yet their place: the events after `head`. Throws when two share a name. */
export async function takePlaces({ system }: Database, handlers: readonly EventHandler[], head: number): Promise<void> {
  const names = handlers.map((h) => h.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice) throw new Error(`Two event handlers are named ${twice}; each needs a place of its own in the stream`)
  await system
    .insertInto('consumers')
    .values(names.map((name) => ({ name, last_seq: head })))
    .onConflict((c) => c.column('name').doNothing())
    .execute()
}

async function placeOf({ system }: Database, name: string): Promise<number> {
  const row = await system.selectFrom('consumers').select('last_seq').where('name', '=', name).executeTakeFirstOrThrow()
  return Number(row.last_seq)
}

async function eventsAfter(
  { db, relay }: ConsumerOptions,
  after: number,
  until: number,
): Promise<readonly OutboxEvent[]> {
  return relay.recent(after, BATCH) ?? readEvents(db, { after, until, limit: BATCH })
}
