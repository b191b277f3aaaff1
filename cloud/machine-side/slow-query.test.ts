import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMetrics } from '#cloud/platform/metrics/registry.ts'
import { silentLog } from '#shared/log/log.ts'
import type { AlarmWriterData } from '../../tests/support/alarm-writer.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../tests/support/postgres.ts'
import { connectScriptedEdge } from '../../tests/support/sparkplug-edge.ts'
import { readCloudConfig } from '../config.ts'
import { hashEdgeSecret } from '../pipeline/index.ts'
import { type MachineThread, startMachineThread } from './start-thread.ts'

const GROUP = 'works'
const NOISE = { tag: 'noise', alias: 10, type: 'double' } as const
const PATH = `${GROUP}/line-8/meter-1/noise`
const [PAYLOADS, SAMPLES] = [200, 500]
const FROM = Date.UTC(2026, 0, 1)
const TO = FROM + PAYLOADS * SAMPLES
/** Each reads all values of the tag, one question after the other: seconds of work together. */
const QUESTIONS = 25

let database: TestDatabase
let machine: MachineThread
let org: string
const dir = mkdtempSync(join(tmpdir(), 'andon-slow-query-'))

beforeAll(async () => {
  database = await startTestDatabase()
  org = await database.newOrg()
  const { db, address } = database
  machine = await startMachineThread({
    ...{ db, address, secret: TEST_SECRET, log: silentLog, metrics: createMetrics() },
    config: readCloudConfig({}, { ANDON_DATA: dir, ANDON_MQTT_PORT: '0' }),
  })
  for (const edge of ['line-1', 'line-8']) {
    await machine.pipeline.registerEdge({ org, group: GROUP, edge, secretHash: await hashEdgeSecret('right') })
  }
})
afterAll(async () => {
  await machine.pipeline.close()
  await database.close()
  rmSync(dir, { recursive: true })
})

/** A tag with many values, of an edge of another make. */
async function fillHistory(): Promise<void> {
  const { pipeline } = machine
  const own = { port: pipeline.mqtt.port, group: GROUP, edge: 'line-8', secret: 'right' }
  const edge = await connectScriptedEdge(own)
  await edge.birth(0n, 0n)
  await edge.deviceBirth('meter-1', [NOISE])
  for (let at = FROM; at < TO; at += SAMPLES) {
    const samples = Array.from({ length: SAMPLES }, (_, i) => ({ ...NOISE, at: at + i, value: Math.sin(i) }))
    await edge.data('meter-1', samples)
  }
  const last = async () => (await pipeline.history.raw({ path: PATH, from: TO - 1, to: TO, limit: 1 })).at.length
  await expect.poll(last, { timeout: 30_000, interval: 50 }).toBe(1)
  await edge.close()
}

describe('heavy questions to history', { timeout: 90_000 }, () => {
  it('hold up no alarm: it is recorded while they are still unanswered', async () => {
    await fillHistory()
    const { pipeline } = machine
    const shared = new SharedArrayBuffer(8)
    const workerData: AlarmWriterData = { port: pipeline.mqtt.port, group: GROUP, address: database.address, shared }
    const edge = new Worker(new URL('../../tests/support/alarm-writer.ts', import.meta.url), { workerData })
    const ended = once(edge, 'exit')
    await once(edge, 'message')
    const answeredAt: number[] = []
    const questions = Array.from({ length: QUESTIONS }, async () => {
      const { at } = await pipeline.history.raw({ path: PATH, from: FROM, to: TO, limit: PAYLOADS * SAMPLES })
      answeredAt.push(Date.now())
      return at.length
    })
    const raisedAt = Date.now()
    const flags = new Int32Array(shared)
    Atomics.store(flags, 0, 1)
    Atomics.notify(flags, 0)
    expect(new Set(await Promise.all(questions))).toEqual(new Set([PAYLOADS * SAMPLES]))
    await ended
    const { rows } = await sql<{ recorded_at: Date }>`
      select recorded_at from alarm_log where transition = 'activated' order by seq`.execute(database.db.system)
    const recordedAt = rows[0]?.recorded_at.getTime() ?? Number.NaN
    expect(recordedAt).toBeGreaterThanOrEqual(raisedAt)
    expect(answeredAt.filter((at) => at <= recordedAt).length).toBeLessThan(QUESTIONS)
  })
})
