import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '#cloud/platform/database/pools.ts'
import { newId } from '#cloud/platform/id.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../../tests/support/postgres.ts'
import { type Division, divideEdges } from './division.ts'
import { join, type Member } from './members.ts'

const EDGES = 7

interface Process {
  readonly member: Member
  readonly division: Division
  readonly held: Set<string>
  /** Dies without a word. */
  die(): Promise<void>
}

let test: TestDatabase
let db: Kysely<never>
let org = ''
const running: Process[] = []

beforeAll(async () => {
  test = await startTestDatabase()
  db = test.db.system as unknown as Kysely<never>
  org = await test.newOrg()
  await sql`insert into edge_groups (group_id, org_id) values ('works', ${org})`.execute(db)
  for (let i = 0; i < EDGES; i++) await register(`line-${i}`)
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.die()
  await sql`delete from pipeline_members`.execute(db)
})
afterAll(() => test.close())

async function register(edge: string, by?: Process): Promise<string> {
  const id = newId()
  await db.transaction().execute(async (tx) => {
    await sql`select set_config('andon.fence', ${String(by?.member.fence ?? '')}, true)`.execute(tx)
    await sql`
      insert into edges (id, org_id, group_id, edge, name, secret_hash, created_at)
      values (${id}, ${org}, 'works', ${edge}, ${edge}, 'none', now())`.execute(tx)
  })
  return id
}

async function begin(more: { take?: (ids: readonly string[]) => Promise<void> } = {}): Promise<Process> {
  const refuse = () => {
    throw new Error('lacks nothing')
  }
  const options = { db, log: silentLog, onLost: () => undefined, lengthMs: 1500, lacks: [], refuse }
  const member = await join(options)
  const settings = { 'andon.fence': String(member.fence) }
  const own = openDatabase({ address: test.address, secret: TEST_SECRET, log: silentLog, size: 2, settings })
  const system = own.system as unknown as Kysely<never>
  const division = divideEdges({
    ...{ db: system, fence: member.fence, listen: own.listen, log: silentLog },
    everyMs: 100,
  })
  const held = new Set<string>()
  await division.start({
    held: () => held,
    async take(ids) {
      await more.take?.(ids)
      for (const id of ids) held.add(id)
    },
    async letGo(ids) {
      for (const id of ids) held.delete(id)
    },
  })
  await member.tell({ host: '127.0.0.1', port: 1 })
  let isDead = false
  const die = async () => {
    if (isDead) return
    isDead = true
    await division.stop()
    await own.close()
    await sql`update pipeline_members set expires_at = now() where fence = ${member.fence}`.execute(db)
  }
  const process = { member, division, held, die }
  running.push(process)
  return process
}

const sizes = () => running.map(({ held }) => held.size)
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 25 })

/** Whatever anybody holds is his by the table too, and nobody else holds it. */
async function owners(): Promise<Record<string, string[]>> {
  const { rows } = await sql<{ fence: string; ids: string[] }>`
    select owner_fence as fence, array_agg(id order by id) as ids from edges where owner_fence is not null group by 1`.execute(
    db,
  )
  return Object.fromEntries(rows.map(({ fence, ids }) => [fence, ids]))
}
const heldByFence = () =>
  Object.fromEntries(running.map(({ member, held }) => [String(member.fence), [...held].sort()]))

describe('edges divided over processes', () => {
  it('are all with the only one, go to one that joins, and come back when that one dies', async () => {
    const first = await begin()
    expect(first.held.size).toBe(EDGES)
    const second = await begin()
    await eventually(sizes).toEqual([4, 3])
    expect(await owners()).toEqual(heldByFence())
    await second.die()
    await eventually(() => first.held.size).toBe(EDGES)
  })

  it('are equal over three, and wait for nobody who leaves in good order', async () => {
    const [first, second, third] = [await begin(), await begin(), await begin()]
    await eventually(() => sizes().sort()).toEqual([2, 2, 3])
    await second.division.stop()
    await second.member.leave()
    second.held.clear()
    await eventually(() => first.held.size + third.held.size).toBe(EDGES)
    await eventually(() => [first.held.size, third.held.size].sort()).toEqual([3, 4])
  })

  it('are taken at once when they are new, by the one who is asked', async () => {
    const first = await begin()
    await begin()
    await eventually(sizes).toEqual([4, 3])
    const id = await register('line-new', first)
    expect(await first.division.claim(id)).toBe(true)
    expect(first.held.has(id)).toBe(true)
    const other = [...(running[1]?.held ?? [])][0] ?? ''
    expect(await first.division.claim(other)).toBe(false)
    await sql`delete from edges where id = ${id}`.execute(db)
  })

  it('are tried again when they could not be taken on', async () => {
    let attempts = 0
    const first = await begin({
      async take() {
        attempts += 1
        if (attempts < 3) throw new Error('the database is away')
      },
    })
    await eventually(() => first.held.size).toBe(EDGES)
    expect(attempts).toBe(3)
  })
})
