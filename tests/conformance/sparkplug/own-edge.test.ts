import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hashEdgeSecret, startPipeline } from '#cloud/pipeline/index.ts'
import { openJournal } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import { startUplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase } from '#tests/support/postgres.ts'

const PROFILES = fileURLToPath(new URL('../../../devices/profiles', import.meta.url))
const TYPES = ['double', 'boolean', 'string', 'uint64', 'int16'] as const

it('Andon’s own edge breaks no rule that the host would put up with', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'own-edge-'))
  const database = await startTestDatabase()
  const org = await database.newOrg()
  const counts = new Map<string, number>()
  const pipeline = await startPipeline({
    db: database.db,
    dataDir: directory,
    profilesDir: PROFILES,
    mqtt: { host: '127.0.0.1', port: 0 },
    clock: Date.now,
    log: silentLog,
    metrics: {
      count: (name, by, labels) => {
        const key = `${name} ${labels?.rule ?? labels?.reason ?? ''}`
        counts.set(key, (counts.get(key) ?? 0) + by)
      },
      gauge: () => undefined,
    },
  })
  await pipeline.registerEdge({ org, group: 'plant', edge: 'line-1', secretHash: await hashEdgeSecret('right') })
  const clock = { now: () => Date.now() }
  const journal = openJournal({
    directory: join(directory, 'journal'),
    config: { ballastMb: 0 },
    clock,
    log: silentLog,
  })
  const listeners = new Set<(device: string, isAlive: boolean) => void>()
  const dead = new Set<string>()
  const model: EdgeModel = {
    group: 'plant',
    edge: 'line-1',
    devices: ['meter-1', 'meter-2'].map((device) => ({
      device,
      profile: 'meter',
      tags: TYPES.map((type) => ({ id: journal.tagId(device, type, type), device, tag: type, type })),
      units: new Map(TYPES.map((type) => [type, 'kW'])),
    })),
    current: () => undefined,
    isAlive: (device) => !dead.has(device),
    onDeviceChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const setAlive = (device: string, isAlive: boolean) => {
    if (isAlive) dead.delete(device)
    else dead.add(device)
    for (const listener of listeners) listener(device, isAlive)
  }
  const config = {
    url: pipeline.mqtt.url,
    username: 'plant/line-1',
    password: 'right',
    keepAliveSeconds: 10,
    acknowledgement: 'required',
    backlogSamplesPerSecond: 50_000,
  } as const
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing: { heartbeatMs: 50 } })
  const values = { double: 1.5, boolean: true, string: 'run', uint64: 2n ** 63n, int16: -3 }
  const append = async (quality: 192 | 64 | 0 = 192) => {
    const tags = model.devices.flatMap(({ tags }) => tags)
    await journal.append(
      tags.map(({ id, type }) => ({ tagId: id, sourceAt: Date.now(), value: values[type as 'double'], quality })),
    )
  }
  const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 20 })
  const statusOf = async (device: string) =>
    (await pipeline.devices(org)).find((status) => status.device === device)?.status
  await eventually(() => statusOf('meter-2')).toBe('online')
  for (const quality of [192, 64, 0] as const) await append(quality)
  setAlive('meter-1', false)
  await eventually(() => statusOf('meter-1')).toBe('offline')
  setAlive('meter-1', true)
  await eventually(() => statusOf('meter-1')).toBe('online')
  for (let i = 0; i < 40; i++) await append()
  await eventually(() => (counts.get('values_total ') ?? 0) >= 430).toBe(true)
  await uplink.close()
  await eventually(() => statusOf('meter-2')).toBe('offline')
  await journal.close()
  await pipeline.close()
  await database.close()
  rmSync(directory, { recursive: true })
  const breaches = [...counts].filter(([key]) => /tolerances|rejected|refused|sequence_gaps|rebirths_asked/.test(key))
  expect(breaches).toEqual([])
})
