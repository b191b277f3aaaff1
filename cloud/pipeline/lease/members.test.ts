import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '#cloud/platform/database/pools.ts'
import { newId } from '#cloud/platform/id.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../../tests/support/postgres.ts'
import { forgetMembers, type JoinOptions, join, livingMembers, type Member } from './members.ts'

const LENGTH_MS = 1500
const ADDRESS = { host: '127.0.0.1', port: 1234 }
const EPOCH = 7

let test: TestDatabase
let db: Kysely<never>
let org = ''
const joined: Member[] = []

const refuse = (lacking: readonly string[]) => {
  throw new Error(`lacks ${lacking}`)
}

beforeAll(async () => {
  test = await startTestDatabase()
  db = test.db.system as unknown as Kysely<never>
  org = await test.newOrg()
  await sql`insert into edge_groups (group_id, org_id) values ('works', ${org})`.execute(db)
})
afterEach(async () => {
  for (const member of joined.splice(0)) await member.leave()
  await forgetMembers(db)
  await sql`delete from edges`.execute(db)
})
afterAll(() => test.close())

async function enter(more: Partial<JoinOptions> = {}): Promise<Member> {
  const options = { db, log: silentLog, onLost: () => undefined, lengthMs: LENGTH_MS, lacks: [], refuse }
  const member = await join({ ...options, ...more })
  joined.push(member)
  return member
}

/** As if the member had not renewed for long and another process had looked. */
const bury = async (fence: bigint) => {
  await sql`update pipeline_members set expires_at = now() where fence = ${fence}`.execute(db)
  await sql`select andon_bury_members()`.execute(db)
}

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

const registering = (name: string) => (own: Kysely<never>) =>
  sql`
    insert into edges (id, org_id, group_id, edge, name, secret_hash, created_at)
    values (${newId()}, ${org}, 'works', ${name}, ${name}, 'none', now())`.execute(own)

const mark = (edge: string) => (own: Kysely<never>) =>
  sql`
    insert into detection_marks (group_key, edge, epoch, org_id, ranges) values ('works', ${edge}, ${EPOCH}, ${org}, '[]')
    on conflict (group_key, edge, epoch) do update set updated_at = now()`.execute(own)
const touch = (own: Kysely<never>) => sql`update machine_states set until = until`.execute(own)
const own = (fence: bigint, edge: string) => (tx: Kysely<never>) =>
  sql`update edges set owner_fence = ${fence} where edge = ${edge}`.execute(tx)
const ownerOf = async (edge: string) =>
  (await sql<{ owner: string | null }>`select owner_fence as owner from edges where edge = ${edge}`.execute(db)).rows[0]
    ?.owner

describe('the members of the machine side', () => {
  it('have a fence each, higher than any before, and can be asked once they tell where', async () => {
    const first = await enter()
    const second = await enter()
    expect(second.fence).toBeGreaterThan(first.fence)
    await second.tell(ADDRESS)
    expect(await livingMembers(db)).toMatchObject([{ fence: String(second.fence), address: ADDRESS }])
    await second.leave()
    expect(second.isValid()).toBe(false)
    expect(first.isValid()).toBe(true)
    expect(await livingMembers(db)).toEqual([])
  })

  it('are refused beside one at work where either lacks what both need, all of it named', async () => {
    await enter({ lacks: ['MQTT_URL'] })
    await expect(enter({ lacks: ['INFLUX_URL'] })).rejects.toThrow('lacks INFLUX_URL,MQTT_URL')
    await expect(enter()).rejects.toThrow('lacks MQTT_URL')
  })

  it('wait for one that has crashed, whatever they lack', async () => {
    await sql`
      insert into pipeline_members (renewed_at, expires_at, lacks)
      values (now(), now() + interval '1 s', '{MQTT_URL}')`.execute(db)
    expect((await enter({ lacks: ['MQTT_URL'] })).isValid()).toBe(true)
  })

  it('hear that they were declared dead', async () => {
    const lost = Promise.withResolvers<void>()
    const member = await enter({ onLost: lost.resolve })
    await bury(member.fence)
    await lost.promise
    expect(member.isValid()).toBe(false)
  })
})

describe('the fence', () => {
  it('lets members write, and nobody who was declared dead or never joined', async () => {
    const first = await enter()
    await enter()
    await writing(first.fence, touch)
    await expect(writing(undefined, touch)).rejects.toMatchObject({ code: 'AN001' })
    await bury(first.fence)
    await expect(writing(first.fence, touch)).rejects.toMatchObject({ code: 'AN001' })
  })

  it('lets everybody write where there are no members', async () => {
    await expect(writing(undefined, touch)).resolves.toBeDefined()
  })

  it('falls when a database comes back to a single process', async () => {
    const member = await enter()
    await expect(writing(undefined, touch)).rejects.toMatchObject({ code: 'AN001' })
    await forgetMembers(db)
    await expect(writing(undefined, touch)).resolves.toBeDefined()
    expect(member.fence).toBeGreaterThan(0n)
  })

  it('stands on every table that detection, host and history write', async () => {
    const { rows } = await sql<{ name: string }>`
      select tgrelid::regclass::text as name from pg_trigger where tgname = 'fenced' order by 1`.execute(db)
    expect(rows.map((row) => row.name)).toEqual([
      ...['alarm_log', 'alarm_points', 'detection_checkpoints', 'detection_gap_tags', 'detection_gaps'],
      ...['detection_marks', 'devices', 'edge_sessions', 'edges', 'gaps'],
      ...['history_gaps', 'history_marks', 'history_refusals', 'machine_states', 'occurrences'],
      ...['set_aside_payloads', 'tags'],
    ])
  })

  it('keeps a transaction whole: its member is not declared dead in the middle of it, and goes on renewing', async () => {
    const { fence } = await enter()
    await writing(fence, (connection) =>
      connection.transaction().execute(async (tx) => {
        await touch(tx)
        await bury(fence)
        await sql`update pipeline_members set renewed_at = now() where fence = ${fence}`.execute(db)
        await touch(tx)
      }),
    )
    await bury(fence)
    await expect(writing(fence, touch)).rejects.toMatchObject({ code: 'AN001' })
  })
})

describe('an edge', () => {
  it('has one owner, who alone writes its marks', async () => {
    const [first, second] = [await enter(), await enter()]
    await writing(first.fence, registering('line-2'))
    await writing(first.fence, own(first.fence, 'line-2'))
    await writing(first.fence, mark('line-2'))
    await expect(writing(second.fence, mark('line-2'))).rejects.toMatchObject({ code: 'AN002' })
    await expect(writing(second.fence, own(second.fence, 'line-2'))).rejects.toMatchObject({ code: 'AN002' })
    await expect(writing(first.fence, own(second.fence, 'line-2'))).rejects.toMatchObject({ code: 'AN002' })
  })

  it('is free when its owner dies or leaves, and then goes to another one', async () => {
    const [first, second, third] = [await enter(), await enter(), await enter()]
    await writing(first.fence, registering('line-1'))
    await writing(first.fence, own(first.fence, 'line-1'))
    await bury(first.fence)
    expect(await ownerOf('line-1')).toBeNull()
    await writing(second.fence, own(second.fence, 'line-1'))
    await second.leave()
    expect(await ownerOf('line-1')).toBeNull()
    await writing(third.fence, own(third.fence, 'line-1'))
    expect(await ownerOf('line-1')).toBe(String(third.fence))
  })
})
