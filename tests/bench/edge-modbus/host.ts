/**
 * A broker and host in a process of their own: takes what the edge sends, acknowledges it every half second, and compares
 * each value with what the simulator showed in the period of its source time.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import mqtt from 'mqtt-packet'
import { AliasTable } from '#shared/sparkplug/alias-table.ts'
import { DataColumns } from '#shared/sparkplug/columns.ts'
import { readData } from '#shared/sparkplug/data-columns.ts'
import {
  ACK_OFFSET,
  COMMAND_ID,
  COMMAND_RESULT,
  EPOCH,
  FIRST_OFFSET,
  LAST_OFFSET,
} from '#shared/sparkplug/metric-names.ts'
import { decodePayload, encodePayload, type OutgoingMetric, type Payload } from '#shared/sparkplug/payload.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { deviceName, EDGE, GROUP, type HostCounts, type Load, placeOf, SETPOINT, valueAt } from './plan.ts'

const ACK_EVERY_MS = 500
const LATE_SECONDS = 2
const OLDEST_SECONDS = 60
const columns = new DataColumns()
const tables = new Map<string, AliasTable>()
const committed = new RangeSet()
const counts = { received: 0, compared: 0, wrong: 0, late: 0, duplicated: 0, bad: 0 }
/** Commands under way: when each left, on the monotonic clock. */
const asked = new Map<string, number>()
const resultAliases = new Map<string, number>()
const writeMs: number[] = []
let load: Load | undefined
let base = 1n
let epoch = 0n
let client: Socket | undefined

const server = createServer({ noDelay: true }, (socket) => {
  const parser = mqtt.parser({ protocolVersion: 4 })
  socket.on('error', () => socket.destroy())
  parser.on('packet', (packet) => hear(socket, packet))
  socket.on('data', (chunk: Buffer) => void parser.parse(chunk))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.({ type: 'ready', port: (server.address() as AddressInfo).port })
process.on('disconnect', () => process.exit(0))
process.on('message', (message: { type: 'load'; load: Load } | { type: 'count' }) => {
  if (message.type === 'count') {
    const told: HostCounts = { ...counts, writeMs: [...writeMs], writesOpen: asked.size }
    process.send?.({ type: 'counts', counts: told })
    return
  }
  load = message.load
  if (load.writesPerSecond) setInterval(writeNext, 1000 / load.writesPerSecond, { at: 0 })
})
setInterval(acknowledge, ACK_EVERY_MS)

function hear(socket: Socket, packet: mqtt.Packet): void {
  if (packet.cmd === 'connect') {
    client = socket
    socket.write(mqtt.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
  }
  if (packet.cmd === 'subscribe') {
    const granted = packet.subscriptions.map(() => 0)
    socket.write(mqtt.generate({ cmd: 'suback', messageId: packet.messageId ?? 1, granted }))
  }
  if (packet.cmd === 'pingreq') socket.write(mqtt.generate({ cmd: 'pingresp' }))
  if (packet.cmd !== 'publish') return
  if (packet.qos === 1) socket.write(mqtt.generate({ cmd: 'puback', messageId: packet.messageId ?? 1 }))
  receive(packet.topic, packet.payload as Buffer)
}

function receive(topic: string, bytes: Buffer): void {
  const [, , kind = '', , device = ''] = topic.split('/')
  if (kind.endsWith('BIRTH')) learn(device, decodePayload(bytes))
  const table = tables.get(device)
  if (kind === 'DDATA' && table && readData(bytes, table, columns) && columns.hasOffsets) take()
  else if (kind.endsWith('DATA')) takeRare(decodePayload(bytes), device)
}

function learn(device: string, payload: Payload): void {
  const table = new AliasTable()
  tables.set(device, table)
  const [, connection = '', unit = ''] = device.split('-')
  for (let i = 0; i < payload.count; i++) {
    const name = payload.name(i) ?? ''
    const alias = Number(payload.alias(i))
    if (name === FIRST_OFFSET) table.firstOffsetAlias = alias
    else if (name === LAST_OFFSET) table.lastOffsetAlias = alias
    else if (/^t\d{4}$/.test(name) && load)
      table.set(alias, placeOf(load, Number(connection), Number(unit), Number(name.slice(1))), 'float')
    if (name === COMMAND_RESULT) resultAliases.set(device, alias)
    if (name === EPOCH) epoch = payload.valueAs(i, 'uint64') as bigint
    if (name === FIRST_OFFSET && device === '' && committed.isEmpty) base = payload.valueAs(i, 'uint64') as bigint
  }
}

function take(): void {
  counts.received += columns.count
  if (!commit(columns.firstOffset, columns.lastOffset)) return
  for (let i = 0; i < columns.count; i++) {
    if (columns.q[i] === 192) compare(columns.slot[i] as number, columns.v[i] as number, columns.ts[i] as number)
    else counts.bad++
  }
}

/** A payload that the columns do not take: bad or uncertain values among others. */
function takeRare(payload: Payload, device: string): void {
  const table = tables.get(device)
  if (payload.count === 1 && Number(payload.alias(0)) === resultAliases.get(device)) takeResult(payload)
  if (!table || payload.count < 2 || Number(payload.alias(payload.count - 1)) !== table.lastOffsetAlias) return
  counts.received += payload.count - 2
  counts.bad += payload.count - 2
  const [first, last] = [payload.count - 2, payload.count - 1].map((i) => payload.valueAs(i, 'uint64') as bigint)
  if (first !== undefined && last !== undefined) commit(first, last)
}

function commit(first: bigint, last: bigint): boolean {
  const isNew = committed.endFrom(first) < first
  if (isNew) committed.add(first, last)
  else counts.duplicated += Number(last - first + 1n)
  return isNew
}

/**
 * A reply may have been on its way when the period changed. What a first scan read long before it ended takes gateway time,
 * and on a busy machine the simulator itself is late: such values are told apart from those that were never shown.
 */
function compare(place: number, value: number, at: number): void {
  counts.compared++
  const periodMs = load?.periodMs ?? 1000
  const period = Math.floor(at / periodMs)
  const [late, oldest] = [(LATE_SECONDS * 1000) / periodMs, (OLDEST_SECONDS * 1000) / periodMs]
  for (let back = 0; back <= oldest; back++) {
    if (value !== valueAt(place, period - back)) continue
    if (back > late) counts.late++
    return
  }
  counts.wrong++
}

/** A command counts when the edge has read the value back. */
function takeResult(payload: Payload): void {
  const { id, status } = JSON.parse(String(payload.valueAs(0, 'string'))) as { id: string; status: string }
  const since = asked.get(id)
  if (since === undefined || status !== 'done') return
  asked.delete(id)
  writeMs.push(performance.now() - since)
}

/** Writes the setpoint of one born device after the other. */
function writeNext(turn: { at: number }): void {
  const units = load?.units ?? 1
  const device = deviceName(Math.floor(turn.at / units) % (load?.connections ?? 1), (turn.at % units) + 1)
  turn.at++
  if (!resultAliases.has(device)) return
  const id = randomUUID()
  asked.set(id, performance.now())
  say(`DCMD/${EDGE}/${device}`, [
    { name: SETPOINT, type: 'float' as const, isTyped: true, value: Math.fround(turn.at / 8) },
    { name: COMMAND_ID, type: 'string' as const, isTyped: true, value: id },
  ])
}

function acknowledge(): void {
  if (!client || committed.isEmpty) return
  say(`NCMD/${EDGE}`, [
    { name: EPOCH, type: 'uint64' as const, isTyped: true, value: epoch },
    { name: ACK_OFFSET, type: 'uint64' as const, isTyped: true, value: committed.endFrom(base) },
  ])
}

function say(command: string, metrics: readonly OutgoingMetric[]): void {
  const payload = Buffer.from(encodePayload({ timestamp: Date.now(), metrics }))
  const topic = `spBv1.0/${GROUP}/${command}`
  client?.write(mqtt.generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }))
}
