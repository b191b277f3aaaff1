import mqtt, { type MqttClient } from 'mqtt'
import { encodePayload, type OutgoingMetric } from '#shared/sparkplug/payload.ts'
import { GROUP, LIVE_EVERY_MS, TAGS, type Task } from './plan.ts'

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

process.once('message', (task) => generate(task as Task))
