import mqtt, { type MqttClient } from 'mqtt'
import type { SparkplugType } from '#shared/sparkplug/datatype.ts'
import {
  ACK_OFFSET,
  BD_SEQ,
  EPOCH,
  FIRST_OFFSET,
  GAP,
  HEARTBEAT,
  LAST_OFFSET,
  PROFILE,
  REBIRTH,
  UNIT_PROPERTY,
} from '#shared/sparkplug/metric-names.ts'
import { decodePayload, encodePayload, type OutgoingMetric, type OutgoingPayload } from '#shared/sparkplug/payload.ts'
import { commandFilters, formatTopic, type NodeMessage } from '#shared/sparkplug/topics.ts'

/** A tag that the scripted edge announces; `alias` is unique in the edge. */
export interface ScriptedTag {
  readonly tag: string
  readonly alias: number
  readonly type: SparkplugType
  readonly unit?: string
  readonly value?: OutgoingMetric['value']
}

export interface ScriptedSample {
  readonly alias: number
  readonly type: SparkplugType
  readonly at: number
  readonly value: OutgoingMetric['value']
  readonly properties?: OutgoingMetric['properties']
}

export interface ScriptedEdgeOptions {
  readonly port: number
  readonly group: string
  readonly edge: string
  readonly secret: string
  /** Absent: a third-party edge. */
  readonly epoch?: bigint
  readonly bdSeq?: number
}

/** An edge on the wire that does exactly what a test tells it, faults included. Aliases below 10 are its own. */
export interface ScriptedEdge {
  /** Acknowledged offsets of this epoch, in the order received. */
  readonly acks: readonly { readonly epoch: bigint; readonly offset: bigint }[]
  readonly rebirths: () => number
  seq: number
  birth(first: bigint, last: bigint): Promise<void>
  deviceBirth(device: string, tags: readonly ScriptedTag[], options?: { profile?: string; at?: number }): Promise<void>
  /** DDATA of a device; with `first`, as samples of the journal. */
  data(device: string, samples: readonly ScriptedSample[], first?: bigint): Promise<void>
  gap(offset: bigint, record: object): Promise<void>
  heartbeat(): Promise<void>
  death(device: string): Promise<void>
  raw(message: NodeMessage, payload: Uint8Array): Promise<void>
  /** Cuts the line, so that the will is published. */
  cut(): Promise<void>
  close(): Promise<void>
}

const ALIAS = { [FIRST_OFFSET]: 1, [LAST_OFFSET]: 2, [GAP]: 3, [HEARTBEAT]: 4 }

/** Connects and subscribes; births are the test's to send. */
export async function connectScriptedEdge(options: ScriptedEdgeOptions): Promise<ScriptedEdge> {
  const { group, edge, epoch, bdSeq = 0 } = options
  const death = { metrics: [{ name: BD_SEQ, type: 'int64', isTyped: true, value: BigInt(bdSeq) }] } as const
  const client = await connected(options, Buffer.from(encodePayload(death)))
  const acks: { epoch: bigint; offset: bigint }[] = []
  let rebirths = 0
  client.on('message', (_, bytes) => {
    const payload = decodePayload(bytes)
    const named = (name: string) => {
      for (let i = 0; i < payload.count; i++) if (payload.name(i) === name) return i
      return -1
    }
    if (named(REBIRTH) >= 0) rebirths += 1
    const [of, ack] = [named(EPOCH), named(ACK_OFFSET)]
    if (of < 0 || ack < 0) return
    acks.push({ epoch: payload.valueAs(of, 'uint64') as bigint, offset: payload.valueAs(ack, 'uint64') as bigint })
  })
  await client.subscribeAsync([...commandFilters(group, edge)])
  const publish = (topic: string, bytes: Uint8Array) => client.publishAsync(topic, Buffer.from(bytes), { qos: 1 })
  const node = (message: NodeMessage, payload: OutgoingPayload) =>
    publish(formatTopic({ message, group, edge }), encodePayload(payload)).then(() => undefined)
  const device = (message: 'DBIRTH' | 'DDATA' | 'DDEATH', name: string, payload: OutgoingPayload) =>
    publish(formatTopic({ message, group, edge, device: name }), encodePayload(payload)).then(() => undefined)
  const self: ScriptedEdge = {
    acks,
    rebirths: () => rebirths,
    seq: 0,
    birth(first, last) {
      self.seq = 0
      const timestamp = Date.now()
      const metrics: OutgoingMetric[] = [
        { name: BD_SEQ, type: 'int64', isTyped: true, timestamp, value: BigInt(bdSeq) },
        { name: REBIRTH, type: 'boolean', isTyped: true, timestamp, value: false },
      ]
      if (epoch !== undefined) metrics.push(...nodeMetrics(epoch, first, last))
      return node('NBIRTH', { timestamp: Date.now(), seq: 0, metrics })
    },
    deviceBirth(name, tags, { profile, at = Date.now() } = {}) {
      const metrics: OutgoingMetric[] = tags.map((tag) => bornTag(tag, at))
      if (profile) metrics.push({ name: PROFILE, type: 'string', isTyped: true, timestamp: at, value: profile })
      if (epoch !== undefined) metrics.push(...offsetMetrics(null, null, true))
      return device('DBIRTH', name, { timestamp: Date.now(), seq: next(self), metrics })
    },
    data(name, samples, first) {
      const metrics: OutgoingMetric[] = samples.map(({ at, ...sample }) => ({ ...sample, timestamp: at }))
      if (first !== undefined) metrics.push(...offsetMetrics(first, first + BigInt(samples.length) - 1n, false))
      return device('DDATA', name, { timestamp: Date.now(), seq: next(self), metrics })
    },
    gap(offset, record) {
      const gap: OutgoingMetric = {
        alias: ALIAS[GAP],
        type: 'string',
        timestamp: Date.now(),
        value: JSON.stringify(record),
      }
      return node('NDATA', {
        timestamp: Date.now(),
        seq: next(self),
        metrics: [gap, ...offsetMetrics(offset, offset, false)],
      })
    },
    heartbeat: () =>
      node('NDATA', {
        timestamp: Date.now(),
        seq: next(self),
        metrics: [{ alias: ALIAS[HEARTBEAT], type: 'datetime', timestamp: Date.now(), value: Date.now() }],
      }),
    death: (name) => device('DDEATH', name, { timestamp: Date.now(), seq: next(self), metrics: [] }),
    raw: (message, payload) => publish(formatTopic({ message, group, edge }), payload).then(() => undefined),
    cut: () =>
      new Promise((resolve) => {
        client.once('close', () => resolve())
        client.stream.destroy()
      }),
    close: () => client.endAsync(true),
  }
  return self
}

function connected({ port, group, edge, secret }: ScriptedEdgeOptions, will: Buffer): Promise<MqttClient> {
  const client = mqtt.connect({
    host: '127.0.0.1',
    port,
    username: `${group}/${edge}`,
    password: secret,
    protocolVersion: 4,
    reconnectPeriod: 0,
    will: { topic: formatTopic({ message: 'NDEATH', group, edge }), payload: will, qos: 1, retain: false },
  })
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.once('error', reject)
  })
}

function next(edge: ScriptedEdge): number {
  edge.seq = (edge.seq + 1) & 0xff
  return edge.seq
}

const offsetMetrics = (first: bigint | null, last: bigint | null, isBirth: boolean): OutgoingMetric[] =>
  [
    { name: FIRST_OFFSET, value: first },
    { name: LAST_OFFSET, value: last },
  ].map(({ name, value }) => ({
    ...(isBirth ? { name, isTyped: true } : {}),
    alias: ALIAS[name as typeof FIRST_OFFSET],
    timestamp: Date.now(),
    type: 'uint64',
    value,
    isTransient: true,
  }))

const nodeMetrics = (epoch: bigint, first: bigint, last: bigint): OutgoingMetric[] => [
  ...[
    { name: EPOCH, type: 'uint64', value: epoch } as const,
    { name: ACK_OFFSET, type: 'uint64', value: first - 1n } as const,
    { name: GAP, alias: ALIAS[GAP], type: 'string', value: null } as const,
    { name: HEARTBEAT, alias: ALIAS[HEARTBEAT], type: 'datetime', value: Date.now() } as const,
  ].map((metric) => ({ ...metric, isTyped: true, timestamp: Date.now() })),
  ...offsetMetrics(first, last, true),
]

const bornTag = ({ tag, alias, type, unit, value = null }: ScriptedTag, at: number): OutgoingMetric => ({
  name: tag,
  alias,
  type,
  isTyped: true,
  timestamp: at,
  value,
  properties: {
    ...(unit === undefined ? {} : { [UNIT_PROPERTY]: { type: 'string', value: unit } }),
    ...(value === null ? { Quality: { type: 'int32', value: 500 } } : {}),
  },
})
