import { type Selectable, sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { Database } from '../database/database.ts'
import type { StreamEventsTable } from '../database/tables.ts'
import type { OutboxEvent } from './event.ts'

/** Turns committed outbox rows into the numbered stream and tells them to this process at once. */
export interface Relay {
  /** Number of the newest event told. */
  head(): number
  /** Up to `limit` events after this number from memory; undefined when memory does not reach back that far. */
  recent(after: number, limit: number): readonly OutboxEvent[] | undefined
  /** Called synchronously with each batch, in order. Returns the end of it. */
  subscribe(hear: (events: readonly OutboxEvent[]) => void): () => void
  /** Relays what is committed by now. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface RelayOptions {
  readonly db: Database
  readonly log: Log
  /** The poll that covers a lost notification. */
  readonly pollMs?: number
  /** Other processes relay too: what they have numbered is read back. */
  readonly isShared?: boolean
}

/** Most events numbered in one transaction. */
const BATCH = 500
const NEWEST = Number.MAX_SAFE_INTEGER
/** Newest events kept in memory, so that handlers and streams read none of them back. */
const KEPT = 2_000

/** Starts the relay of this process. Several take turns by a row lock. */
export async function startRelay({ db, log, pollMs = 1_000, isShared = false }: RelayOptions): Promise<Relay> {
  const hearers = new Set<(events: readonly OutboxEvent[]) => void>()
  const kept: OutboxEvent[] = []
  let head = await readHead(db)
  let isClosed = false
  let isAsked = false
  /** A lost connection leaves open whether the last batch was numbered: then the stream is read back first. */
  let isUnsure = false
  let running: Promise<void> | undefined

  function tell(events: readonly OutboxEvent[]): void {
    head = events.at(-1)?.seq ?? head
    kept.push(...events)
    kept.splice(0, Math.max(0, kept.length - KEPT))
    if (events.length > 0) for (const hear of hearers) hear(events)
  }

  /** What another relay (or this one, before its connection broke) had numbered in between. */
  async function missedBefore(next: OutboxEvent | undefined): Promise<OutboxEvent[]> {
    if (next === undefined || next.seq === head + 1) return []
    return readEvents(db, { after: head, until: next.seq - 1, limit: next.seq - 1 - head })
  }

  async function drain(): Promise<void> {
    while (isAsked && !isClosed) {
      isAsked = false
      const wasUnsure = isUnsure
      isUnsure = true
      const events = await newest(db, head, { isBack: wasUnsure, isShared })
      tell([...(await missedBefore(events[0])), ...events])
      isUnsure = wasUnsure && events.length === BATCH
      isAsked ||= wasUnsure || events.length === BATCH
    }
  }

  function wake(): Promise<void> {
    isAsked = true
    running ??= drain()
      .catch((err) => log.warn({ err }, 'The relay lost the database; it goes on when that is back'))
      .finally(() => {
        running = undefined
      })
    return running
  }

  const stopListening = await db.listen('andon_outbox', () => void wake())
  const poll = setInterval(() => void wake(), pollMs)
  return {
    head: () => head,
    recent(after, limit) {
      const first = kept[0]?.seq ?? head + 1
      return after + 1 < first ? undefined : kept.slice(after + 1 - first, after + 1 - first + limit)
    },
    subscribe(hear) {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
    async flush() {
      await running
      await wake()
    },
    async close() {
      isClosed = true
      clearInterval(poll)
      await stopListening()
      await running
    },
  }
}

/** Numbers what waits; answers that, or what anybody has numbered when that cannot be known otherwise. */
async function newest(db: Database, after: number, how: { isBack: boolean; isShared: boolean }) {
  const own = how.isBack ? [] : await number(db)
  return how.isBack || how.isShared ? readEvents(db, { after, until: NEWEST, limit: BATCH }) : own
}

async function readHead(db: Database): Promise<number> {
  const { rows } = await sql<{ last_seq: string }>`select last_seq from stream_head`.execute(db.system)
  return Number(rows[0]?.last_seq ?? 0)
}

async function number(db: Database): Promise<OutboxEvent[]> {
  const { rows } = await sql<Selectable<StreamEventsTable>>`select * from andon_relay(${BATCH})`.execute(db.system)
  return rows.map(eventOf).sort((a, b) => a.seq - b.seq)
}

/** Number of the oldest event that is still kept. */
export async function readFirst(db: Database): Promise<number> {
  const { rows } = await sql<{ first_seq: string }>`select first_seq from stream_head`.execute(db.system)
  return Number(rows[0]?.first_seq ?? 1)
}

export interface StreamRange {
  /** Exclusive. */
  readonly after: number
  /** Inclusive. */
  readonly until: number
  readonly limit: number
}

/** Events of every organisation from the stream, in order. */
export async function readEvents(db: Database, { after, until, limit }: StreamRange): Promise<OutboxEvent[]> {
  const rows = await db.system
    .selectFrom('stream_events')
    .selectAll()
    .where('seq', '>', String(after))
    .where('seq', '<=', String(until))
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(eventOf)
}

/** A row of `stream_events` as an event. */
export function eventOf(row: Selectable<StreamEventsTable>): OutboxEvent {
  return {
    seq: Number(row.seq),
    id: row.id,
    org: row.org_id,
    type: row.type,
    topics: row.topics,
    recordId: row.record_id,
    causeId: row.cause_id,
    at: row.at,
    data: row.data,
  }
}
