import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMetrics } from '#cloud/platform/metrics/registry.ts'
import { silentLog } from '#shared/log/log.ts'
import type { AlarmWriterData } from '../../tests/support/alarm-writer.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../tests/support/postgres.ts'
import { readCloudConfig } from '../config.ts'
import { hashEdgeSecret } from '../pipeline/index.ts'
import { type MachineThread, startMachineThread } from './start-thread.ts'

const GROUP = 'works'
const BLOCKED_MS = 2000
const GIVE_UP_MS = 30_000

let database: TestDatabase
let machine: MachineThread
const metrics = createMetrics()
const dir = mkdtempSync(join(tmpdir(), 'andon-isolation-'))

const start = (environment: Record<string, string> = {}) => {
  const env = { ANDON_DATA: dir, ANDON_MQTT_PORT: '0', ...environment }
  const { db, address } = database
  return startMachineThread({
    ...{ config: readCloudConfig({}, env), db, address, secret: TEST_SECRET, log: silentLog, metrics },
  })
}

beforeAll(async () => {
  database = await startTestDatabase()
  machine = await start()
})

afterAll(async () => {
  await machine.pipeline.close()
  await database.close()
  rmSync(dir, { recursive: true })
})

describe('the thread of the machine side', () => {
  it('stores samples and logs an alarm while the thread of the requests stands still', async () => {
    const org = await database.newOrg()
    const { pipeline } = machine
    await pipeline.registerEdge({ org, group: GROUP, edge: 'line-1', secretHash: await hashEdgeSecret('right') })
    const shared = new SharedArrayBuffer(8)
    const workerData: AlarmWriterData = { port: pipeline.mqtt.port, group: GROUP, address: database.address, shared }
    const edge = new Worker(new URL('../../tests/support/alarm-writer.ts', import.meta.url), { workerData })
    await once(edge, 'message')
    const ended = once(edge, 'exit')
    const flags = new Int32Array(shared)
    const blockedAt = Date.now()
    Atomics.store(flags, 0, 1)
    Atomics.notify(flags, 0)
    // Nothing of this thread's event loop runs from here on: no timer, no socket, no message of the other thread.
    const outcome = Atomics.wait(flags, 1, 0, GIVE_UP_MS)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, BLOCKED_MS - (Date.now() - blockedAt)))
    const releasedAt = Date.now()
    expect(outcome).not.toBe('timed-out')
    expect(releasedAt - blockedAt).toBeGreaterThanOrEqual(BLOCKED_MS)
    await ended
    const { rows } = await sql<{ transition: string; recorded_at: Date }>`
      select transition, recorded_at from alarm_log order by seq`.execute(database.db.system)
    const raised = rows.find((row) => row.transition === 'activated')
    expect(raised?.recorded_at.getTime()).toBeLessThan(releasedAt)
  })

  it('answers and counts as the pipeline in this thread would', async () => {
    const { pipeline } = machine
    const [organisation] = await database.db.system.selectFrom('organisations').select('id').execute()
    const org = organisation?.id ?? ''
    expect(await pipeline.edges(org)).toMatchObject([{ group: GROUP, edge: 'line-1', tagCount: 1 }])
    expect((await pipeline.tags({ org, q: 'motor' })).items).toMatchObject([{ unit: '°F' }])
    expect(await pipeline.faults()).toEqual([])
    await expect.poll(() => metrics.text(), { timeout: 5000 }).toMatch(/andon_history_values_total [1-9]/)
    const [series] = await pipeline.history.buckets({
      ...{ paths: [`${GROUP}/line-1/compressor-1/motor-temperature`], points: 1 },
      ...{ from: Date.now() - 60_000, to: Date.now() + 1000 },
    })
    expect(series).toMatchObject({ min: Float64Array.of(40), max: Float64Array.of(85) })
  })

  it('refuses to start as the pipeline does, in its words', async () => {
    const taken = createServer().listen({ host: '127.0.0.1', port: 0 })
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    await expect(start({ ANDON_MQTT_PORT: String(port) })).rejects.toThrow(/ANDON_MQTT_PORT|in use/)
    taken.close()
  })
})
