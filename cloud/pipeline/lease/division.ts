import { type Kysely, sql, type Transaction } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import { type Census, nextMove } from './share.ts'

const EVERY_MS = 500
/** Edges taken or let go in one piece: nobody's samples wait for all the others. */
const MOST_AT_ONCE = 500
/** Turns that fail in a row before people are told. */
const FAILURES_TOLD = 10

/** What takes edges on and lets them go. */
export interface Hands {
  /** Goes on with edges that nobody had; they are this process' own. */
  take(ids: readonly string[]): Promise<void>
  /** Ends work on edges in good order; when it resolves, nothing more is written for them. */
  letGo(ids: readonly string[]): Promise<void>
  /** Ids of the edges in hand. */
  held(): ReadonlySet<string>
}

/** Gives this process its share of the edges for as long as it lives. */
export interface Division {
  /** Takes every edge that nobody has, before anything works on them; answers the ids of all that are this process' own. */
  claimAll(): Promise<readonly string[]>
  /** Takes the first edges on, then goes on by itself. */
  start(hands: Hands): Promise<void>
  /** Takes one edge at once, whatever the shares; false when another process has it. */
  claim(id: string): Promise<boolean>
  /** What keeps this process from taking its edges on, in words. */
  fault(): string | undefined
  stop(): Promise<void>
}

export interface DivisionOptions {
  /** Connections that carry the fence. */
  readonly db: Kysely<never>
  readonly fence: bigint
  /** Hears NOTIFY, and once after each connection. */
  readonly listen: (channel: string, hear: () => void) => Promise<() => Promise<void>>
  readonly log: Log
  /** Time between two looks at the tables; 500 ms unless told. */
  readonly everyMs?: number
}

/** Prepares the division; nothing is asked before `start`. */
export function divideEdges(options: DivisionOptions): Division {
  const { db, fence, listen } = options
  const turns = inOneLine()
  const regular = regularly(options, turns)
  return {
    claimAll: () =>
      turns(async () => {
        await claimSome(db, fence, Number.MAX_SAFE_INTEGER)
        return ownEdges(db, fence)
      }),
    async start(hands) {
      await regular.start(hands)
      regular.onStop(await listen('andon_shards', () => void regular.look()))
    },
    claim: (id) => turns(() => claimOne(db, fence, { id, hands: regular.hands() })),
    fault: () =>
      regular.failures() >= FAILURES_TOLD ? 'Edges cannot be taken on at present; the log says why' : undefined,
    stop: () => regular.stop(),
  }
}

type Turns = ReturnType<typeof inOneLine>

/** Looks at the tables now and then, and whenever it is told to. */
function regularly({ db, fence, log, everyMs = EVERY_MS }: DivisionOptions, turns: Turns) {
  let hands: Hands | undefined
  let timer: NodeJS.Timeout | undefined
  let end: (() => Promise<void>) | undefined
  let [isStopped, failures] = [false, 0]
  const work = async () => {
    if (!hands || isStopped) return
    const hasMore = await turn(db, fence, hands)
    failures = 0
    if (hasMore) await work()
  }
  const look = (): Promise<void> =>
    turns(async () => {
      clearTimeout(timer)
      await work().catch((err: unknown) => {
        failures += 1
        if (failures === 1) log.warn({ err }, 'Edges cannot be taken on or let go; tried again')
      })
      if (!isStopped) timer = setTimeout(() => void look(), everyMs).unref()
    })
  return {
    look,
    hands: () => hands,
    failures: () => failures,
    onStop(stop: () => Promise<void>) {
      end = stop
    },
    start(given: Hands) {
      hands = given
      return look()
    },
    async stop() {
      isStopped = true
      await end?.()
      await turns(async () => clearTimeout(timer))
    },
  }
}

/** Runs one piece of work after the other. */
function inOneLine(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = tail.then(work)
    tail = run.catch(() => undefined)
    return run
  }
}

/** One look and what follows from it; true when there is more to do at once. */
async function turn(db: Kysely<never>, fence: bigint, hands: Hands): Promise<boolean> {
  await sql`select andon_bury_members()`.execute(db)
  const census = await count(db, fence)
  const move = nextMove(census)
  if (move.claim > 0) await claimSome(db, fence, Math.min(move.claim, MOST_AT_ONCE))
  if (move.claim > 0 || census.own !== hands.held().size) await takeOwn(db, fence, hands)
  if (move.release > 0) await letGo(db, fence, { hands, count: Math.min(move.release, MOST_AT_ONCE) })
  return Math.max(move.claim, move.release) > MOST_AT_ONCE
}

async function count(db: Kysely<never>, fence: bigint): Promise<Census> {
  const { rows } = await sql<{ owner: string | null; edges: number; is_ready: boolean }>`
    select e.owner, coalesce(e.edges, 0)::integer as edges, m.fence is not null as is_ready
    from (select owner_fence as owner, count(*) as edges from edges group by 1) e
    left join (select fence from pipeline_members where expires_at > now() and address is not null) m on m.fence = e.owner
    union all
    select m.fence, 0, true from pipeline_members m
    where expires_at > now() and address is not null and not exists (select from edges where owner_fence = m.fence)`.execute(
    db,
  )
  const of = (isWanted: (row: (typeof rows)[number]) => boolean) => rows.filter(isWanted).map(({ edges }) => edges)
  const sum = (edges: readonly number[]) => edges.reduce((all, one) => all + one, 0)
  const own = String(fence)
  return {
    own: sum(of(({ owner }) => owner === own)),
    others: of(({ owner, is_ready }) => is_ready && owner !== own),
    unowned: sum(of(({ owner }) => owner === null)),
    total: sum(of(() => true)),
  }
}

/** A waker in the transaction: what it tells is seen by whoever hears it. */
const tell = (tx: Transaction<never>) => sql`select pg_notify('andon_shards', '')`.execute(tx)

/** Those that waited longest first; what another one is about to take is left to him. */
function claimSome(db: Kysely<never>, fence: bigint, most: number): Promise<void> {
  return db.transaction().execute(async (tx) => {
    await sql`
      update edges set owner_fence = ${fence} where id in (
        select id from edges where owner_fence is null order by owned_until nulls first, id limit ${most}
        for update skip locked)`.execute(tx)
    await tell(tx)
  })
}

async function claimOne(
  db: Kysely<never>,
  fence: bigint,
  { id, hands }: { readonly id: string; readonly hands: Hands | undefined },
): Promise<boolean> {
  if (!hands) return false
  const isOwn = await db.transaction().execute(async (tx) => {
    const { numAffectedRows } = await sql`
      update edges set owner_fence = ${fence}
      where id = ${id} and (owner_fence is null or owner_fence = ${fence})`.execute(tx)
    await tell(tx)
    return numAffectedRows === 1n
  })
  if (isOwn && !hands.held().has(id)) await hands.take([id])
  return isOwn
}

async function ownEdges(db: Kysely<never>, fence: bigint): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from edges where owner_fence = ${fence}`.execute(db)
  return rows.map(({ id }) => id)
}

/** Takes on what is this process' own and not in hand: claimed now, or in a turn that failed after its claim. */
async function takeOwn(db: Kysely<never>, fence: bigint, hands: Hands): Promise<void> {
  const missing = (await ownEdges(db, fence)).filter((id) => !hands.held().has(id))
  for (let i = 0; i < missing.length; i += MOST_AT_ONCE) await hands.take(missing.slice(i, i + MOST_AT_ONCE))
}

async function letGo(
  db: Kysely<never>,
  fence: bigint,
  { hands, count: most }: { readonly hands: Hands; readonly count: number },
): Promise<void> {
  const ids = [...hands.held()].slice(-most)
  await hands.letGo(ids)
  await db.transaction().execute(async (tx) => {
    await sql`
      update edges set owner_fence = null, owned_until = now()
      where owner_fence = ${fence} and id = any (${ids}::uuid[])`.execute(tx)
    await tell(tx)
  })
}
