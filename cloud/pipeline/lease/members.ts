import { setTimeout as wait } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { SocketAddress } from '../remote/socket.ts'

/** A member that has not renewed for this long may be declared dead, and its edges go to others. */
const LENGTH_MS = 4000
const RENEW_MS = 1000
const LOOK_MS = 250
/** Joining is one at a time, so that two that cannot work together never both find themselves alone. */
const JOIN_LOCK = 720_646

/** A process at work as (a part of) the machine side of an installation; see 0006-pipeline-lease.sql. */
export interface Member {
  /** Goes with every connection as `andon.fence`. */
  readonly fence: bigint
  /** False from the moment when others may have taken its edges; nothing may leave for the edges then. */
  isValid(): boolean
  /** Tells other processes where this one is asked, and people which process it is. It gets its share of the edges from now on. */
  tell(address: SocketAddress): Promise<void>
  /** Gets no more edges from now on. */
  retire(): Promise<void>
  /** Gives its edges back, so that the others need not wait. */
  leave(): Promise<void>
}

export interface JoinOptions {
  /** Connections without a fence. */
  readonly db: Kysely<never>
  readonly log: Log
  /** Called once when this process was declared dead. */
  readonly onLost: () => void
  /** Settings without which this process cannot work beside others. */
  readonly lacks: readonly string[]
  /** Says which settings are lacking beside the process at `at`; throws. */
  readonly refuse: (lacking: readonly string[], at: SocketAddress | null) => never
  /** Of all processes; 4 s unless told. */
  readonly lengthMs?: number
}

/** Another process, as its row tells it. */
export interface MemberRow {
  readonly fence: string
  readonly expires_at: Date
  readonly address: SocketAddress | null
  readonly lacks: readonly string[]
}

/**
 * Joins the members. Where it or another one cannot work beside others it waits until the others are gone, and throws what
 * `refuse` throws when one of them is at work.
 */
export async function join(options: JoinOptions): Promise<Member> {
  const { db, lacks, refuse, log, lengthMs = LENGTH_MS } = options
  const seen = new Map<string, number>()
  for (let isFirst = true; ; isFirst = false) {
    const askedAt = performance.now()
    const outcome = await tryToJoin(db, lacks, lengthMs)
    if ('fence' in outcome) return keep(options, { fence: BigInt(outcome.fence), renewedAt: askedAt })
    const { inTheWay } = outcome
    const atWork = inTheWay.find(({ fence, expires_at }) => expires_at.getTime() > (seen.get(fence) ?? Infinity))
    if (atWork) refuse([...new Set([...lacks, ...atWork.lacks])], atWork.address)
    for (const { fence, expires_at } of inTheWay) seen.set(fence, expires_at.getTime())
    if (isFirst)
      log.info(
        { lacks },
        'Another process was the machine side a moment ago; this one waits to see whether it is at work',
      )
    await wait(LOOK_MS)
  }
}

/** Processes that work as the machine side and can be asked, oldest first. */
export async function livingMembers(db: Kysely<never>): Promise<{ fence: string; address: SocketAddress }[]> {
  const { rows } = await sql<{ fence: string; address: SocketAddress }>`
    select fence, address from pipeline_members where expires_at > now() and address is not null order by fence`.execute(
    db,
  )
  return rows
}

/** Forgets the members of a database that only one process can have, such as one brought back from a backup of a shared one. */
export async function forgetMembers(db: Kysely<never>): Promise<void> {
  await sql`update pipeline_members set expires_at = '-infinity'`.execute(db)
  await sql`select andon_bury_members()`.execute(db)
}

type Outcome = { readonly fence: string } | { readonly inTheWay: readonly MemberRow[] }

function tryToJoin(db: Kysely<never>, lacks: readonly string[], lengthMs: number): Promise<Outcome> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${JOIN_LOCK})`.execute(tx)
    await sql`select andon_bury_members()`.execute(tx)
    const others = await sql<MemberRow>`select fence, expires_at, address, lacks from pipeline_members`.execute(tx)
    const inTheWay = others.rows.filter((other) => lacks.length > 0 || other.lacks.length > 0)
    if (inTheWay.length > 0) return { inTheWay }
    const { rows } = await sql<{ fence: string }>`
      insert into pipeline_members (renewed_at, expires_at, lacks)
      values (now(), now() + ${lengthMs} * interval '1 ms', ${lacks}::text[]) returning fence`.execute(tx)
    return { fence: rows[0]?.fence ?? '' }
  })
}

interface Held {
  readonly fence: bigint
  /** By the monotonic clock, before the renewal was asked for. */
  renewedAt: number
}

function keep({ db, log, onLost, lengthMs = LENGTH_MS }: JoinOptions, held: Held): Member {
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  const own = sql`fence = ${held.fence}`
  const renew = async () => {
    const askedAt = performance.now()
    const { numAffectedRows } = await sql`
      update pipeline_members set renewed_at = now(), expires_at = now() + ${lengthMs} * interval '1 ms'
      where ${own}`.execute(db)
    if (isOver) return
    if (numAffectedRows === 1n) {
      held.renewedAt = askedAt
      return
    }
    isOver = true
    onLost()
  }
  const later = () => {
    timer = setTimeout(() => {
      renew()
        .catch((err: unknown) => log.warn({ err }, 'The lease of this machine side cannot be renewed; tried again'))
        .finally(() => isOver || later())
    }, RENEW_MS).unref()
  }
  later()
  const address = async (value: object | null) => {
    await sql`update pipeline_members set address = ${value && JSON.stringify(value)}::jsonb where ${own}`.execute(db)
    await sql`select pg_notify('andon_shards', '')`.execute(db)
  }
  return {
    fence: held.fence,
    isValid: () => !isOver && performance.now() - held.renewedAt < lengthMs,
    tell: (at) => address({ ...at, pid: process.pid }),
    retire: () => address(null),
    async leave() {
      isOver = true
      clearTimeout(timer)
      await giveBack(db, held.fence)
    },
  }
}

/** Its last deed: what it wrote is committed, and whoever takes its edges goes on from there. */
function giveBack(db: Kysely<never>, fence: bigint): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await sql`select set_config('andon.fence', ${String(fence)}, true)`.execute(tx)
    const { rows } = await sql`select from pipeline_members where fence = ${fence} for update`.execute(tx)
    if (rows.length === 0) return
    await sql`update edges set owner_fence = null, owned_until = now() where owner_fence = ${fence}`.execute(tx)
    await sql`delete from pipeline_members where fence = ${fence}`.execute(tx)
    await sql`select pg_notify('andon_shards', '')`.execute(tx)
  })
}
