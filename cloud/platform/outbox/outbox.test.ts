import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { createDoor } from '../door/create-door.ts'
import { PLATFORM_RULES } from '../door/rules.ts'
import { keepHouse } from '../housekeeping.ts'
import { type Consumers, startConsumers, takePlaces } from './consumers.ts'
import { emit } from './emit.ts'
import type { EventHandler, OutboxEvent } from './event.ts'
import { type Relay, startRelay } from './relay.ts'

let test: TestDatabase
let org: string
let relay: Relay
let consumers: Consumers | undefined

beforeAll(async () => {
  test = await startTestDatabase()
  org = await test.newOrg()
  relay = await startRelay({ db: test.db, log: silentLog })
})
afterEach(async () => {
  await consumers?.close()
  consumers = undefined
})
afterAll(async () => {
  await relay.close()
  await test.close()
})

const fact = (n: number) => ({ org, type: 'thing.happened', topics: ['things'], at: new Date(), data: { n } })
const tell = (n: number) => test.db.inOrg(org, (tx) => emit(tx, fact(n)))
const stream = async () => {
  const rows = await test.db.system.selectFrom('stream_events').select(['seq', 'data']).orderBy('seq').execute()
  return rows.map((row) => ({ seq: Number(row.seq), n: row.data.n }))
}

async function consume(handlers: EventHandler[], retryMs: number[] = [1, 1]): Promise<Consumers> {
  const door = createDoor({ db: test.db, clock: Date.now, rules: PLATFORM_RULES })
  await takePlaces(test.db, handlers, relay.head())
  consumers = await startConsumers({ db: test.db, door, relay, log: silentLog, handlers, retryMs })
  return consumers
}

/** Leaves a trace in the transaction it is given. */
const tracing = (name: string, more: (event: OutboxEvent) => void = () => {}): EventHandler => ({
  name,
  types: ['thing.*'],
  async handle(event, { tx }) {
    await emit(tx, { ...fact(Number(event.data.n)), type: `trace.${name}`, topics: [] })
    more(event)
  },
})
const traces = async (name: string) => {
  const rows = await sql<{ n: number }>`
    select (data->>'n')::int as n from stream_events where type = ${`trace.${name}`}
    union all select (data->>'n')::int from outbox where type = ${`trace.${name}`} order by 1`.execute(test.db.system)
  return rows.rows.map((row) => row.n)
}

describe('the relay', () => {
  it('numbers committed events without a gap, and nothing of what was rolled back', async () => {
    await tell(1)
    await expect(
      test.db.inOrg(org, async (tx) => {
        await emit(tx, fact(2))
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await Promise.all(Array.from({ length: 40 }, (_, i) => tell(i + 3)))
    await relay.flush()
    const told = await stream()
    expect(told.map((e) => e.seq)).toEqual(told.map((_, i) => i + 1))
    expect(told.map((e) => e.n).sort((a, b) => Number(a) - Number(b))).toEqual([
      1,
      ...Array.from({ length: 40 }, (_, i) => i + 3),
    ])
  })

  it('numbers in the order of commits, not of beginnings', async () => {
    let finish = () => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const slow = test.db.inOrg(org, async (tx) => {
      await emit(tx, fact(1001))
      await held
    })
    await tell(1002)
    await relay.flush()
    finish()
    await slow
    await relay.flush()
    expect((await stream()).slice(-2).map((e) => e.n)).toEqual([1002, 1001])
  })

  it('tells within milliseconds of the commit', async () => {
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      const heard = new Promise<void>((resolve) => {
        const stop = relay.subscribe(() => {
          stop()
          resolve()
        })
      })
      await tell(2000 + i)
      const committed = performance.now()
      await heard
      times.push(performance.now() - committed)
    }
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(100)
  })

  it('reads back what it numbered when the answer was lost, and goes on', async () => {
    const heard: number[] = []
    const stop = relay.subscribe((events) => heard.push(...events.map((e) => e.seq)))
    const before = relay.head()
    // As if the connection had broken after the commit: the stream has the event, this relay does not know it.
    await test.db.asSystem(async (tx) => {
      await emit(tx, fact(3000))
      await sql`select * from andon_relay(10)`.execute(tx)
    })
    await relay.flush()
    expect(relay.head()).toBe(before)
    await tell(3001)
    await relay.flush()
    stop()
    const seqs = (await stream()).map((e) => e.seq)
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    expect(relay.head()).toBe(seqs.at(-1))
    expect(heard).toEqual(seqs.filter((seq) => seq > before))
  })
})

describe('a handler', () => {
  it('hears each event once, what it writes commits with its place', async () => {
    await consume([tracing('one')])
    for (let i = 1; i <= 5; i++) await tell(i)
    await relay.flush()
    await consumers?.caughtUp(relay.head())
    expect(await traces('one')).toEqual([1, 2, 3, 4, 5])
  })

  it('that is cut off in the middle goes on where it was, nothing lost or doubled', async () => {
    let failures = 3
    const shaky = tracing('shaky', () => {
      if (failures-- > 0) throw new Error('cut off after writing')
    })
    await consume([shaky], [1, 1, 1, 1])
    for (let i = 1; i <= 3; i++) await tell(i)
    await relay.flush()
    await consumers?.caughtUp(relay.head())
    await consumers?.close()
    for (let i = 4; i <= 6; i++) await tell(i)
    await relay.flush()
    await consume([tracing('shaky')])
    await consumers?.caughtUp(relay.head())
    expect(await traces('shaky')).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('parks an event that fails every time and hears the next one', async () => {
    await consume([
      tracing('picky', ({ data }) => {
        if (data.n === 2) throw new Error('never this one')
      }),
    ])
    for (let i = 1; i <= 3; i++) await tell(i)
    await relay.flush()
    await consumers?.caughtUp(relay.head())
    expect(await traces('picky')).toEqual([1, 3])
    const parked = await test.db.system
      .selectFrom('parked_events')
      .selectAll()
      .where('consumer', '=', 'picky')
      .execute()
    expect(parked).toMatchObject([{ attempts: 3, org_id: org, error: expect.stringContaining('never this one') }])
  })

  it('works with the rights of one organisation', async () => {
    const other = await test.newOrg()
    let seen = -1
    await consume([
      {
        name: 'nosy',
        types: ['thing.happened'],
        async handle(_event, { tx }) {
          seen = (await tx.selectFrom('organisations').select('id').where('id', '=', other).execute()).length
        },
      },
    ])
    await tell(1)
    await relay.flush()
    await consumers?.caughtUp(relay.head())
    expect(seen).toBe(0)
  })

  it('shares its name with no other', async () => {
    await expect(consume([tracing('twin'), tracing('twin')])).rejects.toThrow(/named twin/)
  })
})

describe('housekeeping', () => {
  it('drops told events beyond those that are kept, but none that a handler has yet to hear', async () => {
    await consume([tracing('slow')])
    const db = test.db
    await relay.flush()
    const head = relay.head()
    const first = async () => (await stream())[0]?.seq
    await keepHouse({ db, clock: Date.now, handlers: ['slow'] }, 5)
    expect(await first()).toBe(head - 4)
    await db.system
      .updateTable('consumers')
      .set({ last_seq: head - 5 })
      .where('name', '=', 'slow')
      .execute()
    for (let i = 0; i < 3; i++) await tell(i)
    await consumers?.close()
    await relay.flush()
    await db.system
      .updateTable('consumers')
      .set({ last_seq: head - 3 })
      .where('name', '=', 'slow')
      .execute()
    await keepHouse({ db, clock: Date.now, handlers: ['slow'] }, 1)
    expect(await first()).toBe(head - 2)
  })
})
