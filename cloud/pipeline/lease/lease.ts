import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { SocketAddress } from '../remote/socket.ts'

/** A process that has not renewed for this long may be succeeded. */
const LENGTH_MS = 4000
const RENEW_MS = 1000
const LOOK_MS = 250

/** The right to work as the machine side of an installation; see 0006-pipeline-lease.sql. */
export interface Lease {
  /** Goes with every connection as `andon.fence`. */
  readonly fence: bigint
  /** False from the moment when another process may have taken over; nothing may leave for the edges then. */
  isValid(): boolean
  /** Tells other processes where the pipeline is asked, and people by which process. */
  tell(address: SocketAddress): Promise<void>
  /** Gives it back, so that the next one need not wait. */
  release(): Promise<void>
}

export interface LeaseOptions {
  /** Connections without a fence. */
  readonly db: Kysely<never>
  readonly log: Log
  /** Called once when another process has taken over. */
  readonly onLost: () => void
  /** Says why this process may not wait for another one that works; throws. */
  readonly refuse?: ((address: SocketAddress | null) => never) | undefined
  /** Of both processes; 4 s unless told. */
  readonly lengthMs?: number
}

/** Takes the lease, or waits until the one who has it stops renewing. Throws what `refuse` throws when somebody is at work. */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
  const { db, lengthMs = LENGTH_MS } = options
  const owner = randomUUID()
  let seen: Holder | undefined
  for (;;) {
    const askedAt = performance.now()
    const fence = await claim(db, owner, lengthMs)
    if (fence !== undefined) return keep(options, { owner, fence, renewedAt: askedAt })
    seen = await look(options, seen)
    await wait(LOOK_MS)
  }
}

/** Where the pipeline is asked now; undefined when nobody works as it. */
export async function pipelineAddress(db: Kysely<never>): Promise<SocketAddress | undefined> {
  const { rows } = await sql<{ address: SocketAddress | null }>`
    select address from pipeline_lease where expires_at > now()`.execute(db)
  return rows[0]?.address ?? undefined
}

/** Forgets the lease of a database that only one process can have, such as one brought back from a backup of a shared one. */
export async function forgetLease(db: Kysely<never>): Promise<void> {
  await sql`delete from pipeline_lease`.execute(db)
}

interface Holder {
  readonly fence: string
  readonly expires_at: Date
  readonly address: SocketAddress | null
}

/** Tells a crashed predecessor, whose lease runs out, from one at work, who renews it. */
async function look({ db, log, refuse }: LeaseOptions, seen: Holder | undefined): Promise<Holder | undefined> {
  const { rows } = await sql<Holder>`select fence, expires_at, address from pipeline_lease`.execute(db)
  const holder = rows[0]
  if (!holder) return seen
  const isAtWork = seen?.fence === holder.fence && holder.expires_at > seen.expires_at
  if (isAtWork) refuse?.(holder.address)
  if (!seen) log.info({ address: holder.address }, 'Another process is the machine side; this one waits to take over')
  return holder
}

async function claim(db: Kysely<never>, owner: string, lengthMs: number): Promise<bigint | undefined> {
  const { rows } = await sql<{ fence: string }>`
    insert into pipeline_lease as l (id, owner, fence, expires_at)
    values (1, ${owner}, 1, now() + ${lengthMs} * interval '1 ms')
    on conflict (id) do update set owner = excluded.owner, fence = l.fence + 1, expires_at = excluded.expires_at,
      address = null
    where l.expires_at <= now()
    returning fence`.execute(db)
  return rows[0] && BigInt(rows[0].fence)
}

interface Held {
  readonly owner: string
  readonly fence: bigint
  /** By the monotonic clock, before the renewal was asked for. */
  renewedAt: number
}

function keep({ db, log, onLost, lengthMs = LENGTH_MS }: LeaseOptions, held: Held): Lease {
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  const own = sql`owner = ${held.owner} and fence = ${held.fence}`
  const renew = async () => {
    const askedAt = performance.now()
    const { numAffectedRows } = await sql`
      update pipeline_lease set expires_at = now() + ${lengthMs} * interval '1 ms' where ${own}`.execute(db)
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
        .catch((err: unknown) => log.warn({ err }, 'The lease of the machine side cannot be renewed; tried again'))
        .finally(() => isOver || later())
    }, RENEW_MS).unref()
  }
  later()
  return {
    fence: held.fence,
    isValid: () => !isOver && performance.now() - held.renewedAt < lengthMs,
    async tell(address) {
      await sql`update pipeline_lease set address = ${JSON.stringify({ ...address, pid: process.pid })}::jsonb where ${own}`.execute(
        db,
      )
    },
    async release() {
      isOver = true
      clearTimeout(timer)
      await sql`update pipeline_lease set expires_at = now(), address = null where ${own}`.execute(db)
    },
  }
}
