import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { Asset } from '#shared/contracts/asset.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Message } from '#shared/contracts/message.ts'
import { silentLog } from '#shared/log/log.ts'
import type { AlarmWriterData } from '../../tests/support/alarm-writer.ts'
import { type Client, signIn } from '../../tests/support/client.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '../../tests/support/postgres.ts'
import { readCloudConfig } from '../config.ts'
import { type Cloud, startCloud } from '../main.ts'

const SEED = fileURLToPath(new URL('../../devices/plants/module-factory.organisation.yaml', import.meta.url))
const PASSWORD = 'a long demo password'
const GROUP = 'module-factory'
/** All asked for before the alarm is raised. */
const MESSAGES = 500
/** Browsers that hear every message. */
const READERS = 10

let database: TestDatabase
let cloud: Cloud
const clients: Client[] = []
const dir = mkdtempSync(join(tmpdir(), 'andon-storm-'))

beforeAll(async () => {
  database = await startTestDatabase()
  const { user, password } = database.server.superuser
  const { host, port } = database.server
  const env = {
    ...{ ANDON_DATA: dir, ANDON_SECRET: TEST_SECRET, ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' },
    DATABASE_URL: `postgresql://${user}:${password}@localhost:${port}/andon?host=${encodeURIComponent(host)}`,
  }
  const seed = { file: SEED, password: PASSWORD, edgeSecret: 'right' }
  cloud = await startCloud({ ...readCloudConfig({}, env), seed }, silentLog)
})
afterAll(async () => {
  for (const client of clients) client.close()
  await cloud.stop()
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

async function person(name: string): Promise<Client> {
  const client = await signIn(cloud.url ?? '', name, PASSWORD)
  clients.push(client)
  return client
}

/** An edge in a thread of its own, born and waiting to raise its alarm. */
async function waitingEdge() {
  const shared = new SharedArrayBuffer(8)
  const workerData: AlarmWriterData = { port: cloud.mqttPort, group: GROUP, address: database.address, shared }
  const worker = new Worker(new URL('../../tests/support/alarm-writer.ts', import.meta.url), { workerData })
  const ended = once(worker, 'exit')
  await once(worker, 'message')
  const flags = new Int32Array(shared)
  return {
    raise() {
      Atomics.store(flags, 0, 1)
      Atomics.notify(flags, 0)
    },
    ended,
  }
}

/** A browser that looks at the room. */
async function reader({ cookie }: Client, channelId: string, hear: () => void): Promise<WebSocket> {
  const socket = new WebSocket(`${cloud.url?.replace('http', 'ws')}/api/stream`, { headers: { cookie } })
  await once(socket, 'open')
  socket.on('message', hear)
  socket.send(JSON.stringify({ type: 'subscribe', topics: [`channel:${channelId}`] }))
  return socket
}

/** Asks everything at once; tells when each was answered, ms since 1970. */
function storm(count: number, ask: (n: number) => Promise<unknown>) {
  const answeredAt: number[] = []
  const done = Promise.all(
    Array.from({ length: count }, async (_, n) => {
      await ask(n)
      answeredAt.push(Date.now())
    }),
  )
  return { answeredAt, done }
}

describe('a chat storm', { timeout: 90_000 }, () => {
  it('holds up no alarm: it is recorded while messages are still unanswered', async () => {
    const operator = await person('operator')
    const edge = await waitingEdge()
    const { items } = await operator.get<PageOf<Asset>>('/api/assets')
    const thread = await operator.post<{ channelId: string }>(`/api/records/${items[0]?.id}/thread`)
    const { channelId } = thread.body
    let heard = 0
    const readers = await Promise.all(Array.from({ length: READERS }, () => reader(operator, channelId, () => heard++)))
    const chat = storm(MESSAGES, async (n) => {
      const { status } = await operator.post<Message>('/api/messages', { channelId, text: `message ${n}` })
      expect(status).toBe(201)
    })
    const raisedAt = Date.now()
    edge.raise()
    await Promise.all([chat.done, edge.ended])
    const { rows } = await sql<{ recorded_at: Date }>`
      select recorded_at from alarm_log where transition = 'activated' order by seq`.execute(database.db.system)
    const recordedAt = rows[0]?.recorded_at.getTime() ?? Number.POSITIVE_INFINITY
    expect(recordedAt).toBeGreaterThanOrEqual(raisedAt)
    expect(chat.answeredAt.filter((at) => at <= recordedAt).length).toBeLessThan(MESSAGES)
    expect(heard).toBeGreaterThan(MESSAGES)
    for (const socket of readers) socket.close()
  })
})
