import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pipeline } from '#cloud/pipeline/index.ts'
import { newId } from '#cloud/platform/id.ts'
import { canScaleOut, type ScaleOut, startScaleOut } from '#tests/support/scale-out.ts'
import { connectScriptedEdge, type ScriptedEdge } from '#tests/support/sparkplug-edge.ts'

const GROUP = 'works'
const EPOCH = 7n
const JOURNALED = ['line-1', 'line-2', 'line-3', 'line-4']
const FORGETFUL = ['other-1', 'other-2', 'other-3', 'other-4']
const MOTOR = { tag: 'motor-temperature', alias: 10, type: 'double' } as const

describe.runIf(canScaleOut())('edges that go from one process at work to another', { timeout: 60_000 }, () => {
  let works: ScaleOut
  const edges = new Map<string, ScriptedEdge>()

  async function connect(name: string, epoch?: bigint): Promise<void> {
    const more = epoch === undefined ? {} : { epoch }
    const edge = await connectScriptedEdge({
      port: works.broker.port,
      group: GROUP,
      edge: name,
      secret: 'none',
      ...more,
    })
    edges.set(name, edge)
    await edge.birth(1n, 0n)
    await edge.deviceBirth('compressor-1', [MOTOR], { profile: 'screw-compressor' })
  }

  const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 50 })
  const namesOf = async (one: Pipeline) => (await one.edges(works.org)).map(({ edge }) => edge)
  const sizes = async () => (await Promise.all(works.sides.map(namesOf))).map((names) => names.length)
  const send = (name: string, value: number, first?: bigint) =>
    edges.get(name)?.data('compressor-1', [{ ...MOTOR, at: Date.now(), value }], first)
  const lastAcks = () => JOURNALED.map((name) => edges.get(name)?.acks.at(-1)?.offset)
  /** What its owner answers. */
  const stored = async (name: string) => {
    const path = `${GROUP}/${name}/compressor-1/motor-temperature`
    const pages = works.sides.map((one) => one.history.raw({ path, from: 0, to: Date.now() + 1000, limit: 100 }))
    return (await Promise.all(pages)).flatMap((page) => page.value)
  }
  const rows = async <T>(query: ReturnType<typeof sql<T>>) => (await query.execute(works.database.db.system)).rows

  beforeAll(async () => {
    works = await startScaleOut()
    const first = await works.begin()
    for (const edge of [...JOURNALED, ...FORGETFUL]) {
      await first.registerEdge({ org: works.org, group: GROUP, edge, secretHash: 'of the broker' })
    }
    await Promise.all(JOURNALED.map((name) => connect(name, EPOCH)))
    await Promise.all(FORGETFUL.map((name) => connect(name)))
  }, 120_000)

  afterAll(async () => {
    for (const edge of edges.values()) await edge.close()
    await works?.close()
  })

  it('are half with each once a second one has joined, every sample stored once and acknowledged', async () => {
    for (const name of JOURNALED) await send(name, 40, 1n)
    for (const name of FORGETFUL) await send(name, 40)
    await eventually(lastAcks).toEqual([1n, 1n, 1n, 1n])
    await Promise.all(FORGETFUL.map((name) => eventually(() => stored(name)).toEqual([40])))
    await works.begin()
    await eventually(sizes).toEqual([4, 4])
    for (const name of JOURNALED) await send(name, 41, 2n)
    await eventually(lastAcks).toEqual([2n, 2n, 2n, 2n])
    for (const name of JOURNALED) expect(await stored(name)).toEqual([40, 41])
  })

  it('are asked for their values and have the time between recorded, where they keep no journal', async () => {
    const moved = (await namesOf(works.sides[1] as Pipeline)).filter((name) => FORGETFUL.includes(name))
    expect(moved.length).toBeGreaterThan(0)
    const gaps = () => rows(sql<{ edge: string; cause: string }>`select edge, cause from gaps order by edge`)
    await eventually(gaps).toEqual(moved.map((edge) => ({ edge, cause: 'take-over' })))
    await eventually(() => FORGETFUL.filter((name) => edges.get(name)?.rebirths())).toEqual(moved)
  })

  it('have each alarm once, which an operator acknowledges wherever it is', async () => {
    const points = await rows(sql<{ id: string }>`select point_id as id from occurrences where closed_at is null`)
    // Low and low-low.
    expect(points).toHaveLength(2 * (JOURNALED.length + FORGETFUL.length))
    for (const { id } of points) {
      await sql`
        insert into alarm_actions (id, org_id, point_id, kind, by, at)
        values (${newId()}, ${works.org}, ${id}, 'acknowledge', 'lead', now())`.execute(works.database.db.system)
    }
    const applied = () => rows(sql<{ result: object }>`select result from alarm_actions where applied_at is not null`)
    await eventually(async () => (await applied()).length).toBe(points.length)
    for (const { result } of await applied()) expect(result).toMatchObject({ status: 'applied' })
  })

  it('stay where they are when another one registers them, and are new where they are asked for', async () => {
    const [first, second] = works.sides as [Pipeline, Pipeline]
    const [theirs = ''] = await namesOf(second)
    const again = await first.registerEdge({ org: works.org, group: GROUP, edge: theirs, secretHash: 'of the broker' })
    expect(again.edge).toBe(theirs)
    expect(await namesOf(first)).not.toContain(theirs)
    await second.registerEdge({ org: works.org, group: GROUP, edge: 'new', secretHash: 'of the broker' })
    expect(await namesOf(second)).toContain('new')
  })

  it('come back when the other one leaves', async () => {
    await works.sides.pop()?.close()
    await eventually(sizes).toEqual([9])
    for (const name of JOURNALED) await send(name, 42, 3n)
    await eventually(lastAcks).toEqual([3n, 3n, 3n, 3n])
    for (const name of JOURNALED) expect(await stored(name)).toEqual([40, 41, 42])
  })
})
