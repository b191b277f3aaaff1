import { connect as connectSocket } from 'node:net'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { formatTopic } from '#shared/sparkplug/topics.ts'
import { mayPublish, maySubscribe, mayWill } from './admission.ts'
import type { Broker } from './broker.ts'
import { startBroker } from './embedded.ts'
import { hashEdgeSecret } from './secret.ts'

const LINE = { group: 'plant', edge: 'line-1' }
const hashes = new Map<string, string>()
const refused: string[] = []
const heard: string[] = []
const metrics = {
  count: (_: string, __?: number, labels?: Readonly<Record<string, string>>) => void refused.push(labels?.reason ?? ''),
  gauge: () => undefined,
}

const PATIENT = { timeout: 15_000 }

let broker: Broker
const clients: MqttClient[] = []

/** Connects as line-1 unless told; resolves when admitted, rejects with the broker's refusal. */
function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const client = mqtt.connect({
    port: broker.port,
    host: '127.0.0.1',
    username: 'plant/line-1',
    password: 'right',
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  })
  clients.push(client)
  return new Promise((resolve, reject) => {
    client.on('connect', () => resolve(client))
    client.on('error', reject)
  })
}

const closed = (client: MqttClient) => new Promise<void>((resolve) => client.on('close', () => resolve()))
const topicOf = (message: 'NBIRTH' | 'NDATA' | 'NDEATH' | 'NCMD', edge = 'line-1') =>
  formatTopic({ message, group: 'plant', edge })

beforeAll(async () => {
  hashes.set('plant/line-1', await hashEdgeSecret('right'))
  hashes.set('plant/line-2', await hashEdgeSecret('right'))
})

beforeEach(async () => {
  refused.length = 0
  heard.length = 0
  const secretHash = ({ group, edge }: typeof LINE) => hashes.get(`${group}/${edge}`)
  broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    clock: Date.now,
    log: silentLog,
    metrics,
    secretHash,
    limits: { packetBytes: 20_000 },
  })
  await broker.consume((topic, payload) => void heard.push(`${formatTopic(topic)} ${payload.toString()}`))
  await broker.subscribeEdge(LINE)
  await broker.subscribeEdge({ group: 'plant', edge: 'line-2' })
})

afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true)
  await broker.close()
})

describe('the broker at the door', () => {
  it('admits a known edge with its secret', async () => {
    const client = await connect()
    await client.publishAsync(topicOf('NBIRTH'), 'born', { qos: 1 })
    expect(heard).toEqual(['spBv1.0/plant/NBIRTH/line-1 born'])
  })

  it.each([
    ['a wrong secret', { password: 'wrong' }, 'unknown-edge-or-bad-secret'],
    ['an unknown edge', { username: 'plant/line-9' }, 'unknown-edge-or-bad-secret'],
    ['no user name', { username: undefined, password: undefined }, 'no-edge-user-name'],
    ['a user name that is no edge', { username: 'plant/line-1/x' }, 'no-edge-user-name'],
    ['a session that outlives the connection', { clean: false, clientId: 'x' }, 'persistent-session'],
    [
      'a will elsewhere',
      { will: { topic: 'spBv1.0/plant/NDEATH/line-2', payload: Buffer.from(''), qos: 1 as const, retain: false } },
      'will-not-allowed',
    ],
    [
      'a will of another kind',
      { will: { topic: 'spBv1.0/plant/NDATA/line-1', payload: Buffer.from(''), qos: 1 as const, retain: false } },
      'will-not-allowed',
    ],
    [
      'a retained will',
      { will: { topic: 'spBv1.0/plant/NDEATH/line-1', payload: Buffer.from(''), qos: 1 as const, retain: true } },
      'will-not-allowed',
    ],
  ])('refuses %s', async (_, options, reason) => {
    await expect(connect(options)).rejects.toThrow(/Connection refused/)
    expect(refused).toEqual([reason])
  })

  it('never lets an edge take the client id of another', async () => {
    const first = await connect({ clientId: 'box' })
    await expect(connect({ clientId: 'box', username: 'plant/line-2' })).rejects.toThrow(/Not authorized/)
    expect(first.connected).toBe(true)
  })

  it('keeps the newest connection of an edge and publishes the will of the older', async () => {
    const will = { topic: topicOf('NDEATH'), payload: Buffer.from('dead'), qos: 1 as const, retain: false }
    const first = await connect({ will })
    const gone = closed(first)
    await connect()
    await gone
    await expect.poll(() => heard, PATIENT).toEqual(['spBv1.0/plant/NDEATH/line-1 dead'])
  })

  it('names the setting when the port is taken', async () => {
    const options = {
      host: '127.0.0.1',
      port: broker.port,
      clock: Date.now,
      log: silentLog,
      secretHash: () => undefined,
    }
    await expect(startBroker(options)).rejects.toThrow(/MQTT port \d+ .* ANDON_MQTT_PORT/)
  })
})

describe('the broker inside', () => {
  it.each([
    ['another edge', topicOf('NDATA', 'line-2')],
    ['a command', topicOf('NCMD')],
    ['STATE', 'spBv1.0/STATE/andon'],
    ['a topic of no Sparkplug', 'anything'],
    ['the system', '$SYS/x'],
  ])('closes the connection of an edge that publishes for %s', async (_, topic) => {
    const client = await connect()
    const gone = closed(client)
    client.publish(topic, 'x')
    await gone
    expect(heard).toEqual([])
    expect(refused).toEqual(['publish-not-allowed'])
  })

  it('forgets the retain flag of an edge, so that nobody hears an old birth as a new one', async () => {
    const client = await connect()
    await client.publishAsync(topicOf('NBIRTH'), 'born', { qos: 1, retain: true })
    const again: string[] = []
    await broker.consume((topic) => void again.push(formatTopic(topic)))
    expect(again).toEqual([])
  })

  it.each([
    'spBv1.0/#',
    '#',
    '$share/a/spBv1.0/plant/NCMD/line-1',
    'spBv1.0/plant/NDATA/line-1',
    'spBv1.0/plant/NCMD/+',
  ])('refuses the subscription %s', async (filter) => {
    const client = await connect()
    await expect(client.subscribeAsync(filter)).rejects.toThrow()
    expect(refused).toEqual(['subscribe-not-allowed'])
  })

  it('gives an edge its own commands and the retained STATE', async () => {
    await broker.publish('spBv1.0/STATE/andon', Buffer.from('on'), { qos: 1, retain: true })
    const client = await connect()
    const got: string[] = []
    client.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
    await client.subscribeAsync(['spBv1.0/STATE/andon', topicOf('NCMD'), 'spBv1.0/plant/DCMD/line-1/#'])
    await broker.publish(topicOf('NCMD', 'line-2'), Buffer.from('other'), { qos: 0, retain: false })
    await broker.publish(topicOf('NCMD'), Buffer.from('mine'), { qos: 0, retain: false })
    await expect.poll(() => got, PATIENT).toHaveLength(2)
    expect(heard).toEqual([])
    expect(got.sort()).toEqual(['spBv1.0/STATE/andon on', 'spBv1.0/plant/NCMD/line-1 mine'])
  })

  it('closes a connection that announces a packet too long for it', async () => {
    const client = await connect()
    const gone = closed(client)
    client.publish(topicOf('NDATA'), Buffer.alloc(30_000))
    await gone
    expect(refused).toEqual(['packet-too-long'])
    expect(heard).toEqual([])
  })

  it('takes packets that arrive in pieces', async () => {
    const client = await connect()
    const payload = 'x'.repeat(19_000)
    await Promise.all([1, 2, 3].map(() => client.publishAsync(topicOf('NDATA'), payload, { qos: 1 })))
    expect(heard).toHaveLength(3)
    expect(refused).toEqual([])
  })

  it('drops a stranger that announces more than a CONNECT needs', async () => {
    const socket = connectSocket(broker.port, '127.0.0.1')
    const gone = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('error', () => undefined)
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))
    await gone
    expect(refused).toContain('packet-too-long')
  })
})

describe('what an edge may do', () => {
  it('publishes its own six messages and wills its own death', () => {
    expect(mayPublish(LINE, 'spBv1.0/plant/DDATA/line-1/d')).toBe(true)
    expect(mayPublish(LINE, 'spBv1.0/plant/DDATA/line-1')).toBe(false)
    expect(mayPublish(LINE, 'spBv1.0/plant/NDATA/line-1/d')).toBe(false)
    expect(mayPublish({ group: 'plant2', edge: 'line-1' }, 'spBv1.0/plant/NDATA/line-1')).toBe(false)
    expect(mayWill(LINE, undefined)).toBe(true)
    expect(mayWill(LINE, { topic: 'spBv1.0/plant/NDEATH/line-1' })).toBe(true)
  })

  it('subscribes to its own commands and to STATE', () => {
    const filters = ['NCMD/line-1', 'NCMD/line-1/#', 'DCMD/line-1/#', 'DCMD/line-1/+', 'DCMD/line-1/d']
    expect(filters.map((filter) => maySubscribe(LINE, `spBv1.0/plant/${filter}`))).not.toContain(false)
    expect(maySubscribe(LINE, 'spBv1.0/STATE/andon')).toBe(true)
    expect(maySubscribe(LINE, 'spBv1.0/plant/DCMD/line-1')).toBe(false)
    expect(maySubscribe(LINE, 'spBv1.0/plant/#')).toBe(false)
  })
})
