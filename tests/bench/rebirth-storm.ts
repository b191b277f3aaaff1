import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import mqtt, { type MqttClient } from 'mqtt'
import { hashGeneratedSecret } from '#cloud/pipeline/broker/secret.ts'
import { type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { encodePayload, type OutgoingMetric } from '#shared/sparkplug/payload.ts'
import { startTestDatabase } from '#tests/support/postgres.ts'
import { machine, percentile } from './bench.ts'

/**
 * Rebirth storm: 1,000 edges that are born at once, for the first time, after a cut of all connections and after a restart of
 * the host, while other edges stream. `node tests/bench/rebirth-storm.ts [edges]`; the generators are processes of their own.
 */
const GROUP = 'storm'
const TAGS = 20
const LIVE_EDGES = 10
const LIVE_EVERY_MS = 50

interface Task {
  readonly role: 'storm' | 'live'
  readonly port: number
  readonly edges: number
}

const now = () => Date.now()
const nodeBirth = (): OutgoingMetric[] => [
  { name: 'bdSeq', type: 'int64', isTyped: true, timestamp: now(), value: 0n },
  { name: 'Node Control/Rebirth', type: 'boolean', isTyped: true, timestamp: now(), value: false },
]
const deviceBirth = (): OutgoingMetric[] =>
  Array.from({ length: TAGS }, (_, i) => ({
    ...{ name: `tag-${i}`, alias: 10 + i, type: 'double', isTyped: true, timestamp: now(), value: i },
  }))

/** A third-party edge: births at each connection, and at each request. */
function startEdge(port: number, edge: string): MqttClient {
  const topic = (message: string, device = '') => `spBv1.0/${GROUP}/${message}/${edge}${device}`
  const client = mqtt.connect({
    ...{ host: '127.0.0.1', port, username: `${GROUP}/${edge}`, password: 'right', protocolVersion: 4 },
    ...{ reconnectPeriod: 500 + Math.floor(Math.random() * 1000), connectTimeout: 20_000, keepalive: 120 },
    will: {
      topic: topic('NDEATH'),
      payload: Buffer.from(encodePayload({ metrics: nodeBirth().slice(0, 1) })),
      ...{ qos: 1, retain: false },
    },
  })
  const born = () => {
    client.publish(topic('NBIRTH'), Buffer.from(encodePayload({ timestamp: now(), seq: 0, metrics: nodeBirth() })))
    client.publish(
      topic('DBIRTH', '/meter'),
      Buffer.from(encodePayload({ timestamp: now(), seq: 1, metrics: deviceBirth() })),
    )
  }
  client.on('connect', () => {
    client.subscribe(topic('NCMD'), { qos: 1 })
    born()
  })
  client.on('message', born)
  client.on('error', () => undefined)
  return client
}

/** The generator's process. */
function generate({ role, port, edges }: Task): void {
  const clients = Array.from({ length: edges }, (_, i) => startEdge(port, `${role}-${i}`))
  if (role === 'live') clients.forEach(stream)
  process.on('message', (word) => {
    if (word === 'cut') for (const client of clients) client.stream.destroy()
    if (word === 'cpu') process.send?.(process.cpuUsage())
  })
}

/** Sends the time as value and source time, again and again. */
function stream(client: MqttClient, index: number): void {
  let seq = 1
  client.on('connect', () => {
    seq = 1
  })
  client.on('message', () => {
    seq = 1
  })
  setInterval(() => {
    if (!client.connected) return
    seq = (seq + 1) % 256
    const metric = { alias: 10, type: 'double', timestamp: now(), value: now() } as const
    const payload = Buffer.from(encodePayload({ timestamp: now(), seq, metrics: [metric] }))
    client.publish(`spBv1.0/${GROUP}/DDATA/live-${index}/meter`, payload)
  }, LIVE_EVERY_MS)
}

async function settled(pipeline: Pipeline, org: string, edges: number): Promise<void> {
  for (;;) {
    const [all, devices] = [await pipeline.edges(org), await pipeline.devices(org)]
    const online = all.filter(({ edge, status }) => edge.startsWith('storm') && status === 'online').length
    const born = devices.filter(({ edge, status }) => edge.startsWith('storm') && status === 'online').length
    if (online === edges && born === edges) return
    await setTimeout(100)
  }
}

async function run(edges: number): Promise<object> {
  const database = await startTestDatabase()
  const org = await database.newOrg()
  const dir = mkdtempSync(join(tmpdir(), 'andon-storm-'))
  const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))
  const counts = new Map<string, number>()
  const start = (port: number) =>
    startPipeline({
      ...{ db: database.db, dataDir: dir, profilesDir: PROFILES, clock: Date.now, log: silentLog },
      mqtt: { host: '127.0.0.1', port },
      metrics: {
        count: (name, by) => void counts.set(name, (counts.get(name) ?? 0) + by),
        gauge: () => undefined,
      },
    })
  let pipeline = await start(0)
  const { port } = pipeline.mqtt
  const secretHash = hashGeneratedSecret('right')
  const names = [
    ...Array.from({ length: edges }, (_, i) => `storm-${i}`),
    ...Array.from({ length: LIVE_EDGES }, (_, i) => `live-${i}`),
  ]
  for (const edge of names) await pipeline.registerEdge({ org, group: GROUP, edge, secretHash })
  let latencies: number[] = []
  const newest = new Map<string, number>()
  const paths = Array.from({ length: LIVE_EDGES }, (_, i) => `${GROUP}/live-${i}/meter/tag-0`)
  const listen = () =>
    pipeline.live.subscribe(paths, (values) => {
      for (const { path, sourceAt, value } of values) {
        // Also told when an edge is fresh again, with the value of before.
        if (value !== sourceAt || sourceAt === null || sourceAt <= (newest.get(path) ?? 0)) continue
        newest.set(path, sourceAt)
        latencies.push(now() - sourceAt)
      }
    })
  const generator = (role: Task['role'], count: number) => {
    const child = fork(fileURLToPath(import.meta.url), [], { env: process.env })
    child.send({ role, port, edges: count } satisfies Task)
    return child
  }
  const live = generator('live', LIVE_EDGES)
  listen()
  while (latencies.length < 200) await setTimeout(50)
  const figures: Record<string, number> = {}
  /** A cut is noticed before it is healed. */
  const noticed = async () => {
    while ((await pipeline.edges(org)).every(({ edge, status }) => !edge.startsWith('storm') || status === 'online')) {
      await setTimeout(10)
    }
  }
  const measure = async (name: string, cause: () => Promise<void> | void) => {
    latencies = []
    const [began, cpu] = [performance.now(), process.cpuUsage()]
    await cause()
    await settled(pipeline, org, edges)
    figures[`${name}Ms`] = Math.round(performance.now() - began)
    const used = process.cpuUsage(cpu)
    figures[`${name}CpuMs`] = Math.round((used.user + used.system) / 1000)
    figures[`${name}LiveP50Ms`] = percentile(latencies, 0.5)
    figures[`${name}LiveP99Ms`] = percentile(latencies, 0.99)
    process.stderr.write(`${name}: settled after ${figures[`${name}Ms`]} ms\n`)
  }
  latencies = []
  await setTimeout(3000)
  figures.quietLiveP99Ms = percentile(latencies, 0.99)
  let storm = generator('storm', 0)
  await measure('firstBirths', () => {
    storm.kill()
    storm = generator('storm', edges)
  })
  await setTimeout(1000)
  const before = counts.get('rebirths_asked_total') ?? 0
  await measure('reconnect', async () => {
    storm.send('cut')
    await noticed()
  })
  await setTimeout(1000)
  await measure('hostRestart', async () => {
    const closing = performance.now()
    await pipeline.close()
    figures.closeMs = Math.round(performance.now() - closing)
    const starting = performance.now()
    pipeline = await start(port)
    figures.startMs = Math.round(performance.now() - starting)
    listen()
  })
  figures.rebirthsAsked = (counts.get('rebirths_asked_total') ?? 0) - before
  for (const child of [storm, live]) {
    child.kill()
    await once(child, 'exit')
  }
  await pipeline.close()
  await database.close()
  rmSync(dir, { recursive: true })
  return { edges, tags: edges * TAGS, liveEdges: LIVE_EDGES, ...figures }
}

if (process.send) process.once('message', (task) => generate(task as Task))
else {
  const began = performance.now()
  const figures = await run(Number(process.argv[2] ?? 1000))
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stdout.write(`${JSON.stringify({ bench: 'rebirth-storm', seconds, machine: machine(), ...figures })}\n`)
}
