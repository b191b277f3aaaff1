import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import fc from 'fast-check'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type Packet } from 'mqtt-packet'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { Bucket } from './bucket.ts'
import { type EmbeddedBroker, startBroker } from './embedded.ts'
import { connectionGate } from './gate.ts'
import { type BrokerLimits, limitsWith } from './limits.ts'
import { refusals } from './refusals.ts'
import { hashEdgeSecret, hashGeneratedSecret, isEdgeSecret } from './secret.ts'

const PATIENT = { timeout: 15_000 }
const TOPIC = 'spBv1.0/plant/NDATA/line-1'
const counted: string[] = []
const heard: string[] = []
const opened: { end(isForced?: boolean): unknown }[] = []
const metrics = {
  count: (name: string, __?: number, labels?: Readonly<Record<string, string>>) =>
    void counted.push(labels?.reason ?? name),
  gauge: () => undefined,
}
const hash = hashGeneratedSecret('right')
let broker: EmbeddedBroker

async function start(limits: Partial<BrokerLimits>): Promise<void> {
  broker = await startBroker({
    ...{ host: '127.0.0.1', port: 0, clock: Date.now, log: silentLog, metrics, limits },
    secretHash: ({ edge }) => (edge === 'line-1' || edge === 'line-2' ? hash : undefined),
  })
  await broker.consume((_, payload) => void heard.push(payload.toString('latin1')))
  for (const edge of ['line-1', 'line-2']) await broker.subscribeEdge({ group: 'plant', edge })
}

function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const base = { username: 'plant/line-1', password: 'right', protocolVersion: 4 as const, reconnectPeriod: 0 }
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { ...base, ...options })
  opened.push(client)
  return new Promise((resolve, reject) => {
    client.on('connect', () => resolve(client))
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed')))
  })
}

async function socket(): Promise<Socket> {
  const one = dial(broker.port, '127.0.0.1')
  opened.push({ end: () => one.destroy() })
  one.on('error', () => undefined)
  await once(one, 'connect')
  return one
}

const gone = (one: Socket) => new Promise<void>((resolve) => one.once('close', () => resolve()))
const bytesOf = (packet: Packet) => generate(packet, { protocolVersion: 4 })
const CONNECT = bytesOf({
  ...{ cmd: 'connect', clientId: 'box', clean: true, keepalive: 30, protocolId: 'MQTT', protocolVersion: 4 },
  ...{ username: 'plant/line-1', password: Buffer.from('right') },
})
const publish = (payload: string | Buffer, qos: 0 | 1 | 2 = 0, messageId = 1) =>
  bytesOf({ cmd: 'publish', topic: TOPIC, payload, qos, retain: false, dup: false, ...(qos > 0 && { messageId }) })

beforeEach(() => {
  for (const list of [counted, heard]) list.length = 0
})
afterEach(async () => {
  for (const one of opened.splice(0)) one.end(true)
  await broker?.close()
})

describe('a broker that holds its edges', () => {
  it('reads nothing until it lets go, and then all in order', async () => {
    await start({})
    const client = await connect()
    client.publish(TOPIC, 'before')
    await expect.poll(() => heard, PATIENT).toEqual(['before'])
    broker.hold(true)
    for (let i = 0; i < 50; i++) client.publish(TOPIC, `${i} ${'x'.repeat(10_000)}`)
    const another = await socket()
    expect(another.destroyed).toBe(false)
    expect(heard).toEqual(['before'])
    broker.hold(false)
    await expect.poll(() => heard.length, PATIENT).toBe(51)
    expect(heard.slice(1).map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })
})

describe('a broker that holds its edges again and again', () => {
  it('reads all that has come, also what lies in its buffer when nothing more comes', async () => {
    await start({})
    await broker.consume(() => {
      if (heard.length % 50 !== 0) return
      broker.hold(true)
      setTimeout(() => broker.hold(false), 20)
    })
    const one = await socket()
    one.write(CONNECT)
    await once(one, 'data')
    const some = Buffer.concat(Array.from({ length: 10 }, () => publish('x'.repeat(1800))))
    const sending = setInterval(() => one.write(some), 1)
    await expect.poll(() => heard.length, PATIENT).toBeGreaterThan(1000)
    clearInterval(sending)
    const sent = one.bytesWritten
    await expect.poll(() => CONNECT.length + (heard.length * some.length) / 10, PATIENT).toBe(sent)
  })
})

describe('a client that sends too much', () => {
  it('is read more slowly, and loses nothing and keeps its connection', async () => {
    await start({ messagesPerSecond: 1000 })
    const client = await connect()
    for (let i = 0; i < 3000; i++) client.publish(TOPIC, String(i))
    await expect.poll(() => heard.length, PATIENT).toBe(3000)
    expect(heard).toEqual(Array.from({ length: 3000 }, (_, i) => String(i)))
    expect(client.connected).toBe(true)
    expect(counted).toContain('mqtt_slowed_total')
  })

  it('is slowed by its bytes too', async () => {
    await start({ bytesPerSecond: 1_000_000 })
    const client = await connect()
    for (let i = 0; i < 30; i++) client.publish(TOPIC, Buffer.alloc(100_000, 'a'))
    await expect.poll(() => heard.length, PATIENT).toBe(30)
    expect(counted).toContain('mqtt_slowed_total')
  })

  it('takes its leave in order while it has to wait', async () => {
    await start({ messagesPerSecond: 1000 })
    const client = await connect({
      will: { topic: 'spBv1.0/plant/NDEATH/line-1', payload: Buffer.from('dead'), qos: 1, retain: false },
    })
    for (let i = 0; i < 2500; i++) client.publish(TOPIC, String(i))
    await client.endAsync()
    await expect.poll(() => heard.length, PATIENT).toBe(2500)
    await expect.poll(() => broker.connections(), PATIENT).toBe(0)
    expect(heard).not.toContain('dead')
  })

  it('is closed for a flood of pings', async () => {
    await start({ controlPacketsPerSecond: 10 })
    const one = await socket()
    one.write(CONNECT)
    await once(one, 'data')
    one.write(Buffer.concat(Array.from({ length: 200 }, () => bytesOf({ cmd: 'pingreq' }))))
    await gone(one)
    expect(counted).toEqual(['control-flood'])
  })

  it('gets as many subscriptions as an edge may need, and no more', async () => {
    await start({ subscriptions: 3 })
    const client = await connect()
    await client.subscribeAsync(['spBv1.0/plant/NCMD/line-1', 'spBv1.0/plant/DCMD/line-1/#', 'spBv1.0/STATE/andon'])
    await expect(client.subscribeAsync('spBv1.0/plant/DCMD/line-1/press')).rejects.toThrow()
    await client.subscribeAsync('spBv1.0/STATE/andon')
    expect(counted).toEqual(['too-many-subscriptions'])
  })

  it('may send at QoS 2, heard once, and is closed when it never ends what it began', async () => {
    await start({ unfinishedMessages: 5 })
    const client = await connect()
    await client.publishAsync(TOPIC, 'once', { qos: 2 })
    expect(heard).toEqual(['once'])
    const one = await socket()
    one.write(CONNECT)
    await once(one, 'data')
    one.write(Buffer.concat([publish('twice', 2, 9), publish('twice', 2, 9)]))
    await once(one, 'data')
    for (let id = 10; id < 30; id++) one.write(publish('x', 2, id))
    await gone(one)
    expect(heard.filter((text) => text === 'twice').length).toBeLessThan(3)
    expect(heard.filter((text) => text === 'x').length).toBeLessThan(6)
  })
})

describe('connections', () => {
  it('are as many as allowed, and a place given back is free again', async () => {
    await start({ connections: 1 })
    const first = await connect()
    await expect(connect({ username: 'plant/line-2' })).rejects.toThrow('closed')
    expect(counted).toEqual(['too-many-connections'])
    await first.endAsync()
    await expect.poll(() => broker.connections(), PATIENT).toBe(0)
    await connect({ username: 'plant/line-2' })
  })

  it('are as many of one address as allowed', async () => {
    await start({ connectionsPerAddress: 1 })
    await connect()
    await expect(connect({ username: 'plant/line-2' })).rejects.toThrow('closed')
    expect(counted).toEqual(['too-many-of-one-address'])
    const elsewhere = dial({ port: broker.port, host: '127.0.0.1', localAddress: '127.0.0.9' })
    opened.push({ end: () => elsewhere.destroy() })
    await once(elsewhere, 'connect')
    elsewhere.write(CONNECT)
    await once(elsewhere, 'data')
  })

  it('of a client that says nothing, or trickles its CONNECT, end in time', async () => {
    await start({ connectSeconds: 1 })
    const [silent, trickling] = [await socket(), await socket()]
    let at = 0
    const trickle = setInterval(() => trickling.write(CONNECT.subarray(at, ++at)), 200)
    await Promise.all([gone(silent), gone(trickling)])
    clearInterval(trickle)
    await expect.poll(() => broker.connections(), PATIENT).toBe(0)
  })

  it('without a keep-alive, or with a long one, end when nothing comes for the longest that is allowed', async () => {
    await start({ keepAliveSeconds: 1 })
    const [never, long] = [
      await connect({ keepalive: 0 }),
      await connect({ keepalive: 60_000, username: 'plant/line-2' }),
    ]
    const ends = [never, long].map((client) => new Promise<void>((resolve) => client.once('close', () => resolve())))
    await Promise.all(ends)
  })

  it('of an address with many wrong secrets are refused, but for those known to be right', async () => {
    await start({ failedSignIns: 3 })
    for (let i = 0; i < 4; i++) await connect({ password: 'wrong' }).catch(() => undefined)
    await expect(connect({ password: 'wrong' })).rejects.toThrow(/Server unavailable/)
    expect(counted.at(-1)).toBe('too-many-wrong-secrets')
    await connect()
  })
})

describe('the gate', () => {
  it('lets a burst of one address in, then the average, and forgets addresses', () => {
    let now = 0
    const gate = connectionGate(limitsWith({ newConnectionsPerSecond: 10 }), () => now)
    const enter = () => gate.enter('a')
    expect(Array.from({ length: 100 }, enter).filter(Boolean)).toEqual([])
    expect(enter()).toBe('connecting-too-fast')
    now += 300
    expect([enter(), enter()]).toEqual([undefined, undefined])
    expect(gate.connections).toBe(102)
  })

  it('trusts an address again when the wrong secrets stop', () => {
    let now = 0
    const gate = connectionGate(limitsWith({ failedSignIns: 2 }), () => now)
    for (let i = 0; i < 3; i++) gate.fail('a')
    expect([gate.isSuspect('a'), gate.isSuspect('b')]).toEqual([true, false])
    now += 60_000
    expect(gate.isSuspect('a')).toBe(false)
  })
})

describe('a bucket', () => {
  it('answers how long a debt takes', () => {
    const bucket = new Bucket(100, 200, 0)
    expect(bucket.take(200, 0)).toBe(0)
    expect(bucket.take(50, 0)).toBe(500)
    expect(bucket.take(0, 500)).toBe(0)
    expect(bucket.isFull(500)).toBe(false)
    expect(bucket.isFull(2500)).toBe(true)
  })
})

describe('the book of refusals', () => {
  it('tells each fault of each sender once in five minutes, with the number since', () => {
    let now = 0
    const lines: { reason: string; sender: string; sinceLastLine?: number }[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
    const refuse = refusals(log, metrics, () => now)
    for (let i = 0; i < 10; i++) refuse('too-long', 'a')
    refuse('too-long', 'b')
    now += 300_001
    refuse('too-long', 'a')
    expect(lines.map(({ sender, sinceLastLine }) => [sender, sinceLastLine])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['a', 9],
    ])
    expect(counted).toHaveLength(12)
  })
})

describe('the hash of a secret', () => {
  it.each([
    ['chosen by a person', (secret: string) => hashEdgeSecret(secret)],
    ['made by the product', async (secret: string) => hashGeneratedSecret(secret)],
  ])('%s fits it alone', async (_, make) => {
    const hashed = await make('correct horse')
    expect(hashed).not.toContain('correct')
    expect(await isEdgeSecret('correct horse', hashed)).toBe(true)
    expect(await isEdgeSecret('correct hors', hashed)).toBe(false)
    expect(await isEdgeSecret('', 'sha256$$')).toBe(false)
  })
})

describe('a stream of bytes', () => {
  it('is the same to the broker however it is cut', async () => {
    await start({})
    const sizes = fc.array(fc.nat({ max: 700 }), { minLength: 1, maxLength: 30 })
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(
        sizes,
        cuts,
        fc.array(fc.nat({ max: 1 }), { minLength: 30, maxLength: 30 }),
        async (all, at, qos) => {
          heard.length = 0
          const sent = all.map((size, i) => `${i}:${'x'.repeat(size)}`)
          const stream = Buffer.concat(sent.map((text, i) => publish(text, qos[i] === 1 ? 1 : 0, i + 1)))
          const one = await socket()
          one.resume().write(CONNECT)
          for (let from = 0, i = 0; from < stream.length; i++) {
            const to = from + (at[i % at.length] ?? 1)
            one.write(stream.subarray(from, to))
            from = to
            if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
          }
          await expect.poll(() => heard.length, PATIENT).toBe(sent.length)
          expect([...heard].sort()).toEqual([...sent].sort())
          one.destroy()
        },
      ),
      { numRuns: 25 },
    )
  })

  it('never brings the broker down, whatever it holds', async () => {
    await start({ connectSeconds: 1, newConnectionsPerSecond: 100_000 })
    const packets: Buffer[] = [
      CONNECT,
      publish('x'),
      publish('y', 1, 7),
      publish('z', 2, 8),
      bytesOf({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'spBv1.0/plant/NCMD/line-1', qos: 1 }] }),
      bytesOf({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['a/#'] }),
      bytesOf({ cmd: 'pubrel', messageId: 8 }),
      bytesOf({ cmd: 'puback', messageId: 1 }),
      bytesOf({ cmd: 'pingreq' }),
      bytesOf({ cmd: 'disconnect' }),
    ]
    const pieces = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...packets) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
      ),
      { minLength: 1, maxLength: 12 },
    )
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(pieces, damage, fc.boolean(), async (parts, flips, isAdmitted) => {
        const stream = Buffer.concat(parts)
        for (const [at, value] of flips) stream[at % stream.length] = value
        const one = await socket()
        if (isAdmitted) one.write(CONNECT)
        one.resume().end(stream)
        await gone(one)
      }),
      { numRuns: 200 },
    )
    const client = await connect({ clientId: 'after' })
    heard.length = 0
    await client.publishAsync(TOPIC, 'alive', { qos: 1 })
    expect(heard).toEqual(['alive'])
  })
})
