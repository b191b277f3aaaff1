import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LiveTagValue, Pipeline } from '#cloud/pipeline/index.ts'
import { newId } from '#cloud/platform/id.ts'
import { canScaleOut, type ScaleOut, startScaleOut } from '#tests/support/scale-out.ts'
import { connectScriptedEdge, type ScriptedEdge } from '#tests/support/sparkplug-edge.ts'

const GROUP = 'works'
const NAMES = ['line-1', 'line-2', 'line-3', 'line-4']
const MOTOR = { tag: 'motor-temperature', alias: 10, type: 'double' } as const
const pathOf = (name: string) => `${GROUP}/${name}/compressor-1/motor-temperature`
const PATHS = NAMES.map(pathOf)

describe.runIf(canScaleOut())('several machine sides asked as one', { timeout: 60_000 }, () => {
  let works: ScaleOut
  let all: Pipeline
  const edges = new Map<string, ScriptedEdge>()
  const newest = new Map<string, LiveTagValue>()
  const offsets = new Map<string, bigint>()

  const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 50 })
  const sizes = async () =>
    (await Promise.all(works.sides.map((side) => side.edges(works.org)))).map((own) => own.length)
  const shown = (paths = PATHS) => paths.map((path) => newest.get(path)?.value)
  const stale = () => PATHS.filter((path) => newest.get(path)?.isStale !== false)
  async function send(value: number): Promise<void> {
    for (const [name, edge] of edges) {
      const offset = (offsets.get(name) ?? 0n) + 1n
      offsets.set(name, offset)
      await edge.data('compressor-1', [{ ...MOTOR, at: Date.now(), value }], offset)
    }
  }
  const register = (edge: string) =>
    all.registerEdge({ org: works.org, group: GROUP, edge, secretHash: 'of the broker' })

  beforeAll(async () => {
    works = await startScaleOut()
    await works.begin()
    await works.begin()
    all = await works.reach()
    for (const name of NAMES) await register(name)
    for (const name of NAMES) {
      const edge = await connectScriptedEdge({
        port: works.broker.port,
        group: GROUP,
        edge: name,
        secret: '',
        epoch: 7n,
      })
      edges.set(name, edge)
      await edge.birth(1n, 0n)
      await edge.deviceBirth('compressor-1', [MOTOR], { profile: 'screw-compressor' })
    }
  }, 120_000)

  afterAll(async () => {
    for (const edge of edges.values()) await edge.close()
    await works?.close()
  })

  it('give a new edge to whoever has the fewest', async () => {
    expect(await sizes()).toEqual([2, 2])
    expect(await all.faults()).toEqual([])
  })

  it('are one list of edges, of devices and of tags, by path and page by page', async () => {
    await eventually(async () => (await all.devices(works.org)).length).toBe(NAMES.length)
    expect((await all.edges(works.org)).map(({ edge }) => edge)).toEqual(NAMES)
    const first = await all.tags({ org: works.org, limit: 3 })
    expect([first.items.map(({ path }) => path), first.hasMore]).toEqual([PATHS.slice(0, 3), true])
    const second = await all.tags({ org: works.org, limit: 3, after: PATHS[2] })
    expect([second.items.map(({ path }) => path), second.hasMore]).toEqual([PATHS.slice(3), false])
    expect((await all.tag(PATHS[3] ?? ''))?.path).toBe(PATHS[3])
    expect(await all.live.organisationOf(PATHS[0] ?? '')).toBe(works.org)
  })

  it('tell live values of all of them by the fan-out, and answer history across them', async () => {
    all.live.subscribe(PATHS, (values) => {
      for (const value of values) newest.set(value.path, value)
    })
    await send(70)
    await eventually(() => shown()).toEqual([70, 70, 70, 70])
    const range = { from: Date.now() - 60_000, to: Date.now() + 60_000 }
    const stored = async () => (await all.history.last(PATHS)).map(({ path }) => path).toSorted()
    await eventually(stored).toEqual(PATHS)
    const series = await all.history.buckets({ paths: [...PATHS].reverse(), ...range, points: 10 })
    expect(series.map(({ path }) => path)).toEqual([...PATHS].reverse())
  })

  it('tell live values also while Redis is away, say that it is, and go on by it afterwards', async () => {
    await works.redis.kill()
    await eventually(() => all.faults()).toEqual([expect.stringContaining('Redis')])
    await send(71)
    await eventually(() => shown()).toEqual([71, 71, 71, 71])
    await works.redis.start()
    await eventually(() => all.faults()).toEqual([])
    await send(72)
    await eventually(() => shown()).toEqual([72, 72, 72, 72])
  })

  it('show the edges of one that cannot be asked as they are recorded, and those of the others fully', async () => {
    const { db } = works.database
    await db.system.transaction().execute(async (tx) => {
      const { rows } = await sql<{ fence: string }>`
        insert into pipeline_members (renewed_at, expires_at, address, lacks)
        values (now(), now() + interval '1 hour', '{"host": "127.0.0.1", "port": 1}', '{}') returning fence`.execute(tx)
      await sql`select set_config('andon.fence', ${rows[0]?.fence}, true)`.execute(tx)
      await sql`
        insert into edges (id, org_id, group_id, edge, name, secret_hash, created_at)
        values (${newId()}, ${works.org}, ${GROUP}, 'away', 'away', 'of the broker', now())`.execute(tx)
      await sql`select pg_notify('andon_shards', '')`.execute(tx)
    })
    const statuses = async () => (await all.edges(works.org)).map(({ edge, status }) => [edge, status])
    await eventually(statuses).toEqual([['away', 'never'], ...NAMES.map((name) => [name, 'online'])])
    await expect(all.history.raw({ path: pathOf('away'), from: 0, to: 1, limit: 1 })).rejects.toMatchObject({
      code: 'pipeline.away',
    })
    await sql`update pipeline_members set expires_at = now() where address ->> 'port' = '1'`.execute(db.system)
    await eventually(async () => (await sizes()).reduce((sum, one) => sum + one, 0)).toBe(NAMES.length + 1)
  })

  it('go on telling values when one leaves and its edges go to the other', async () => {
    await works.sides.shift()?.close()
    await eventually(sizes).toEqual([NAMES.length + 1])
    await eventually(async () => (await all.edges(works.org)).length).toBe(NAMES.length + 1)
    const sendUntilShown = async () => {
      await send(73)
      return shown()
    }
    await expect.poll(sendUntilShown, { timeout: 20_000, interval: 300 }).toEqual([73, 73, 73, 73])
    await eventually(stale).toEqual([])
  })
})
