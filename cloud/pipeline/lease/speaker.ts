import { type Kysely, sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { Broker, HostState } from '../broker/broker.ts'

const EVERY_MS = 1000
const ANSWER_WITHIN_MS = 1000

/** Sees to it that exactly one process speaks for the host: it holds STATE, and its connection carries the will. */
export interface Speaker {
  /** Speaks when nobody does. Called before the first CONNECT, so that it can carry the will; true: this process speaks. */
  claim(): Promise<boolean>
  /** True while the tables say that this process speaks; asked before each CONNECT with a will. */
  isSpeaker(): Promise<boolean>
  /** Holds STATE when this process speaks, takes it over from one who died or fell silent, and yields it when it was taken over. */
  start(broker: StateBroker): Promise<void>
  stop(): Promise<void>
}

type StateBroker = Pick<Broker, 'holdState' | 'yieldState' | 'watchState'>

export interface SpeakerOptions {
  readonly db: Kysely<never>
  readonly fence: bigint
  readonly hostId: string
  /** Hears NOTIFY, and once after each connection. */
  readonly listen: (channel: string, hear: () => void) => Promise<() => Promise<void>>
  readonly log: Log
  /** Time between two looks at the table; 1 s unless told. */
  readonly everyMs?: number
}

/** Prepares it; nothing is asked before the first call. */
export function hostSpeaker(options: SpeakerOptions): Speaker {
  const { listen, hostId, log, fence, everyMs = EVERY_MS } = options
  const seat = seatOf(options)
  const news: News = { newest: 0, offlineAt: undefined }
  let isHeld = false
  let timer: NodeJS.Timeout | undefined
  let end: (() => Promise<void>) | undefined
  let tail: Promise<void> = Promise.resolve()
  const settle = async (broker: StateBroker) => {
    if (seat.isOwn() === isHeld) return
    isHeld = seat.isOwn()
    log.info(
      { fence: String(fence) },
      isHeld ? 'This process speaks for the host' : 'Another process speaks for the host',
    )
    await (isHeld ? broker.holdState(hostId) : broker.yieldState())
  }
  const inLine = (work: () => Promise<void>) => {
    const warn = (err: unknown) => log.warn({ err }, 'Who speaks for the host cannot be settled; tried again')
    tail = tail.then(work).catch(warn)
    return tail
  }
  const look = (broker: StateBroker) =>
    inLine(async () => {
      clearTimeout(timer)
      timer = setTimeout(() => void look(broker), everyMs).unref()
      await seat.look()
      if (seat.isEmpty() || (!seat.isOwn() && isOverdue(news, seat.changedAt()))) await seat.take()
      await settle(broker)
    })
  const hear = (broker: StateBroker, state: HostState) => {
    note(news, state)
    if (news.offlineAt === undefined || isHeld) return
    void inLine(async () => {
      await seat.take()
      await settle(broker)
    })
  }
  return {
    async claim() {
      await seat.look()
      if (seat.isEmpty()) await seat.take()
      return seat.isOwn()
    },
    async isSpeaker() {
      const isStill = await seat.look().then(seat.isOwn, () => false)
      // Whoever asks gives STATE up when the answer is no; the next look holds it again.
      isHeld &&= isStill
      return isStill
    },
    async start(broker) {
      await broker.watchState(hostId, (state) => hear(broker, state))
      await look(broker)
      end = await listen('andon_shards', () => void look(broker))
    },
    async stop() {
      await end?.()
      await tail
      clearTimeout(timer)
    },
  }
}

/** What STATE last said. */
interface News {
  /** The latest timestamp of all. */
  newest: number
  /** Since when the host is said to be offline, by the monotonic clock; undefined while it is online. */
  offlineAt: number | undefined
}

/** The will of a connection long gone, told late, says nothing of the one that speaks now. */
function note(news: News, { online, timestamp }: HostState): void {
  if (!online && timestamp < news.newest) return
  news.newest = Math.max(news.newest, timestamp)
  news.offlineAt = online ? undefined : (news.offlineAt ?? performance.now())
}

/** Whoever got the seat has this long to say that the host is online; then another one tries. */
const isOverdue = ({ offlineAt }: News, changedAt: number): boolean =>
  offlineAt !== undefined && performance.now() - Math.max(offlineAt, changedAt) > ANSWER_WITHIN_MS

/** The row that says who speaks. It changes hands from whom this process last saw in it: of several who want it one gets it. */
function seatOf({ db, fence }: SpeakerOptions) {
  const own = String(fence)
  let known: string | null = null
  let changedAt = Number.NEGATIVE_INFINITY
  const see = (now: string | null) => {
    if (now !== known) changedAt = performance.now()
    known = now
  }
  const look = async () => {
    const { rows } = await sql<{ fence: string | null }>`select fence from pipeline_speaker`.execute(db)
    see(rows[0]?.fence ?? null)
  }
  return {
    isOwn: () => known === own,
    isEmpty: () => known === null,
    changedAt: () => changedAt,
    look,
    async take() {
      const { numAffectedRows } = await sql`
        update pipeline_speaker set fence = ${fence} where fence is not distinct from ${known}::bigint`.execute(db)
      if (numAffectedRows !== 1n) return look()
      see(own)
      await sql`select pg_notify('andon_shards', '')`.execute(db)
    },
  }
}
