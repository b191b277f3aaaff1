import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import mqtt, { type MqttClient } from 'mqtt'
import { generate, type IConnectPacket, type IPublishPacket, parser } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Broker, BrokerUnavailableError } from '#cloud/pipeline/broker/broker.ts'
import { connectBroker, type ExternalOptions } from '#cloud/pipeline/broker/external.ts'
import { type Authority, openAuthority } from '#cloud/platform/certificates/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Mosquitto, mosquittoProgram, startMosquitto } from '#tests/support/mosquitto.ts'
import { nodeTopic, stateSeenBy } from './contract.ts'
import { type Recorder, startRecorder } from './recorder.ts'

const PATIENT = { timeout: 15_000 }
const STATE = 'spBv1.0/STATE/andon'
const LINE = { group: 'plant', edge: 'line-1' }
const SOON = { firstMs: 20, mostMs: 100 }
const closing: (() => unknown)[] = []
const hostProgram = fileURLToPath(new URL('../../support/mqtt-host.ts', import.meta.url))

/** As in the README of the broker's folder. */
const EXAMPLE_ACL = [
  'user andon',
  'topic readwrite spBv1.0/#',
  ...['line-1', 'line-2'].flatMap((edge) => [
    `user plant/${edge}`,
    `topic write spBv1.0/plant/+/${edge}/#`,
    `topic read spBv1.0/plant/NCMD/${edge}/#`,
    `topic read spBv1.0/plant/DCMD/${edge}/#`,
    'topic read spBv1.0/STATE/+',
  ]),
]

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function external(port: number, more: Partial<ExternalOptions> = {}): Promise<Broker> {
  const address = { url: `mqtt://127.0.0.1:${port}` }
  const broker = await connectBroker({ address, clock: Date.now, log: silentLog, backOff: SOON, ...more })
  closing.push(() => broker.close())
  return broker
}

describe.skipIf(!mosquittoProgram())('a host on mosquitto', () => {
  let server: Mosquitto
  let recorder: Recorder
  beforeAll(async () => {
    server = await startMosquitto()
  })
  beforeEach(async () => {
    recorder = await startRecorder(server.port)
    closing.push(() => recorder.close())
    const cleaner = await client()
    await cleaner.publishAsync(STATE, '', { qos: 1, retain: true })
  })
  afterAll(() => server.close())

  async function client(): Promise<MqttClient> {
    const one = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, { protocolVersion: 5, reconnectPeriod: 0 })
    closing.push(() => one.end(true))
    return one
  }
  const connects = () => recorder.sent.filter((packet): packet is IConnectPacket => packet.cmd === 'connect')
  const publishes = () => recorder.sent.filter((packet): packet is IPublishPacket => packet.cmd === 'publish')
  const stateOf = (payload: unknown) => JSON.parse(String(payload)) as { online: boolean; timestamp: number }

  it('connects clean, with the death of STATE as its will (message-flow-phid-sparkplug-clean-session-50, operational-behavior-host-application-connect-will-*, host-topic-phid-death-*)', async () => {
    const before = Date.now()
    await external(recorder.port, { speaksFor: 'andon' })
    const [packet] = connects()
    expect(packet).toMatchObject({ protocolVersion: 5, clean: true, properties: { sessionExpiryInterval: 0 } })
    expect(packet?.will).toMatchObject({ topic: STATE, qos: 1, retain: true })
    const will = stateOf(packet?.will?.payload)
    expect(will.online).toBe(false)
    expect(will.timestamp).toBeGreaterThanOrEqual(before)
    expect(will.timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('is born after its subscriptions with the timestamp of its will (host-topic-phid-birth-*, message-flow-phid-sparkplug-subscription, -state-publish)', async () => {
    const broker = await external(recorder.port, { speaksFor: 'andon' })
    await broker.subscribeEdge(LINE)
    await broker.holdState('andon')
    const [birth] = publishes()
    expect(birth).toMatchObject({ topic: STATE, qos: 1, retain: true })
    const will = stateOf(connects()[0]?.will?.payload)
    expect(stateOf(birth?.payload)).toEqual({ online: true, timestamp: will.timestamp })
    const filters = recorder.sent.flatMap((p) => (p.cmd === 'subscribe' ? p.subscriptions.map((s) => s.topic) : []))
    expect(filters).toEqual([STATE, 'spBv1.0/plant/+/line-1/#'])
    const order = recorder.sent.map(({ cmd }) => cmd).filter((cmd) => cmd !== 'puback')
    expect(order).toEqual(['connect', 'subscribe', 'subscribe', 'publish'])
  })

  it('is told dead by the broker, with the timestamp of its birth, when its process is killed (host-topic-phid-death-required, payloads-state-will-message*)', async () => {
    const host = spawn(process.execPath, [hostProgram, `mqtt://127.0.0.1:${server.port}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    closing.push(() => killed(host))
    const [born] = (await once(createInterface({ input: host.stdout }), 'line')) as [string]
    const watcher = await client()
    const deaths: { online: boolean; timestamp: number }[] = []
    watcher.on('message', (_, payload) => deaths.push(stateOf(payload)))
    await watcher.subscribeAsync(STATE, { qos: 1 })
    await killed(host)
    await expect.poll(() => deaths.at(-1), PATIENT).toEqual({ online: false, timestamp: Number(born) })
    const later = await stateSeenBy(await client())
    expect(later).toEqual({ state: { online: false, timestamp: Number(born) }, retained: true })
  })

  it('leaves with a death of the present time and then DISCONNECT (host-topic-phid-death-payload-timestamp-disconnect-clean, operational-behavior-host-application-termination, -disconnect-intentional)', async () => {
    const broker = await external(recorder.port, { speaksFor: 'andon' })
    await broker.holdState('andon')
    const before = Date.now()
    await broker.releaseState()
    await broker.close()
    const death = publishes().at(-1)
    expect(death).toMatchObject({ topic: STATE, qos: 1, retain: true })
    expect(stateOf(death?.payload).online).toBe(false)
    expect(stateOf(death?.payload).timestamp).toBeGreaterThanOrEqual(before)
    await expect.poll(() => recorder.sent.at(-1)?.cmd, PATIENT).toBe('disconnect')
  })

  it('puts on its will by a new connection when it only later speaks for the host', async () => {
    const broker = await external(recorder.port)
    expect(connects()[0]?.will).toBeUndefined()
    await broker.holdState('andon')
    const seen = await stateSeenBy(await client())
    expect(seen.state).toEqual({ online: true, timestamp: stateOf(connects().at(-1)?.will?.payload).timestamp })
    expect(connects()).toHaveLength(2)
  })

  it('comes back after a lost connection: subscribed again, born again later, the fault told meanwhile', async () => {
    const broker = await external(recorder.port, { speaksFor: 'andon' })
    const heard: string[] = []
    const ups: boolean[] = []
    broker.onLink((isUp) => ups.push(isUp))
    await broker.consume((_, payload) => void heard.push(payload.toString()))
    await broker.subscribeEdge(LINE)
    await broker.holdState('andon')
    await server.stop()
    await expect.poll(() => broker.fault(), PATIENT).toMatch(/out of reach/)
    await expect(broker.publish(nodeTopic('NCMD'), Buffer.from('x'), { qos: 0, retain: false })).rejects.toThrow(
      BrokerUnavailableError,
    )
    await server.start()
    await expect.poll(() => broker.fault(), PATIENT).toBeUndefined()
    const edge = await client()
    await edge.publishAsync(nodeTopic('NDATA'), 'after', { qos: 1 })
    await expect.poll(() => heard, PATIENT).toEqual(['after'])
    const { state } = await stateSeenBy(edge)
    const timestamps = connects().map((packet) => stateOf(packet.will?.payload).timestamp)
    expect(state).toEqual({ online: true, timestamp: timestamps.at(-1) })
    expect(state.timestamp).toBeGreaterThan(timestamps[0] ?? 0)
    expect(ups).toEqual([false, true])
  })

  it('fails a message that was under way when the connection broke', async () => {
    const broker = await external(recorder.port)
    recorder.stall()
    const attempt = broker.publish(nodeTopic('NCMD'), Buffer.from('x'), { qos: 1, retain: false })
    recorder.cut()
    await expect(attempt).rejects.toThrow(BrokerUnavailableError)
  })

  it('fails commands instead of piling them up behind a broker that stands still', async () => {
    const broker = await external(recorder.port)
    recorder.stall()
    const attempts = Array.from({ length: 40 }, () =>
      broker.publish(nodeTopic('NCMD'), Buffer.alloc(1024 * 1024), { qos: 0, retain: false }).then(
        () => 'sent',
        () => 'failed',
      ),
    )
    recorder.cut()
    expect((await Promise.all(attempts)).filter((end) => end === 'failed').length).toBeGreaterThan(20)
  })

  it('answers a death that somebody else tells, be it older or newer than its birth', async () => {
    const broker = await external(recorder.port, { speaksFor: 'andon' })
    await broker.holdState('andon')
    const states: { online: boolean; timestamp: number }[] = []
    const other = await client()
    other.on('message', (_, payload) => states.push(stateOf(payload)))
    await other.subscribeAsync(STATE, { qos: 1 })
    const [birth] = publishes().map(({ payload }) => stateOf(payload))
    await other.publishAsync(STATE, '{"online":false,"timestamp":1}', { qos: 1, retain: true })
    await expect.poll(() => states.at(-1), PATIENT).toEqual(birth)
    const later = Date.now() + 60_000
    await other.publishAsync(STATE, `{"online":false,"timestamp":${later}}`, { qos: 1, retain: true })
    await expect.poll(() => states.at(-1), PATIENT).toEqual({ online: true, timestamp: later + 1 })
    expect(stateOf(connects().at(-1)?.will?.payload).timestamp).toBe(later + 1)
  })

  it('counts an edge nobody registered, once told, and ignores it', async () => {
    const reasons: (string | undefined)[] = []
    const metrics = {
      count: (_: string, __: number, labels?: Readonly<Record<string, string>>) => void reasons.push(labels?.reason),
      gauge: () => undefined,
    }
    const broker = await external(server.port, { isStranger: async ({ edge }) => edge === 'stranger', metrics })
    const heard: string[] = []
    await broker.consume((topic) => void heard.push(topic.message))
    await broker.subscribeEdge(LINE)
    const edge = await client()
    await edge.publishAsync(nodeTopic('NBIRTH', 'stranger'), 'x', { qos: 1 })
    await edge.publishAsync(nodeTopic('NBIRTH'), 'x', { qos: 1 })
    await edge.publishAsync(nodeTopic('NDATA'), 'x', { qos: 1 })
    await expect.poll(() => heard, PATIENT).toEqual(['NBIRTH', 'NDATA'])
    expect(reasons).toEqual(['unknown-edge'])
  })

  it('never takes a retained birth for a new one', async () => {
    const edge = await client()
    await edge.publishAsync(nodeTopic('NBIRTH'), 'old', { qos: 1, retain: true })
    const broker = await external(server.port)
    const heard: string[] = []
    await broker.consume((_, payload) => void heard.push(payload.toString()))
    await broker.subscribeEdge(LINE)
    await edge.publishAsync(nodeTopic('NDATA'), 'new', { qos: 1 })
    await expect.poll(() => heard, PATIENT).toEqual(['new'])
    await edge.publishAsync(nodeTopic('NBIRTH'), '', { qos: 1, retain: true })
  })

  it('subscribes to a thousand edges and finds them all again after a lost connection', async () => {
    const broker = await external(recorder.port)
    const heard = new Set<string>()
    await broker.consume((topic) => void ('edge' in topic && heard.add(topic.edge)))
    const names = Array.from({ length: 1000 }, (_, i) => `edge-${i}`)
    await Promise.all(names.map((edge) => broker.subscribeEdge({ group: 'plant', edge })))
    recorder.cut()
    await expect.poll(() => broker.fault(), PATIENT).toBeDefined()
    await expect.poll(() => broker.fault(), PATIENT).toBeUndefined()
    const edge = await client()
    for (const name of names) edge.publish(nodeTopic('NDATA', name), 'x', { qos: 1 })
    await expect.poll(() => heard.size, PATIENT).toBe(1000)
  })
})

describe.skipIf(!mosquittoProgram())('a mosquitto with passwords and rights', () => {
  let server: Mosquitto
  beforeAll(async () => {
    server = await startMosquitto({
      users: { andon: 'right', 'plant/line-1': 'secret', 'plant/line-2': 'secret' },
      acl: EXAMPLE_ACL,
    })
  })
  afterAll(() => server.close())
  const url = () => `mqtt://127.0.0.1:${server.port}`

  it('takes the host with its password, and a wrong one is a fault in words', async () => {
    const right = await external(server.port, { address: { url: url(), username: 'andon', password: 'right' } })
    expect(right.fault()).toBeUndefined()
    const wrong = await external(server.port, { address: { url: url(), username: 'andon', password: 'wrong' } })
    expect(wrong.fault()).toMatch(/Not authorized/)
  })

  it('holds edges to their own topics by the rights in the README', async () => {
    const host = await external(server.port, { address: { url: url(), username: 'andon', password: 'right' } })
    const heard: string[] = []
    await host.consume((topic, payload) => void heard.push(`${'edge' in topic && topic.edge} ${payload}`))
    for (const edge of ['line-1', 'line-2']) await host.subscribeEdge({ group: 'plant', edge })
    const edge = await mqtt.connectAsync(url(), { username: 'plant/line-1', password: 'secret', protocolVersion: 4 })
    closing.push(() => edge.end(true))
    const got: string[] = []
    edge.on('message', (topic) => got.push(topic))
    await edge.subscribeAsync(['spBv1.0/#'], { qos: 1 })
    await edge.publishAsync(nodeTopic('NDATA', 'line-2'), 'forged', { qos: 1 })
    await edge.publishAsync('spBv1.0/STATE/andon', 'forged', { qos: 1 })
    await edge.publishAsync(nodeTopic('NDATA', 'line-1'), 'own', { qos: 1 })
    await expect.poll(() => heard, PATIENT).toEqual(['line-1 own'])
    await host.publish(nodeTopic('NCMD', 'line-2'), Buffer.from('x'), { qos: 1, retain: false })
    await host.publish(nodeTopic('NCMD', 'line-1'), Buffer.from('x'), { qos: 1, retain: false })
    await expect.poll(() => got, PATIENT).toEqual([nodeTopic('NCMD', 'line-1')])
  })
})

describe.skipIf(!mosquittoProgram())('a mosquitto with TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'andon-external-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  let authority: Authority
  let server: Mosquitto
  beforeAll(async () => {
    authority = await openAuthority({ dir, clock: Date.now })
    const { certPem, keyPem = '' } = await authority.issueServer(['localhost', '127.0.0.1'])
    const clientRoot = file('root.crt', authority.rootPem)
    server = await startMosquitto({ tls: { cert: file('own.crt', certPem), key: file('own.key', keyPem), clientRoot } })
  })
  afterAll(async () => {
    await server.close()
    rmSync(dir, { recursive: true, force: true })
  })

  it('is reached with its authority and a client certificate, and not without either', async () => {
    const { certPem: cert, keyPem: key } = await authority.issueClient('urn:example:host:andon')
    const url = `mqtts://localhost:${server.port}`
    const good = await external(server.port, { address: { url, ca: authority.rootPem, cert, key } })
    expect(good.fault()).toBeUndefined()
    await expect(good.publish(nodeTopic('NCMD'), Buffer.from('x'), { qos: 1, retain: false })).resolves.toBeUndefined()
    const strange = await external(server.port, { address: { url, cert, key } })
    expect(strange.fault()).toMatch(/out of reach: .*(certificate|self-signed|issuer)/)
    const nameless = await external(server.port, { address: { url, ca: authority.rootPem } })
    expect(nameless.fault()).toMatch(/out of reach/)
  })
})

describe('an external broker that is not there', () => {
  it('is a fault that goes away when it comes', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await new Promise((done) => server.close(done))
    const broker = await external(port)
    expect(broker.fault()).toMatch(/out of reach: .*ECONNREFUSED/)
    await broker.holdState('andon')
    await expect(broker.subscribeEdge(LINE)).resolves.toBeUndefined()
  })

  it('does not hold up the end', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    // It accepts and says nothing: the attempt under way is given up by close().
    const opening = external(port, { connectTimeoutMs: 100 })
    const broker = await opening
    expect(broker.fault()).toMatch(/timeout/)
    await broker.close()
  })
})

describe('a flood at QoS 0', () => {
  it('passes through without gathering in memory', async () => {
    const count = 400
    const payload = Buffer.alloc(500_000)
    const flood = generate(
      { cmd: 'publish', topic: nodeTopic('NDATA'), payload, qos: 0, retain: false, dup: false },
      { protocolVersion: 5 },
    )
    const server = createServer((socket) => {
      const reader = parser({ protocolVersion: 5 })
      let left = count
      const pour = () => {
        while (left > 0) {
          left -= 1
          if (!socket.write(flood)) return void socket.once('drain', pour)
        }
      }
      reader.on('packet', (packet) => {
        if (packet.cmd === 'connect') {
          socket.write(generate({ cmd: 'connack', reasonCode: 0, sessionPresent: false }, { protocolVersion: 5 }))
        }
        if (packet.cmd !== 'subscribe') return
        const { messageId } = packet
        socket.write(generate({ cmd: 'suback', messageId, granted: [1] }, { protocolVersion: 5 }))
        pour()
      })
      socket.on('data', (bytes) => reader.parse(bytes as Buffer))
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const address = server.address()
    const broker = await external(typeof address === 'object' && address ? address.port : 0)
    let [heard, mostBytes] = [0, 0]
    const before = process.memoryUsage().arrayBuffers
    await broker.consume(() => {
      heard += 1
      if (heard % 20 === 0) mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before)
    })
    await broker.subscribeEdge(LINE)
    await expect.poll(() => heard, PATIENT).toBe(count)
    expect(mostBytes).toBeLessThan(100_000_000)
  })
})

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
