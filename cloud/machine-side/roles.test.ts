import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '#shared/config/config-error.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../tests/support/postgres.ts'
import { connectScriptedEdge } from '../../tests/support/sparkplug-edge.ts'
import { type CloudConfig, readCloudConfig } from '../config.ts'
import { type Cloud, startCloud } from '../main.ts'

const SEED = fileURLToPath(new URL('../../devices/plants/module-factory.organisation.yaml', import.meta.url))
const PASSWORD = 'a long demo password'
const LINE = { group: 'module-factory', edge: 'line-1' }
const MOTOR = { tag: 'motor-temperature', alias: 10, type: 'double' } as const
const patience = { timeout: 20_000, interval: 100 }

let database: TestDatabase
let machine: Cloud | undefined
let people: Cloud
let cookie = ''
const dir = mkdtempSync(join(tmpdir(), 'andon-roles-'))

function configOf(name: string, roles: string): CloudConfig {
  const { user, password } = database.server.superuser
  const { host, port } = database.server
  const env = {
    ...{ ANDON_DATA: join(dir, name), ANDON_SECRET: TEST_SECRET, ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' },
    DATABASE_URL: `postgresql://${user}:${password}@localhost:${port}/andon?host=${encodeURIComponent(host)}`,
  }
  return { ...readCloudConfig({ roles }, env), seed: { file: SEED, password: PASSWORD, edgeSecret: 'right' } }
}

const start = (name: string, roles: string) => startCloud(configOf(name, roles), silentLog)

async function ask(path: string, init: RequestInit = {}) {
  const answer = await fetch(`${people.url}${path}`, {
    ...init,
    headers: { cookie, 'content-type': 'application/json' },
  })
  return { answer, status: answer.status, body: (await answer.json()) as Record<string, never> }
}
const statusOf = async (path: string) => (await ask(path)).status

beforeAll(async () => {
  database = await startTestDatabase()
  people = await start('people', 'web,worker')
  const body = JSON.stringify({ username: 'engineer', password: PASSWORD })
  const { answer } = await ask('/api/session', { method: 'POST', body })
  cookie = String(answer.headers.get('set-cookie')).split(';')[0] ?? ''
}, 60_000)

afterAll(async () => {
  await people?.stop()
  await machine?.stop()
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

describe('a cloud of two processes', () => {
  it('starts without the machine side, says so, and registers the edges of its file once that answers', async () => {
    const { status, body } = await ask('/readyz')
    expect(status).toBe(503)
    expect(body.faults).toEqual([
      expect.stringContaining('cannot be reached'),
      expect.stringMatching(/edges of .*module-factory\.organisation\.yaml/),
    ])
    expect((await ask('/api/edges')).body.code).toBe('pipeline.away')
    machine = await start('machine', 'broker,pipeline')
    await expect.poll(() => statusOf('/readyz'), patience).toBe(200)
    const { items } = (await ask('/api/edges')).body as unknown as { items: { edge: string }[] }
    expect(items).toContainEqual(expect.objectContaining(LINE))
  })

  it('registers and shows edges through the other process, and follows what its machines do', async () => {
    if (!machine) throw new Error('It has not started')
    expect(machine.url).toBeUndefined()
    const edge = await connectScriptedEdge({ ...LINE, port: machine.mqttPort, secret: 'right', epoch: 3n })
    await edge.birth(1n, 0n)
    await edge.deviceBirth('compressor-1', [MOTOR], { profile: 'screw-compressor' })
    await edge.data('compressor-1', [{ ...MOTOR, at: Date.now(), value: 40 }], 1n)
    const alarms = async () => (await ask('/api/alarms')).body.items
    await expect.poll(alarms, patience).toContainEqual(expect.objectContaining({ unit: '°F', value: 40 }))
    // The worker has opened the incident, from events that the other process wrote.
    await expect.poll(async () => (await ask('/api/incidents')).body.items, patience).toHaveLength(1)
    expect((await ask('/api/tags?q=motor')).body.items).toMatchObject([{ value: 40, quality: 'good' }])
    await edge.close()
  })

  it('refuses a second machine side, naming all that it lacks', async () => {
    const refusal = await start('second', 'broker,pipeline').then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(refusal).toBeInstanceOf(ConfigError)
    expect((refusal as ConfigError).faults.map((fault) => fault.path)).toEqual(['MQTT_URL', 'INFLUX_URL', 'REDIS_URL'])
  })

  it('says so while the machine side is away, shows what is committed, and goes on with the next one', async () => {
    await machine?.stop()
    await expect.poll(() => statusOf('/api/edges'), patience).toBe(503)
    expect((await ask('/api/edges')).body.code).toBe('pipeline.away')
    expect(await statusOf('/readyz')).toBe(503)
    expect(await statusOf('/api/alarms')).toBe(200)
    machine = await start('machine', 'broker,pipeline')
    await expect.poll(() => statusOf('/api/edges'), patience).toBe(200)
    expect(await statusOf('/readyz')).toBe(200)
  })
})
