import mqtt, { type MqttClient } from 'mqtt'
import { type ProtoMetric, type ProtoPayloadObject, protoEncode } from './sparkplug-decoder.ts'

/** What an edge sends. */
export type EdgeMessage = 'NBIRTH' | 'NDATA' | 'NDEATH' | 'DBIRTH' | 'DDATA' | 'DDEATH'

/** A message that came to the edge: a command, or the STATE of a host. */
export interface Heard {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: number
  readonly retain: boolean
  /** ms since 1970 */
  readonly at: number
}

export interface WireEdgeOptions {
  readonly port: number
  readonly group: string
  readonly edge: string
  /** Absent where everybody may connect. */
  readonly secret?: string
  readonly bdSeq?: number
  /** What the will says; null: no will. */
  readonly will?: { readonly payload: ProtoPayloadObject; readonly qos: 0 | 1 } | null
  readonly onHeard?: (heard: Heard) => void
}

/** An edge node over a real MQTT client that encodes by protobufjs and says exactly what a test tells it. */
export interface WireEdge {
  readonly heard: readonly Heard[]
  /** Number of the next message. */
  seq: number
  /** Sends a payload as it is. */
  send(message: EdgeMessage, payload: ProtoPayloadObject, device?: string): Promise<void>
  /** Sends metrics with the present time and the next sequence number; NBIRTH starts at 0. */
  say(message: EdgeMessage, metrics: readonly ProtoMetric[], device?: string): Promise<void>
  subscribe(filter: string): Promise<void>
  /** Cuts the line, so that the will is published. */
  cut(): Promise<void>
  close(): Promise<void>
}

/** The bdSeq metric as it should be. */
export const bdSeqMetric = (bdSeq: number): ProtoMetric => ({
  name: 'bdSeq',
  timestamp: String(Date.now()),
  datatype: 4,
  long_value: String(bdSeq),
})

/** Node Control/Rebirth as an NBIRTH should have it. */
export const rebirthMetric = (): ProtoMetric => ({
  name: 'Node Control/Rebirth',
  timestamp: String(Date.now()),
  datatype: 11,
  boolean_value: false,
})

/** Connects and subscribes to its commands; births are the test's to send. */
export async function connectWireEdge(options: WireEdgeOptions): Promise<WireEdge> {
  const { group, edge, bdSeq = 0 } = options
  const client = await connected(options, bdSeq)
  const heard: Heard[] = []
  client.on('message', (topic, payload, { qos, retain }) => {
    const message = { topic, payload, qos, retain, at: Date.now() }
    heard.push(message)
    options.onHeard?.(message)
  })
  await client.subscribeAsync([`spBv1.0/${group}/NCMD/${edge}`, `spBv1.0/${group}/DCMD/${edge}/#`], { qos: 1 })
  const self: WireEdge = {
    heard,
    seq: 0,
    async send(message, payload, device) {
      const topic = `spBv1.0/${group}/${message}/${edge}${device === undefined ? '' : `/${device}`}`
      await client.publishAsync(topic, Buffer.from(protoEncode(payload)), { qos: 0 })
    },
    async say(message, metrics, device) {
      if (message === 'NBIRTH') self.seq = 0
      const seq = self.seq
      self.seq = (seq + 1) % 256
      await self.send(message, { timestamp: String(Date.now()), seq: String(seq), metrics: [...metrics] }, device)
    },
    subscribe: async (filter) => void (await client.subscribeAsync(filter, { qos: 1 })),
    cut: () =>
      new Promise((resolve) => {
        client.once('close', () => resolve())
        client.stream.destroy()
      }),
    close: () => client.endAsync(true),
  }
  return self
}

function connected(options: WireEdgeOptions, bdSeq: number): Promise<MqttClient> {
  const { port, group, edge, secret } = options
  const will =
    options.will === undefined ? { payload: { metrics: [bdSeqMetric(bdSeq)] }, qos: 1 as const } : options.will
  return mqtt.connectAsync({
    host: '127.0.0.1',
    port,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...(secret === undefined ? {} : { username: `${group}/${edge}`, password: secret }),
    ...(will && {
      will: {
        topic: `spBv1.0/${group}/NDEATH/${edge}`,
        payload: Buffer.from(protoEncode(will.payload)),
        qos: will.qos,
        retain: false,
      },
    }),
  })
}
