import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashEdgeSecret, type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { startInfluxDb } from '#tests/support/influxdb.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { connectScriptedEdge, type ScriptedEdge, type ScriptedSample } from '#tests/support/sparkplug-edge.ts'
import { startVictoriaMetrics, type TestEngine } from '#tests/support/victoria-metrics.ts'

const PROFILES = fileURLToPath(new URL('../../../devices/profiles', import.meta.url))
const EDGE = { group: 'works', edge: 'line-1' }
const AT = Date.UTC(2026, 0, 5)
const TAGS = [
  { tag: 'temperature', alias: 10, type: 'double', unit: '°C' },
  { tag: 'count', alias: 11, type: 'uint64' },
] as const

const celsius = (i: number): ScriptedSample => ({ alias: 10, type: 'double', at: AT + i * 100, value: i / 4 })
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 50 })

const ENGINES = [
  ['victoria-metrics', startVictoriaMetrics],
  ['influxdb', startInfluxDb],
] as const

describe.each(ENGINES)('the way from an edge to %s', (name, startEngine) => {
  describe.skipIf(!hasPackage(name))('and back', { timeout: 60_000 }, () => {
    let engine: TestEngine
    let database: TestDatabase
    let pipeline: Pipeline
    let edge: ScriptedEdge
    let dir: string

    const start = () =>
      startPipeline({
        ...{ db: database.db, dataDir: dir, profilesDir: PROFILES, clock: Date.now, log: silentLog },
        externalHistory: { url: engine.url },
        mqtt: { host: '127.0.0.1', port: 0 },
      })
    const connect = async (first: bigint, last: bigint) => {
      edge = await connectScriptedEdge({ ...EDGE, port: pipeline.mqtt.port, secret: 'right', epoch: 7n })
      await edge.birth(first, last)
      await edge.deviceBirth('press', TAGS)
    }
    const stored = async (tag: string) => {
      const path = `works/line-1/press/${tag}`
      return (await pipeline.history.raw({ path, from: AT, to: AT + 1e6, limit: 1000 })).value
    }
    const acked = () => eventually(() => edge.acks.at(-1)?.offset)

    beforeAll(async () => {
      engine = await startEngine()
      database = await startTestDatabase()
      dir = mkdtempSync(join(tmpdir(), 'andon-external-'))
      pipeline = await start()
      const org = await database.newOrg()
      await pipeline.registerEdge({ org, ...EDGE, secretHash: await hashEdgeSecret('right') })
      await connect(1n, 0n)
    }, 60_000)

    afterAll(async () => {
      await edge?.close()
      await pipeline?.close()
      await database?.close()
      await engine?.close()
      rmSync(dir, { recursive: true, force: true })
    })

    it('takes samples, acknowledges them and answers them', async () => {
      await edge.data('press', [0, 1, 2, 3].map(celsius), 1n)
      await edge.data('press', [{ alias: 11, type: 'uint64', at: AT, value: 12n }], 5n)
      await acked().toBe(5n)
      expect(await stored('temperature')).toEqual([0, 0.25, 0.5, 0.75])
      expect(await stored('count')).toEqual([12n])
      const paths = ['works/line-1/press/temperature']
      const [series] = await pipeline.history.buckets({ paths, from: AT, to: AT + 400, points: 2 })
      expect([...(series?.max ?? [])]).toEqual([0.25, 0.75])
      expect([...(series?.count ?? [])]).toEqual([2, 2])
    })

    it('acknowledges nothing while the engine is dead, and stores the resend once', async () => {
      await engine.kill()
      await edge.data('press', [4, 5].map(celsius), 6n)
      await eventually(async () => await pipeline.faults()).toHaveLength(1)
      expect(edge.acks.at(-1)?.offset).toBe(5n)
      await engine.start()
      // The edge sends again what stays without acknowledgement, as its uplink would.
      const resend = async () => {
        await edge.data('press', [4, 5].map(celsius), 6n)
        return edge.acks.at(-1)?.offset
      }
      await expect.poll(resend, { timeout: 20_000, interval: 250 }).toBe(7n)
      expect(await stored('temperature')).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25])
      expect(await pipeline.faults()).toEqual([])
    })

    it('knows after a restart what is stored, and shows the newest values', async () => {
      await edge.close()
      await pipeline.close()
      pipeline = await start()
      expect(await pipeline.live.current('works/line-1/press/temperature')).toMatchObject({
        value: 1.25,
        isStale: true,
      })
      expect(await pipeline.live.current('works/line-1/press/count')).toMatchObject({ value: 12n })
      await connect(6n, 7n)
      await acked().toBe(7n)
      await edge.data('press', [6].map(celsius), 8n)
      await acked().toBe(8n)
      expect(await stored('temperature')).toHaveLength(7)
    })
  })
})
