import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import mqtt from 'mqtt'
import { expect, vi } from 'vitest'
import type { Broker } from '#cloud/pipeline/broker/broker.ts'
import { hashEdgeSecret, type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import {
  bdSeqMetric,
  connectWireEdge,
  type EdgeMessage,
  rebirthMetric,
  type WireEdge,
} from '#tests/support/wire-edge.ts'
import { type HostCapture, type HostEvent, hostPublish, type View } from './host-capture.ts'
import { DIED_BEFORE_MS, REORDER_MS } from './host-events.ts'

const GROUP = 'plant'
const EDGE = 'line-1'

const PROFILES = fileURLToPath(new URL('../../../devices/profiles', import.meta.url))

/** Waits until something is so; works in hooks too. */
const until = (isSo: () => boolean | Promise<boolean>) =>
  vi.waitFor(async () => expect(await isSo()).toBe(true), { timeout: 15_000, interval: 10 })

/** Where the scenario runs. */
export interface Stage {
  /** Takes down what the host sends; absent: the host is in the broker's own process, and edges take it down. */
  readonly capture?: HostCapture
  readonly openBroker?: () => Promise<Broker>
  /** Where edges connect; absent: the embedded broker. */
  readonly edgePort?: number
}

/** Everything the scenario works with. */
interface Scene {
  readonly events: HostEvent[]
  readonly database: TestDatabase
  readonly pipeline: Pipeline
  readonly stage: Stage
  readonly counts: Map<string, number>
  readonly now: () => number
  /** Moves the host's clock on, and waits until the host has looked at it. */
  readonly pass: (ms: number) => Promise<void>
}

/** Plays one life of a host and a third-party edge; `events` is filled as it goes. */
export async function playHost(events: HostEvent[], stage: Stage): Promise<void> {
  const database = await startTestDatabase()
  const dir = mkdtempSync(join(tmpdir(), 'andon-host-'))
  const counts = new Map<string, number>()
  let skew = 0
  const now = () => Date.now() + skew
  const add = (name: string) => void counts.set(name, (counts.get(name) ?? 0) + 1)
  const pipeline = await startPipeline({
    db: database.db,
    dataDir: dir,
    profilesDir: PROFILES,
    mqtt: { host: '127.0.0.1', port: 0 },
    clock: now,
    log: silentLog,
    metrics: { count: add, gauge: add },
    limits: { reorderMs: REORDER_MS },
    ...(stage.openBroker && { openBroker: stage.openBroker }),
  })
  const pass = async (ms: number) => {
    skew += ms
    const ticks = counts.get('sparkplug_rebirths_waiting') ?? 0
    await until(() => (counts.get('sparkplug_rebirths_waiting') ?? 0) > ticks + 1)
  }
  const scene = { events, database, pipeline, stage, counts, now, pass }
  try {
    await play(scene)
  } finally {
    await pipeline.close()
    await until(() => events.some((event) => event.kind === 'publish' && event.text.includes('false')))
    await stage.capture?.stop()
    await database.close()
    rmSync(dir, { recursive: true })
  }
}

async function play(scene: Scene): Promise<void> {
  const { pipeline, database } = scene
  const org = await database.newOrg()
  for (const edge of [EDGE, 'watch']) {
    await pipeline.registerEdge({ org, group: GROUP, edge, secretHash: await hashEdgeSecret('right') })
  }
  await watchState(scene)
  const edge = await joined(scene, EDGE, 0)
  const talk = talker(scene, edge)
  await talk.births()
  await until(async () => (await pipeline.tag(path('meter-2/power')))?.live.isStale === false)
  await look(scene, org, 'born')
  await reorder(scene, org, talk)
  await command(scene)
  await talk.data('meter-1', [{ alias: '999', timestamp: String(Date.now()), double_value: 1 }])
  await askedAgain(scene, edge, 2)
  await talk.births()
  await die(scene, org, talk)
  await edge.cut()
  await until(async () => (await rowTime(scene, 'edges', 'disconnected_at', EDGE)) !== null)
  await look(scene, org, 'node dead')
  await leftovers(scene)
  if (scene.stage.edgePort === undefined) return
  await reconnect(scene)
  await contradict(scene, scene.stage.edgePort)
}

/** The host loses its connection and comes back. */
async function reconnect({ events, stage }: Scene): Promise<void> {
  const births = () => events.filter((event) => event.kind === 'publish' && event.text.includes('true')).length
  const before = births()
  stage.capture?.cut()
  await until(() => births() > before)
}

const path = (tag: string) => `${GROUP}/${EDGE}/${tag}`
const shown = async ({ pipeline }: Scene, tag: string) => (await pipeline.tag(path(tag)))?.live.value

function joined(scene: Scene, edge: string, bdSeq: number): Promise<WireEdge> {
  const { pipeline, stage, events, now } = scene
  return connectWireEdge({
    port: stage.edgePort ?? pipeline.mqtt.port,
    group: GROUP,
    edge,
    bdSeq,
    ...(stage.edgePort === undefined ? { secret: 'right' } : {}),
    onHeard: ({ topic, payload, qos, retain }) => {
      if (!stage.capture) events.push(hostPublish(topic, payload, { qos, retain, at: now() }))
    },
  })
}

/** An edge that only listens, from the start to the end. */
async function watchState(scene: Scene): Promise<void> {
  const watch = await joined(scene, 'watch', 0)
  await watch.subscribe('spBv1.0/STATE/andon')
  await until(() => watch.heard.length === 1)
}

const time = () => ({ timestamp: String(Date.now()) })
const double = (name: string, alias: string, value: number): ProtoMetric => ({
  ...{ name, alias, datatype: 10, double_value: value },
  ...time(),
})

const NODE = (): ProtoMetric[] => [
  bdSeqMetric(0),
  rebirthMetric(),
  { name: 'Node Control/Reboot', ...time(), datatype: 11, boolean_value: false },
  double('cpu', '5', 0.5),
  { name: 'limit', alias: '6', ...time(), datatype: 2, int_value: 3 },
]
const METERS: Readonly<Record<string, () => ProtoMetric[]>> = {
  'meter-1': () => [
    double('power', '10', 0),
    { name: 'setpoint', alias: '11', ...time(), datatype: 3, int_value: 1 },
    { name: 'label', ...time(), datatype: 12, string_value: 'a' },
  ],
  'meter-2': () => [double('power', '20', 7)],
}

/** Says things as the edge and takes them down. */
function talker({ events, now }: Scene, edge: WireEdge) {
  const say = async (message: EdgeMessage, metrics: readonly ProtoMetric[], device?: string) => {
    events.push({ kind: 'told', message, device, payload: { metrics: [...metrics] }, at: now() })
    await edge.say(message, metrics, device)
  }
  return {
    say,
    edge,
    async births() {
      await say('NBIRTH', NODE())
      for (const [device, metrics] of Object.entries(METERS)) await say('DBIRTH', metrics(), device)
    },
    data: (device: string, metrics: readonly ProtoMetric[]) => say('DDATA', metrics, device),
    power: (value: number) => say('DDATA', [{ alias: '10', ...time(), double_value: value }], 'meter-1'),
    async dieAt(device: string, at: number) {
      events.push({ kind: 'told', message: 'DDEATH', device, payload: { timestamp: String(at) }, at: now() })
      const seq = edge.seq++
      await edge.send('DDEATH', { timestamp: String(at), seq: String(seq), metrics: [] }, device)
    },
  }
}

type Talker = ReturnType<typeof talker>

/** A message that is late and comes, then one that never comes. */
async function reorder(scene: Scene, org: string, talk: Talker): Promise<void> {
  const { counts, edge } = { ...scene, edge: talk.edge }
  await talk.power(1)
  await until(async () => (await shown(scene, 'meter-1/power')) === 1)
  const late = { timestamp: String(Date.now()), seq: String(edge.seq++) }
  const missing: ProtoMetric = { alias: '10', ...time(), double_value: 2 }
  await talk.power(3)
  await until(() => counts.get('messages_out_of_order_total') === 1)
  await look(scene, org, 'held')
  await edge.send('DDATA', { ...late, metrics: [missing] }, 'meter-1')
  await until(async () => (await shown(scene, 'meter-1/power')) === 3)
  await scene.pass(REORDER_MS + 1000)
  await look(scene, org, 'filled')
  edge.seq++
  await talk.power(4)
  await until(() => counts.get('messages_out_of_order_total') === 2)
  await scene.pass(REORDER_MS - 2000)
  await look(scene, org, 'waiting')
  await scene.pass(3000)
  await until(() => rebirths(edge) === 1)
  await look(scene, org, 'given up')
  await talk.births()
  await until(() => (counts.get('mqtt_messages_total') ?? 0) >= 10)
}

const rebirths = (edge: WireEdge) => edge.heard.filter(({ payload }) => payload.includes('Node Control/Rebirth')).length

/** A rebirth that is due later, because the edge was asked a moment ago. */
async function askedAgain(scene: Scene, edge: WireEdge, times: number): Promise<void> {
  await scene.pass(60_000)
  await until(() => rebirths(edge) === times)
}

async function command({ pipeline, events }: Scene): Promise<void> {
  const edge = { group: GROUP, edge: EDGE }
  await until(async () => (await pipeline.tag(path('meter-1/label')))?.live.isStale === false)
  const write = (metrics: { name: string; value: number | string | boolean }[], device?: string) =>
    pipeline.command({ edge, metrics, commandId: randomUUID(), ...(device === undefined ? {} : { device }) })
  expect((await write([{ name: 'limit', value: 5 }])).status).toBe('sent')
  await write([{ name: 'Node Control/Reboot', value: true }])
  const both = [
    { name: 'setpoint', value: -42 },
    { name: 'label', value: 'b' },
  ]
  await write(both, 'meter-1')
  const sent = () => events.filter((event) => event.kind === 'publish' && /^[ND]CMD$/.test(event.message)).length
  await until(() => sent() >= 4)
}

async function die(scene: Scene, org: string, talk: Talker): Promise<void> {
  const { pipeline } = scene
  await until(async () => (await pipeline.tag(path('meter-2/power')))?.live.isStale === false)
  await talk.dieAt('meter-1', scene.now() - DIED_BEFORE_MS)
  await until(async () => (await rowTime(scene, 'devices', 'died_at', 'meter-1')) !== null)
  await look(scene, org, 'device dead')
  await talk.say('DBIRTH', METERS['meter-1']?.() ?? [], 'meter-1')
  await until(async () => (await pipeline.tag(path('meter-1/power')))?.live.isStale === false)
}

/** Commands are not retained: who subscribes later hears none. */
async function leftovers(scene: Scene): Promise<void> {
  const late = await joined(scene, EDGE, 1)
  await late.subscribe('spBv1.0/STATE/andon')
  await until(() => late.heard.some(({ topic }) => topic.includes('STATE')))
  await late.close()
}

/** Somebody says that the host is gone. */
async function contradict({ events, now }: Scene, port: number): Promise<void> {
  const births = () => events.filter((event) => event.kind === 'publish' && event.text.includes('true')).length
  const before = births()
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port, reconnectPeriod: 0 })
  const payload = JSON.stringify({ online: false, timestamp: now() - 120_000 })
  events.push({ kind: 'told', message: 'STATE', device: undefined, payload: {}, at: now() })
  await client.publishAsync('spBv1.0/STATE/andon', payload, { qos: 1, retain: true })
  await until(() => births() > before)
  await client.endAsync()
}

async function rowTime(scene: Scene, table: 'edges' | 'devices', column: string, name: string): Promise<number | null> {
  const nameColumn = table === 'edges' ? 'edge' : 'device'
  const { rows } = await sql<{ at: Date | null }>`
    select ${sql.ref(column)} as at from ${sql.table(table)} where ${sql.ref(nameColumn)} = ${name}
  `.execute(scene.database.db.system)
  return rows[0]?.at?.getTime() ?? null
}

/** Takes down what people see. */
async function look(scene: Scene, org: string, moment: string): Promise<void> {
  const { pipeline, events, now } = scene
  const isOurs = (status: { edge: string }) => status.edge === EDGE
  const devices: Record<string, View['devices'][string]> = {}
  for (const { device, status } of (await pipeline.devices(org)).filter(isOurs)) {
    devices[device] = { status, diedAt: await rowTime(scene, 'devices', 'died_at', device) }
  }
  const tags: Record<string, View['tags'][string]> = {}
  for (const { device, tag, live } of (await pipeline.tags({ org, limit: 1000 })).items.filter(isOurs)) {
    tags[`${device}/${tag}`] = { value: live.value, isStale: live.isStale }
  }
  const disconnectedAt = await rowTime(scene, 'edges', 'disconnected_at', EDGE)
  const edge = (await pipeline.edges(org)).find(isOurs)?.status ?? 'unknown'
  events.push({ kind: 'view', moment, at: now(), edge, disconnectedAt, devices, tags })
}
