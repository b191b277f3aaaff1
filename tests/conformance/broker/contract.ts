import type { IClientOptions, MqttClient } from 'mqtt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Broker, HostState } from '#cloud/pipeline/broker/broker.ts'
import { formatTopic, type NodeMessage } from '#shared/sparkplug/topics.ts'

/** One adapter of the broker port, with a way in for edges. */
export interface BrokerUnderTest {
  readonly broker: Broker
  /** Connects as an edge of the group `plant` that the broker admits: line-1, line-2 or line-3. */
  connect(edge: string, options?: IClientOptions): Promise<MqttClient>
  close(): Promise<void>
}

const PATIENT = { timeout: 15_000 }
export const nodeTopic = (message: NodeMessage, edge = 'line-1'): string =>
  formatTopic({ message, group: 'plant', edge })
const edgeOf = (edge: string) => ({ group: 'plant', edge })

/** What every adapter of the broker port promises; the same tests for each. */
export function brokerContract(name: string, start: () => Promise<BrokerUnderTest>): void {
  describe(`the broker port on ${name}`, () => {
    let under: BrokerUnderTest
    let broker: Broker
    const heard: string[] = []
    const heardFrom = (edge: string) => heard.filter((line) => line.includes(`/${edge}`))

    beforeEach(async () => {
      heard.length = 0
      under = await start()
      broker = under.broker
      await broker.consume((topic, payload) => void heard.push(`${formatTopic(topic)} ${payload.toString()}`))
      await Promise.all(['line-1', 'line-2'].map((edge) => broker.subscribeEdge(edgeOf(edge))))
    })

    afterEach(async () => {
      await under.close()
    })

    it('hands over each message of a subscribed edge once and in order, whatever its QoS', async () => {
      const edge = await under.connect('line-1')
      await edge.publishAsync(nodeTopic('NBIRTH'), 'born')
      for (let i = 0; i < 200; i++) edge.publish(nodeTopic('NDATA'), String(i))
      await edge.publishAsync('spBv1.0/plant/DBIRTH/line-1/press', 'd', { qos: 1 })
      await edge.publishAsync('spBv1.0/plant/DDATA/line-1/press', 'e', { qos: 1 })
      await expect.poll(() => heard.length, PATIENT).toBe(203)
      const data = Array.from({ length: 200 }, (_, i) => `spBv1.0/plant/NDATA/line-1 ${i}`)
      expect(heard).toEqual([
        'spBv1.0/plant/NBIRTH/line-1 born',
        ...data,
        'spBv1.0/plant/DBIRTH/line-1/press d',
        'spBv1.0/plant/DDATA/line-1/press e',
      ])
    })

    it('hands over payloads as they were, of any length', async () => {
      const payloads: Buffer[] = []
      await broker.consume((_, payload) => void payloads.push(Buffer.from(payload)))
      const edge = await under.connect('line-1')
      const sent = [0, 1, 127, 128, 16_383, 16_384, 300_000].map((size) => Buffer.alloc(size, size % 251))
      for (const payload of sent) await edge.publishAsync(nodeTopic('NDATA'), payload, { qos: 1 })
      await expect.poll(() => payloads.length, PATIENT).toBe(sent.length)
      expect(payloads.every((payload, i) => sent[i]?.equals(payload))).toBe(true)
    })

    it('hands over nothing of an edge before it is subscribed to and after it no longer is', async () => {
      const edge = await under.connect('line-3')
      await edge.publishAsync(nodeTopic('NDATA', 'line-3'), 'early', { qos: 1 })
      await broker.subscribeEdge(edgeOf('line-3'))
      await edge.publishAsync(nodeTopic('NDATA', 'line-3'), 'in time', { qos: 1 })
      await expect.poll(() => heardFrom('line-3'), PATIENT).toEqual(['spBv1.0/plant/NDATA/line-3 in time'])
      await broker.unsubscribeEdge(edgeOf('line-3'))
      await edge.publishAsync(nodeTopic('NDATA', 'line-3'), 'late', { qos: 1 })
      const other = await under.connect('line-2')
      await other.publishAsync(nodeTopic('NDATA', 'line-2'), 'after it', { qos: 1 })
      await expect.poll(() => heardFrom('line-2'), PATIENT).toHaveLength(1)
      expect(heardFrom('line-3')).toEqual(['spBv1.0/plant/NDATA/line-3 in time'])
    })

    it('hands over the death of an edge whose connection broke', async () => {
      const will = { topic: nodeTopic('NDEATH'), payload: Buffer.from('dead'), qos: 1 as const, retain: false }
      const edge = await under.connect('line-1', { will })
      edge.stream.destroy()
      await expect.poll(() => heard, PATIENT).toEqual(['spBv1.0/plant/NDEATH/line-1 dead'])
    })

    it('says nothing of an edge that took its leave', async () => {
      const will = { topic: nodeTopic('NDEATH'), payload: Buffer.from('dead'), qos: 1 as const, retain: false }
      const edge = await under.connect('line-1', { will })
      await edge.endAsync()
      const other = await under.connect('line-2')
      await other.publishAsync(nodeTopic('NDATA', 'line-2'), 'x', { qos: 1 })
      await expect.poll(() => heard, PATIENT).toEqual(['spBv1.0/plant/NDATA/line-2 x'])
    })

    it('takes commands to the edge they are for, and never hears them itself', async () => {
      const got: string[] = []
      const [one, two] = [await under.connect('line-1'), await under.connect('line-2')]
      one.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
      two.on('message', (topic) => got.push(`${topic} at line-2`))
      await one.subscribeAsync([nodeTopic('NCMD'), 'spBv1.0/plant/DCMD/line-1/#'], { qos: 1 })
      await two.subscribeAsync(nodeTopic('NCMD', 'line-2'), { qos: 1 })
      await broker.publish(nodeTopic('NCMD'), Buffer.from('ack'), { qos: 0, retain: false })
      await broker.publish('spBv1.0/plant/DCMD/line-1/press', Buffer.from('set'), { qos: 1, retain: false })
      await expect.poll(() => got.length, PATIENT).toBe(2)
      expect(got).toEqual(['spBv1.0/plant/NCMD/line-1 ack', 'spBv1.0/plant/DCMD/line-1/press set'])
      expect(heard).toEqual([])
    })

    it('publishes to nobody without complaint', async () => {
      await expect(
        broker.publish(nodeTopic('NCMD'), Buffer.from('x'), { qos: 0, retain: false }),
      ).resolves.toBeUndefined()
      await expect(
        broker.publish(nodeTopic('NCMD'), Buffer.from('x'), { qos: 1, retain: false }),
      ).resolves.toBeUndefined()
    })

    it('tells whoever asks later that the host is online, and offline once it is released, both retained', async () => {
      const before = Date.now()
      await broker.holdState('andon')
      const first = await stateSeenBy(await under.connect('line-1'))
      expect(first.state.online).toBe(true)
      expect(first.state.timestamp).toBeGreaterThanOrEqual(before - 1000)
      expect(first.retained).toBe(true)
      await broker.releaseState()
      const last = await stateSeenBy(await under.connect('line-2'))
      expect(last.state.online).toBe(false)
      expect(last.state.timestamp).toBeGreaterThanOrEqual(first.state.timestamp)
    })

    it('lets a process watch the STATE of a host, the present one first', async () => {
      await broker.holdState('andon')
      const states: boolean[] = []
      await broker.watchState('andon', ({ online }) => void states.push(online))
      await expect.poll(() => states, PATIENT).toContain(true)
      await broker.releaseState()
      await expect.poll(() => states.at(-1), PATIENT).toBe(false)
    })

    it('has no fault while it works, and closes twice', async () => {
      expect(broker.fault()).toBeUndefined()
      await broker.close()
      await broker.close()
    })
  })
}

/** Subscribes to STATE and answers the first that comes. */
export async function stateSeenBy(client: MqttClient): Promise<{ state: HostState; retained: boolean }> {
  const seen = new Promise<{ state: HostState; retained: boolean }>((resolve) => {
    client.once('message', (_, payload, packet) =>
      resolve({ state: JSON.parse(payload.toString()), retained: packet.retain }),
    )
  })
  await client.subscribeAsync('spBv1.0/STATE/andon', { qos: 1 })
  return await seen
}
