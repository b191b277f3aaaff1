import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generate, type Packet } from 'mqtt-packet'
import { BD_SEQ, REBIRTH } from '#shared/sparkplug/metric-names.ts'
import { encodePayload } from '#shared/sparkplug/payload.ts'
import { commandFilters, formatTopic } from '#shared/sparkplug/topics.ts'
import { SECRET } from '../ingest/cloud.ts'
import { edgeName } from '../ingest/plan.ts'
import { GROUP, type Plan } from './plan.ts'

/** Edges that share one source address; a loopback address has 28,000 ports, and the broker takes 2,000 of one address. */
const PER_ADDRESS = 1000
const AT_ONCE = 50
/** A live edge that has nothing to say pings once in this time. */
const KEEP_ALIVE_SECONDS = 60

/** Connects the edges, a few at a time, and keeps them; tells the parent how many stand. */
async function generateEdges(plan: Plan): Promise<void> {
  let [next, connected, failed] = [0, 0, 0]
  const worker = async () => {
    while (next < plan.edges) {
      const edge = next++
      if (await openEdge(plan, edge)) connected += 1
      else failed += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  process.send?.({ connected, failed })
}

/** An edge from CONNECT to its birth; afterwards it only pings. */
async function openEdge(plan: Plan, index: number): Promise<boolean> {
  const edge = edgeName(index)
  const socket = dial(plan, `127.0.0.${10 + Math.floor(index / PER_ADDRESS)}`)
  const answered = new Promise<boolean>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk[0] === 0x20 && chunk[3] === 0))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
  socket.write(bytesOf(connectPacket(edge)))
  if (!(await answered)) return false
  socket.resume()
  const subscriptions = commandFilters(GROUP, edge).map((topic) => ({ topic, qos: 1 as const }))
  socket.write(bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions }))
  socket.write(bytesOf(birthPacket(edge)))
  setInterval(() => socket.write(bytesOf({ cmd: 'pingreq' })), (KEEP_ALIVE_SECONDS - 10) * 1000)
  return true
}

function dial({ port, isTls }: Plan, localAddress: string): Socket {
  const where = { port, host: '127.0.0.1', localAddress, noDelay: true }
  // The cloud's own authority is not known here; the cost is the same.
  return isTls ? connectTls({ ...where, rejectUnauthorized: false }) : connectPlain(where)
}

const bytesOf = (packet: Packet): Buffer => generate(packet, { protocolVersion: 4 })

function connectPacket(edge: string): Packet {
  const death = encodePayload({ timestamp: Date.now(), metrics: [{ name: BD_SEQ, type: 'int64', value: 0n }] })
  const topic = formatTopic({ message: 'NDEATH', group: GROUP, edge })
  return {
    ...{ cmd: 'connect', clientId: edge, clean: true, protocolId: 'MQTT', protocolVersion: 4 },
    ...{ keepalive: KEEP_ALIVE_SECONDS, username: `${GROUP}/${edge}`, password: Buffer.from(SECRET) },
    will: { topic, payload: Buffer.from(death), qos: 1, retain: false },
  }
}

function birthPacket(edge: string): Packet {
  const timestamp = Date.now()
  const payload = encodePayload({
    ...{ timestamp, seq: 0 },
    metrics: [
      { name: BD_SEQ, type: 'int64', value: 0n, timestamp },
      { name: REBIRTH, type: 'boolean', value: false, timestamp },
      { name: 'Temperature', alias: 10, type: 'double', value: 21.5, timestamp },
    ],
  })
  const topic = formatTopic({ message: 'NBIRTH', group: GROUP, edge })
  return { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain: false, dup: false }
}

process.once('message', (plan) => void generateEdges(plan as Plan))
