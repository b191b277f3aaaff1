import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import {
  connectScriptedEdge,
  type ScriptedEdge,
  type ScriptedEdgeOptions,
  type ScriptedSample,
} from '#tests/support/sparkplug-edge.ts'
import { hashEdgeSecret, type Pipeline, startPipeline } from './index.ts'

const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))
const EPOCH = 2n ** 63n + 5n
const TAGS = [
  { tag: 'temperature', alias: 10, type: 'double', unit: '°C' },
  { tag: 'state', alias: 11, type: 'string' },
  { tag: 'count', alias: 12, type: 'uint64' },
] as const

let database: TestDatabase
let org: string
let dir: string
let pipeline: Pipeline
let group = ''
let groups = 0
const edges: ScriptedEdge[] = []

const start = () =>
  startPipeline({
    db: database.db,
    dataDir: dir,
    profilesDir: PROFILES,
    mqtt: { host: '127.0.0.1', port: 0 },
    clock: Date.now,
    log: silentLog,
  })

async function connect(options: Partial<ScriptedEdgeOptions> = {}): Promise<ScriptedEdge> {
  const edge = await connectScriptedEdge({
    port: pipeline.mqtt.port,
    group,
    edge: 'line-1',
    secret: 'right',
    ...options,
  })
  edges.push(edge)
  return edge
}

/** Waits for a condition, patiently: the machine may be busy. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 25 })

/** An Andon edge with one device, born, everything acknowledged. */
async function bornEdge(first = 1n, last = first - 1n): Promise<ScriptedEdge> {
  const edge = await connect({ epoch: EPOCH })
  await edge.birth(first, last)
  await edge.deviceBirth('press', TAGS)
  return edge
}

const celsius = (at: number, value: number): ScriptedSample => ({ alias: 10, type: 'double', at, value })
const path = (tag: string) => `${group}/line-1/press/${tag}`
const lastAck = (edge: ScriptedEdge) => edge.acks.at(-1)?.offset
const stored = async (tag: string) => {
  const page = await pipeline.history.raw({ path: path(tag), from: 0, to: 1e14, limit: 1000 })
  return page.value.map((value, index) => [page.at[index], value, page.quality[index]])
}
const events = async (): Promise<string[]> => {
  const rows = await database.db.system.selectFrom('outbox').select(['type', 'data']).orderBy('position').execute()
  return rows.filter((row) => row.data.group === group).map((row) => row.type)
}

beforeAll(async () => {
  database = await startTestDatabase()
  org = await database.newOrg()
  dir = mkdtempSync(join(tmpdir(), 'andon-pipeline-'))
  pipeline = await start()
})

afterAll(async () => {
  await pipeline.close()
  await database.close()
  rmSync(dir, { recursive: true })
})

beforeEach(async () => {
  group = `plant-${++groups}`
  await pipeline.registerEdge({ org, group, edge: 'line-1', secretHash: await hashEdgeSecret('right') })
})

afterEach(async () => {
  for (const edge of edges.splice(0)) await edge.close()
})

describe('an edge with a journal', () => {
  it('has its samples in history and acknowledged', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 20.5), { alias: 11, type: 'string', at: 1000, value: 'run' }], 1n)
    await edge.data('press', [{ alias: 12, type: 'uint64', at: 1100, value: 2n ** 64n - 1n }], 3n)
    await eventually(() => lastAck(edge)).toBe(3n)
    expect(edge.acks.at(-1)?.epoch).toBe(EPOCH)
    expect(await stored('temperature')).toEqual([[1000, 20.5, 192]])
    expect(await stored('state')).toEqual([[1000, 'run', 192]])
    expect(await stored('count')).toEqual([[1100, 2n ** 64n - 1n, 192]])
  })

  it('may send everything again: nothing is stored twice', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 1), celsius(2000, 2)], 1n)
    await eventually(() => lastAck(edge)).toBe(2n)
    await edge.data('press', [celsius(2000, 2), celsius(3000, 3)], 2n)
    await eventually(() => lastAck(edge)).toBe(3n)
    expect(await stored('temperature')).toEqual([
      [1000, 1, 192],
      [2000, 2, 192],
      [3000, 3, 192],
    ])
  })

  it('is acknowledged up to the first offset that is missing', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 1)], 1n)
    await edge.data('press', [celsius(3000, 3)], 3n)
    await eventually(() => stored('temperature')).toHaveLength(2)
    await eventually(() => lastAck(edge)).toBe(1n)
    await edge.data('press', [celsius(2000, 2)], 2n)
    await eventually(() => lastAck(edge)).toBe(3n)
  })

  it('closes a range that it lost by a gap record, which people see', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 1)], 1n)
    await edge.gap(12n, { first: '2', last: '11', count: 10, cause: 'disk-limit', firstTime: 1100, lastTime: 1900 })
    await eventually(() => lastAck(edge)).toBe(12n)
    await eventually(() => pipeline.history.gaps({ org, group })).toHaveLength(1)
    const [gap] = await pipeline.history.gaps({ org, group, from: 1500, to: 1600 })
    expect(gap).toMatchObject({
      first: 2n,
      last: 11n,
      count: 10n,
      cause: 'disk-limit',
      firstTime: 1100,
      lastTime: 1900,
    })
    expect((await pipeline.edges(org)).find((status) => status.group === group)?.gapCount).toBe(1)
    expect(await events()).toContain('gap.recorded')
  })

  it('that freed what the host never got leaves one gap and goes on from there', async () => {
    const edge = await bornEdge(101n, 100n)
    await edge.data('press', [celsius(1000, 1)], 101n)
    await eventually(() => lastAck(edge)).toBe(101n)
    await eventually(() => pipeline.history.gaps({ org, group })).toHaveLength(1)
    expect((await pipeline.history.gaps({ org, group }))[0]).toMatchObject({
      first: 1n,
      last: 100n,
      count: 100n,
      cause: 'freed',
    })
  })

  it('never has its birth values in history', async () => {
    const edge = await connect({ epoch: EPOCH })
    await edge.birth(1n, 0n)
    await edge.deviceBirth('press', [{ ...TAGS[0], value: 19 }], { at: 500 })
    await eventually(async () => (await pipeline.live.current(path('temperature')))?.value).toBe(19)
    await edge.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => lastAck(edge)).toBe(1n)
    expect(await stored('temperature')).toEqual([[1000, 1, 192]])
  })

  it('hears an acknowledgement again and again while it sends samples', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => edge.acks.filter((ack) => ack.offset === 1n).length).toBeGreaterThan(1)
  })

  it('carries quality with each value', async () => {
    const edge = await bornEdge()
    const bad = { Quality: { type: 'int32', value: 0 } } as const
    const uncertain = { ...bad, 'Andon Quality': { type: 'int32', value: 64 } } as const
    const samples = [
      { ...celsius(1, 1), properties: uncertain },
      { ...celsius(2, 2), properties: bad },
      { ...celsius(3, 0), value: null, properties: bad },
    ]
    await edge.data('press', samples, 1n)
    await eventually(() => lastAck(edge)).toBe(3n)
    expect(await stored('temperature')).toEqual([
      [1, 1, 64],
      [2, 2, 0],
      [3, null, 0],
    ])
  })
})

describe('the host', () => {
  it('asks for a rebirth, once, when a message is missing', async () => {
    const edge = await bornEdge()
    edge.seq += 1
    await edge.data('press', [celsius(1000, 1)], 1n)
    edge.seq += 1
    await edge.data('press', [celsius(2000, 2)], 2n)
    await eventually(() => lastAck(edge)).toBe(2n)
    expect(edge.rebirths()).toBe(1)
  })

  it('asks for a rebirth when it does not know an alias, and takes nothing of that payload', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(1000, 1), { ...celsius(1001, 1), alias: 99 }], 1n)
    await eventually(() => edge.rebirths()).toBe(1)
    expect(await stored('temperature')).toEqual([])
    await edge.birth(1n, 2n)
    await edge.deviceBirth('press', [...TAGS, { tag: 'new', alias: 99, type: 'double' }])
    await edge.data('press', [celsius(1000, 1), { ...celsius(1001, 1), alias: 99 }], 1n)
    await eventually(() => lastAck(edge)).toBe(2n)
  })

  it('refuses a payload whose offsets do not fit, and lives on after bytes that are none', async () => {
    const edge = await bornEdge()
    await edge.raw('NDATA', Buffer.from('not sparkplug'))
    await edge.data('press', [], 5n)
    edge.seq -= 1
    await edge.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => lastAck(edge)).toBe(1n)
    expect(await stored('temperature')).toHaveLength(1)
  })

  it('keeps ranges, tags and keys over a restart', async () => {
    const before = await bornEdge()
    await before.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => lastAck(before)).toBe(1n)
    const { id, key } = (await pipeline.tag(path('temperature'))) ?? {}
    await before.close()
    await pipeline.close()
    pipeline = await start()
    expect(await pipeline.tag(path('temperature'))).toMatchObject({
      id,
      key,
      unit: '°C',
      live: { value: 1, isStale: true },
    })
    const edge = await connect({ epoch: EPOCH, bdSeq: 1 })
    await edge.birth(1n, 2n)
    await edge.deviceBirth('press', TAGS)
    await edge.data('press', [celsius(1000, 1), celsius(2000, 2)], 1n)
    await eventually(() => lastAck(edge)).toBe(2n)
    expect(await stored('temperature')).toHaveLength(2)
  })

  it('reads data by the aliases of before its restart', async () => {
    const before = await bornEdge()
    await before.heartbeat()
    await eventually(async () => (await pipeline.edges(org)).find((edge) => edge.group === group)?.status).toBe(
      'online',
    )
    const next = before.seq + 1
    await pipeline.close()
    pipeline = await start()
    const edge = await connect({ epoch: EPOCH })
    edge.seq = next
    await edge.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => lastAck(edge)).toBe(1n)
  })

  it('judges what comes late from stored history, also after a restart within the gap', {
    timeout: 60_000,
  }, async () => {
    const motor = { tag: 'motor-temperature', alias: 20, type: 'double' } as const
    const reads = (at: number, value: number): ScriptedSample => ({ ...motor, at, value })
    const begin = Date.now() - 60_000
    const born = async (first: bigint, last: bigint) => {
      const edge = await connect({ epoch: EPOCH })
      await edge.birth(first, last)
      await edge.deviceBirth('compressor', [motor], { profile: 'screw-compressor' })
      return edge
    }
    const edge = await born(1n, 0n)
    await edge.data('compressor', [reads(begin, 80)], 1n)
    await edge.data('compressor', [reads(begin + 20_000, 80)], 9n)
    await eventually(() => lastAck(edge)).toBe(1n)
    const isNoted = async () => {
      const noted = database.db.system.selectFrom('detection_gap_tags' as never).select('group_key' as never)
      return (await noted.where('group_key' as never, '=', group as never).execute()).length
    }
    // What came ahead of the gap waits for the rest first.
    await expect.poll(isNoted, { timeout: 25_000 }).toBe(1)
    await edge.close()
    await pipeline.close()
    pipeline = await start()
    const again = await born(2n, 9n)
    const late = [40, 40, 40, 40, 40, 80, 80].map((value, i) => reads(begin + 2000 * (i + 1), value))
    await again.data('compressor', late, 2n)
    await eventually(() => lastAck(again)).toBe(9n)
    const devices = [`${group}/line-1/compressor`]
    const found = () => pipeline.detection.occurrences(org, { devices })
    await expect.poll(async () => (await found()).length, { timeout: 15_000 }).toBeGreaterThan(0)
    const low = (await found()).find(({ alarm }) => alarm === 'motor-temperature-low')
    expect(low).toMatchObject({ isLate: true, isSuppressed: false, value: 40, closedAt: begin + 12_000 })
  })

  it('tells when edges and devices come and go', async () => {
    const edge = await bornEdge()
    await eventually(async () => (await pipeline.devices(org)).find((device) => device.group === group)?.status).toBe(
      'online',
    )
    await edge.death('press')
    await eventually(async () => (await pipeline.devices(org)).find((device) => device.group === group)?.status).toBe(
      'offline',
    )
    await edge.cut()
    await eventually(events).toEqual(['edge.connected', 'device.born', 'device.died', 'edge.disconnected'])
    expect((await pipeline.live.current(path('temperature')))?.isStale).toBe(true)
    const status = (await pipeline.edges(org)).find((candidate) => candidate.group === group)
    expect(status).toMatchObject({ status: 'offline', deviceCount: 1, tagCount: 3, faults: [{ code: 'edge.offline' }] })
  })

  it('ignores the death of an earlier session', async () => {
    const first = await bornEdge()
    const second = await connect({ epoch: EPOCH, bdSeq: 1 })
    await second.birth(1n, 0n)
    await second.deviceBirth('press', TAGS)
    await first.close()
    await second.data('press', [celsius(1000, 1)], 1n)
    await eventually(() => lastAck(second)).toBe(1n)
    expect((await pipeline.edges(org)).find((edge) => edge.group === group)?.status).toBe('online')
  })

  it('shows stale values when an edge falls silent, and fresh ones when it speaks', async () => {
    const edge = await bornEdge()
    await edge.data('press', [celsius(Date.now(), 1)], 1n)
    await eventually(async () => (await pipeline.live.current(path('temperature')))?.isStale).toBe(false)
    await eventually(async () => (await pipeline.live.current(path('temperature')))?.isStale).toBe(true)
    await edge.heartbeat()
    await eventually(async () => (await pipeline.live.current(path('temperature')))?.isStale).toBe(false)
  })

  it('tells changed values to those who look at them, in one call a message', async () => {
    const edge = await bornEdge()
    await eventually(async () => await pipeline.tag(path('count'))).toBeDefined()
    const heard: unknown[][] = []
    const end = pipeline.live.subscribe([path('temperature')], (values) =>
      heard.push(values.map((value) => value.value)),
    )
    await edge.data('press', [celsius(1000, 1), { alias: 12, type: 'uint64', at: 1000, value: 1n }], 1n)
    await eventually(() => heard).toEqual([[1]])
    end()
    await edge.data('press', [celsius(2000, 2)], 3n)
    await eventually(() => lastAck(edge)).toBe(3n)
    expect(heard).toHaveLength(1)
    expect(await pipeline.live.organisationOf(path('temperature'))).toBe(org)
  })
})

describe('an edge of another make', () => {
  it('has values stored as they arrive, birth values when they are news', async () => {
    const edge = await connect()
    await edge.birth(0n, 0n)
    await edge.deviceBirth('press', [{ ...TAGS[0], value: 5 }], { at: 900 })
    await edge.data('press', [celsius(1000, 6)])
    await eventually(() => stored('temperature')).toHaveLength(2)
    await edge.birth(0n, 0n)
    await edge.deviceBirth('press', [{ ...TAGS[0], value: 6 }], { at: 1000 })
    await edge.data('press', [celsius(1100, 7)])
    await expect
      .poll(() => stored('temperature'))
      .toEqual([
        [900, 5, 192],
        [1000, 6, 192],
        [1100, 7, 192],
      ])
    expect(edge.acks).toEqual([])
  })

  it('may send as many values at once as a packet holds', async () => {
    const edge = await connect()
    await edge.birth(0n, 0n)
    await edge.deviceBirth('press', [TAGS[0]])
    const count = async () => {
      const [series] = await pipeline.history.buckets({ paths: [path('temperature')], from: 0, to: 1e6, points: 1 })
      return series?.count[0]
    }
    const many = (from: number, values: number) => Array.from({ length: values }, (_, i) => celsius(from + i, i))
    await edge.data('press', many(0, 5000))
    await edge.data('press', many(5000, 150_000))
    await eventually(count).toBe(155_000)
  })
})

describe('a birth that is odd', () => {
  it('keeps the good tags and leaves out names that no table could hold', async () => {
    const edge = await connect({ epoch: EPOCH })
    await edge.birth(1n, 0n)
    const odd = ['bad\u0000name', 'x'.repeat(500), 'temperature'].map((tag, i) => ({
      tag,
      alias: 50 + i,
      type: 'double' as const,
    }))
    await edge.deviceBirth('press', [...TAGS, ...odd], { profile: 'no-such-profile' })
    await eventually(async () => (await pipeline.devices(org)).find((device) => device.group === group)?.tagCount).toBe(
      3,
    )
    await edge.data(
      'press',
      [{ ...celsius(1000, 1), alias: 50 }, celsius(1000, 2), { ...celsius(2000, 3), alias: 52 }],
      1n,
    )
    await eventually(() => lastAck(edge)).toBe(3n)
    expect(await stored('temperature')).toEqual([
      [1000, 2, 192],
      [2000, 3, 192],
    ])
    const faults = (await pipeline.edges(org)).find((status) => status.group === group)?.faults
    expect(faults).toMatchObject([{ code: 'device.unknown-profile' }])
  })
})

describe('registration', () => {
  it('refuses a group of another organisation', async () => {
    const other = await database.newOrg('Other')
    const attempt = pipeline.registerEdge({ org: other, group, edge: 'line-2', secretHash: 'x' })
    await expect(attempt).rejects.toMatchObject({ kind: 'conflict', code: 'edge.group-taken' })
  })

  it('closes the connection of an edge whose secret changes', async () => {
    await bornEdge()
    await eventually(async () => (await pipeline.edges(org)).find((edge) => edge.group === group)?.status).toBe(
      'online',
    )
    await pipeline.registerEdge({ org, group, edge: 'line-1', secretHash: await hashEdgeSecret('new') })
    await eventually(async () => (await pipeline.edges(org)).find((edge) => edge.group === group)?.status).toBe(
      'offline',
    )
    await expect(connect()).rejects.toThrow(/Connection refused/)
  })

  it('keeps the connection of an edge that is registered anew with the same secret, as at each start', async () => {
    const register = async () => {
      const secretHash = await hashEdgeSecret('right', `${org} edges`)
      await pipeline.registerEdge({ org, group, edge: 'line-1', secretHash })
    }
    await register()
    const edge = await bornEdge()
    await register()
    await edge.data('press', [celsius(1000, 20.5)], 1n)
    await eventually(() => lastAck(edge)).toBe(1n)
  })

  it('shows each organisation its own alone', async () => {
    const other = await database.newOrg('Other')
    expect(await pipeline.edges(other)).toEqual([])
    expect((await pipeline.tags({ org: other })).items).toEqual([])
    expect(await pipeline.history.gaps({ org: other })).toEqual([])
  })
})

describe('history by pages', () => {
  it('gives every value once, also when several share a millisecond', async () => {
    const edge = await connect()
    await edge.birth(0n, 0n)
    await edge.deviceBirth('press', TAGS)
    await edge.data('press', [celsius(1, 1), celsius(1, 2), celsius(1, 3), celsius(2, 4)])
    await eventually(() => stored('temperature')).toHaveLength(4)
    const values: unknown[] = []
    let cursor: string | null = null
    do {
      const query = { path: path('temperature'), from: 0, to: 10, limit: 1 }
      const page = await pipeline.history.raw(cursor === null ? query : { ...query, cursor })
      values.push(...page.value)
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(values).toEqual([1, 2, 3, 4])
  })

  it('answers at most as many buckets as asked for', async () => {
    const edge = await bornEdge()
    await edge.data(
      'press',
      Array.from({ length: 100 }, (_, i) => celsius(i * 10, i)),
      1n,
    )
    await eventually(() => lastAck(edge)).toBe(100n)
    const [series] = await pipeline.history.buckets({
      paths: [path('temperature'), 'no/such/tag/x'],
      from: 0,
      to: 1000,
      points: 10,
    })
    expect(series?.at).toHaveLength(10)
    expect([...(series?.max ?? [])]).toEqual([9, 19, 29, 39, 49, 59, 69, 79, 89, 99])
  })
})
