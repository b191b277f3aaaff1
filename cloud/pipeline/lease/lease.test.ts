import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '#cloud/platform/database/pools.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../../tests/support/postgres.ts'
import { forgetLease, type Lease, pipelineAddress, takeLease } from './lease.ts'

const LENGTH_MS = 1500
const ADDRESS = { host: '127.0.0.1', port: 1234 }

let test: TestDatabase
let db: Kysely<never>
const taken: Lease[] = []

beforeAll(async () => {
  test = await startTestDatabase()
  db = test.db.system as unknown as Kysely<never>
})
afterEach(async () => {
  for (const lease of taken.splice(0)) await lease.release()
  await sql`delete from pipeline_lease`.execute(db)
})
afterAll(() => test.close())

async function take(more: { onLost?: () => void; refuse?: () => never } = {}): Promise<Lease> {
  const lease = await takeLease({ db, log: silentLog, onLost: () => undefined, lengthMs: LENGTH_MS, ...more })
  taken.push(lease)
  return lease
}

/** As another process that took over while the owner slept. */
const steal = () =>
  sql`update pipeline_lease set owner = gen_random_uuid(), fence = fence + 1, expires_at = now() + interval '1 hour'`.execute(
    db,
  )

/** Connections of a process with this fence. */
async function writing<R>(fence: bigint | undefined, work: (own: Kysely<never>) => Promise<R>): Promise<R> {
  const settings: Record<string, string> = fence === undefined ? {} : { 'andon.fence': String(fence) }
  const own = openDatabase({ address: test.address, secret: TEST_SECRET, log: silentLog, size: 1, settings })
  try {
    return await work(own.system as unknown as Kysely<never>)
  } finally {
    await own.close()
  }
}

const write = (own: Kysely<never>) => sql`update detection_marks set updated_at = now()`.execute(own)

describe('the lease of the machine side', () => {
  it('is handed on at once when it is given back, with a higher fence', async () => {
    const first = await take()
    await first.tell(ADDRESS)
    expect(await pipelineAddress(db)).toMatchObject(ADDRESS)
    await first.release()
    expect(first.isValid()).toBe(false)
    expect(await pipelineAddress(db)).toBeUndefined()
    const second = await take()
    expect(second.fence).toBeGreaterThan(first.fence)
    expect(second.isValid()).toBe(true)
  })

  it('is kept by who renews it, whoever waits', async () => {
    const first = await take()
    const refused = take({
      refuse: () => {
        throw new Error('at work')
      },
    })
    await expect(refused).rejects.toThrow('at work')
    expect(first.isValid()).toBe(true)
  })

  it('goes to who waits when its owner stops renewing', async () => {
    await sql`insert into pipeline_lease values (1, gen_random_uuid(), 7, now() + interval '1 s')`.execute(db)
    const refuse = () => {
      throw new Error('a dead one is no reason')
    }
    expect((await take({ refuse })).fence).toBe(8n)
  })

  it('tells its owner that another one has it', async () => {
    const lost = Promise.withResolvers<void>()
    const first = await take({ onLost: lost.resolve })
    await steal()
    await lost.promise
    expect(first.isValid()).toBe(false)
  })
})

describe('the fence', () => {
  it('lets the owner write, and nobody before him or without one', async () => {
    const { fence } = await take()
    await writing(fence, write)
    await expect(writing(fence - 1n, write)).rejects.toMatchObject({ code: 'AN001' })
    await expect(writing(undefined, write)).rejects.toMatchObject({ code: 'AN001' })
    await steal()
    await expect(writing(fence, write)).rejects.toMatchObject({ code: 'AN001' })
  })

  it('lets everybody write where nobody needs a lease', async () => {
    await expect(writing(undefined, write)).resolves.toBeDefined()
  })

  it('falls when a database comes back to a single process', async () => {
    await (await take()).release()
    await expect(writing(undefined, write)).rejects.toMatchObject({ code: 'AN001' })
    await forgetLease(db)
    await expect(writing(undefined, write)).resolves.toBeDefined()
  })

  it('stands on every table that detection, host and history write', async () => {
    const { rows } = await sql<{ name: string }>`
      select tgrelid::regclass::text as name from pg_trigger where tgname = 'fenced' order by 1`.execute(db)
    expect(rows.map((row) => row.name)).toEqual([
      ...['alarm_log', 'alarm_points', 'detection_checkpoints', 'detection_marks', 'devices', 'edge_sessions', 'gaps'],
      ...['history_gaps', 'history_marks', 'history_refusals', 'machine_states', 'occurrences', 'tags'],
    ])
  })

  it('keeps a transaction whole: nobody takes over in the middle of it', async () => {
    const { fence } = await take()
    await writing(fence, (own) =>
      own.transaction().execute(async (tx) => {
        await sql`update detection_marks set updated_at = now()`.execute(tx)
        const theft = db.transaction().execute(async (other) => {
          await sql`set local lock_timeout = 100`.execute(other)
          await sql`update pipeline_lease set fence = fence + 1`.execute(other)
        })
        await expect(theft).rejects.toMatchObject({ code: '55P03' })
      }),
    )
  })
})
