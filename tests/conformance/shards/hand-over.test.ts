import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCloudConfig } from '#cloud/config.ts'
import { openMachineSide } from '#cloud/machine-side/open.ts'
import type { Pipeline } from '#cloud/pipeline/index.ts'
import { createMeter } from '#cloud/pipeline/remote/meter.ts'
import { newId } from '#cloud/platform/id.ts'
import { silentLog } from '#shared/log/log.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { type Mosquitto, mosquittoProgram, startMosquitto } from '#tests/support/mosquitto.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '#tests/support/postgres.ts'
import { startRedis, type TestRedis } from '#tests/support/redis.ts'
import { connectScriptedEdge, type ScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { startVictoriaMetrics, type TestEngine } from '#tests/support/victoria-metrics.ts'

const GROUP = 'works'
const EPOCH = 7n
const JOURNALED = ['line-1', 'line-2', 'line-3', 'line-4']
const FORGETFUL = ['other-1', 'other-2', 'other-3', 'other-4']
const MOTOR = { tag: 'motor-temperature', alias: 10, type: 'double' } as const

const isReady = hasPackage('victoria-metrics') && hasPackage('redis-server') && mosquittoProgram() !== undefined
if (!isReady) process.stdout.write('skipped: mosquitto or victoria-metrics is not installed\n')

describe.runIf(isReady)('edges that go from one process at work to another', { timeout: 60_000 }, () => {
  let database: TestDatabase
  let broker: Mosquitto
  let engine: TestEngine
  let redis: TestRedis
  let org = ''
  const dir = mkdtempSync(join(tmpdir(), 'andon-hand-over-'))
  const processes: Pipeline[] = []
  const edges = new Map<string, ScriptedEdge>()

  async function begin(): Promise<Pipeline> {
    const env = {
      ...{ ANDON_DATA: join(dir, String(processes.length)), DATABASE_URL: 'postgresql://shared', ANDON_MQTT_PORT: '0' },
      ...{ MQTT_URL: `mqtt://127.0.0.1:${broker.port}`, INFLUX_URL: engine.url, REDIS_URL: redis.url },
    }
    const { address } = database
    const started = await openMachineSide({
      ...{ config: readCloudConfig({}, env), address, secret: TEST_SECRET, log: silentLog, meter: createMeter() },
      onLost: () => undefined,
    })
    processes.push(started)
    return started
  }

  async function connect(name: string, epoch?: bigint): Promise<void> {
    const more = epoch === undefined ? {} : { epoch }
    const edge = await connectScriptedEdge({ port: broker.port, group: GROUP, edge: name, secret: 'none', ...more })
    edges.set(name, edge)
    await edge.birth(1n, 0n)
    await edge.deviceBirth('compressor-1', [MOTOR], { profile: 'screw-compressor' })
  }

  const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 50 })
  const namesOf = async (one: Pipeline) => (await one.edges(org)).map(({ edge }) => edge)
  const sizes = async () => (await Promise.all(processes.map(namesOf))).map((names) => names.length)
  const send = (name: string, value: number, first?: bigint) =>
    edges.get(name)?.data('compressor-1', [{ ...MOTOR, at: Date.now(), value }], first)
  const lastAcks = () => JOURNALED.map((name) => edges.get(name)?.acks.at(-1)?.offset)
  /** What its owner answers. */
  const stored = async (name: string) => {
    const path = `${GROUP}/${name}/compressor-1/motor-temperature`
    const pages = processes.map((one) => one.history.raw({ path, from: 0, to: Date.now() + 1000, limit: 100 }))
    return (await Promise.all(pages)).flatMap((page) => page.value)
  }
  const rows = async <T>(query: ReturnType<typeof sql<T>>) => (await query.execute(database.db.system)).rows

  beforeAll(async () => {
    ;[database, broker, engine, redis] = await Promise.all([
      startTestDatabase(),
      startMosquitto(),
      startVictoriaMetrics(),
      startRedis(),
    ])
    org = await database.newOrg()
    const first = await begin()
    for (const edge of [...JOURNALED, ...FORGETFUL]) {
      await first.registerEdge({ org, group: GROUP, edge, secretHash: 'of the broker' })
    }
    await Promise.all(JOURNALED.map((name) => connect(name, EPOCH)))
    await Promise.all(FORGETFUL.map((name) => connect(name)))
  }, 120_000)

  afterAll(async () => {
    for (const edge of edges.values()) await edge.close()
    for (const one of processes) await one.close()
    await Promise.all([database?.close(), broker?.close(), engine?.close(), redis?.close()])
    rmSync(dir, { recursive: true, force: true })
  })

  it('are half with each once a second one has joined, every sample stored once and acknowledged', async () => {
    for (const name of JOURNALED) await send(name, 40, 1n)
    for (const name of FORGETFUL) await send(name, 40)
    await eventually(lastAcks).toEqual([1n, 1n, 1n, 1n])
    await Promise.all(FORGETFUL.map((name) => eventually(() => stored(name)).toEqual([40])))
    await begin()
    await eventually(sizes).toEqual([4, 4])
    for (const name of JOURNALED) await send(name, 41, 2n)
    await eventually(lastAcks).toEqual([2n, 2n, 2n, 2n])
    for (const name of JOURNALED) expect(await stored(name)).toEqual([40, 41])
  })

  it('are asked for their values and have the time between recorded, where they keep no journal', async () => {
    const moved = (await namesOf(processes[1] as Pipeline)).filter((name) => FORGETFUL.includes(name))
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
        values (${newId()}, ${org}, ${id}, 'acknowledge', 'lead', now())`.execute(database.db.system)
    }
    const applied = () => rows(sql<{ result: object }>`select result from alarm_actions where applied_at is not null`)
    await eventually(async () => (await applied()).length).toBe(points.length)
    for (const { result } of await applied()) expect(result).toMatchObject({ status: 'applied' })
  })

  it('stay where they are when another one registers them, and are new where they are asked for', async () => {
    const [first, second] = processes as [Pipeline, Pipeline]
    const [theirs = ''] = await namesOf(second)
    const again = await first.registerEdge({ org, group: GROUP, edge: theirs, secretHash: 'of the broker' })
    expect(again.edge).toBe(theirs)
    expect(await namesOf(first)).not.toContain(theirs)
    await second.registerEdge({ org, group: GROUP, edge: 'new', secretHash: 'of the broker' })
    expect(await namesOf(second)).toContain('new')
  })

  it('come back when the other one leaves', async () => {
    await processes.pop()?.close()
    await eventually(sizes).toEqual([9])
    for (const name of JOURNALED) await send(name, 42, 3n)
    await eventually(lastAcks).toEqual([3n, 3n, 3n, 3n])
    for (const name of JOURNALED) expect(await stored(name)).toEqual([40, 41, 42])
  })
})
