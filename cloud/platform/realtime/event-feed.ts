import type { StreamEvent } from '#shared/contracts/stream.ts'
import type { OutboxEvent } from '../outbox/event.ts'
import type { Outlet } from './values.ts'

/** Reads the stream back. */
export interface EventSource {
  head(): number
  /** Up to `limit` events after this number, in order; empty when there are none. */
  after(seq: number, limit: number): Promise<readonly OutboxEvent[]> | readonly OutboxEvent[]
  /** Number of the oldest event that is still kept. */
  first(): Promise<number>
}

/** Durable events for one reader, each exactly once and in order. */
export interface EventFeed {
  /** Adds topics; with `after`, their events from there on are told before anything newer. */
  subscribe(topics: readonly string[], after: number | undefined): Promise<void>
  unsubscribe(topics: readonly string[]): void
  /** Hands on what was relayed just now. */
  hear(events: readonly OutboxEvent[]): void
}

/** A reader who is further behind reads his lists again instead: that is cheaper for everyone. */
const WINDOW = 10_000
const PAGE = 500
const WAIT_BYTES = 1_000_000

export interface EventFeedOptions {
  readonly org: string
  /** The person whose `inbox:me` is `inbox:<this>`. */
  readonly personId: string | null
  readonly source: EventSource
  readonly outlet: Outlet
}

/** Makes the feed of one reader. Topics given to it have been allowed. */
export function createEventFeed({ org, personId, source, outlet }: EventFeedOptions): EventFeed {
  const topics = new Set<string>()
  const own = `inbox:${personId}`
  /** Every event up to here was told, where it concerned the reader. */
  let place = source.head()
  let replaying: Promise<void> | undefined

  function tell(event: OutboxEvent, wanted: ReadonlySet<string>): void {
    if (event.org !== org) return
    const named = event.topics.map((topic) => (topic === own ? 'inbox:me' : topic)).filter((topic) => wanted.has(topic))
    if (named.length > 0) outlet.sendText(textOf(event, named))
  }

  function hear(events: readonly OutboxEvent[]): void {
    if (replaying) return
    for (const event of events) {
      if (event.seq <= place) continue
      tell(event, topics)
      place = event.seq
    }
  }

  /** New topics from `after` on; what the reader already had is told again to nobody. */
  async function replay(added: ReadonlySet<string>, after: number): Promise<void> {
    let at = after
    while (at < source.head()) {
      const events = await source.after(at, PAGE)
      for (const event of events) tell(event, event.seq > place ? topics : added)
      at = events.at(-1)?.seq ?? source.head()
      await outletReady(outlet)
    }
    place = Math.max(place, at)
  }

  async function begin(added: readonly string[], after: number): Promise<void> {
    const isBeyond = after > source.head() || after < source.head() - WINDOW || after + 1 < (await source.first())
    if (isBeyond) outlet.send({ type: 'resync', seq: source.head() })
    // While `first` was asked, hearing was stopped: what came meanwhile is read back from the reader's own place.
    await replay(new Set(isBeyond ? [] : added), isBeyond ? place : Math.min(after, place))
  }

  return {
    async subscribe(wanted, after) {
      await replaying
      const added = wanted.filter((topic) => !topics.has(topic))
      for (const topic of added) topics.add(topic)
      if (after === undefined) return
      replaying = begin(added, after).finally(() => {
        replaying = undefined
      })
      await replaying
    },
    unsubscribe(gone) {
      for (const topic of gone) topics.delete(topic)
    },
    hear,
  }
}

async function outletReady(outlet: Outlet): Promise<void> {
  while (outlet.waitingBytes() > WAIT_BYTES) await new Promise((resolve) => setTimeout(resolve, 20))
}

const texts = new WeakMap<OutboxEvent, Map<string, string>>()

/** Written once for all readers who hear it by the same topics. */
function textOf(event: OutboxEvent, topics: string[]): string {
  const known = texts.get(event) ?? new Map<string, string>()
  const key = topics.join(' ')
  const text = known.get(key) ?? JSON.stringify(message(event, topics))
  texts.set(event, known.set(key, text))
  return text
}

function message(event: OutboxEvent, topics: string[]): StreamEvent {
  const { seq, id, type, at, recordId, causeId, data } = event
  return { type: 'event', seq, id, event: type, topics, at: at.toISOString(), recordId, causeId, data }
}
