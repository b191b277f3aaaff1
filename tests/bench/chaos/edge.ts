import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import mqtt from 'mqtt-packet'
import { DataWriter } from '#shared/sparkplug/data-writer.ts'
import { readState } from '#shared/sparkplug/host-state.ts'
import {
  ACK_OFFSET,
  ANDON_QUALITY_PROPERTY,
  BD_SEQ,
  EPOCH,
  FIRST_OFFSET,
  GAP,
  HEARTBEAT,
  LAST_OFFSET,
  PROFILE,
  QUALITY_PROPERTY,
  REBIRTH,
} from '#shared/sparkplug/metric-names.ts'
import { decodePayload, encodePayload, type OutgoingMetric, type Payload } from '#shared/sparkplug/payload.ts'
import { commandFilters, formatTopic } from '#shared/sparkplug/topics.ts'
import { deviceName, edgeName } from '../ingest/plan.ts'
import { type ChaosLoad, PROFILE_KEY, sampleOf, TAGS, type TagName, TYPES, timeOf } from './plan.ts'

export interface ChaosEdgeOptions {
  readonly load: ChaosLoad
  readonly edge: number
  readonly port: number
  readonly secret: string
  /** Rounds that may be sent and not acknowledged. */
  readonly window: number
}

const RECONNECT_MS = 300
const PING_MS = 4000
const RESEND_MS = 5000
/** A sample older than this is told as historical, as an edge agent tells its backlog. */
const LIVE_MS = 2000
const HOST_STATE = formatTopic({ message: 'STATE', host: 'andon' })
const ALIAS = { first: 1, last: 2, gap: 3, heartbeat: 4, profile: 5, tags: 100 }

const tagAlias = (device: number, tag: TagName) => ALIAS.tags + device * TAGS.length + TAGS.indexOf(tag)
const int32 = (value: number) => ({ type: 'int32' as const, value })

/**
 * An edge that accepts a round of samples when the clock says so, sends them while its host is online in the order of their
 * offsets, and again from the oldest that is not acknowledged whenever a line breaks or nothing is acknowledged for a while.
 */
export class ChaosEdge {
  /** Rounds accepted, sent at least once, and acknowledged as a whole. */
  accepted = 0
  acknowledged = 0
  isBorn = false
  reconnects = 0
  resent = 0
  quietFrom = Number.MAX_SAFE_INTEGER
  readonly epoch = randomBytes(8).readBigUInt64BE() | 1n
  readonly #options: ChaosEdgeOptions
  readonly #writer = new DataWriter()
  readonly #perRound: number
  #socket: Socket | undefined
  #seq = 0
  #bdSeq = 0
  #stateAt = 0
  #next = 0
  #sent = 0
  #isClosed = false
  #ping: NodeJS.Timeout | undefined
  #movedAt = 0

  constructor(options: ChaosEdgeOptions) {
    this.#options = options
    this.#perRound = options.load.devices * TAGS.length
  }

  get name(): string {
    return edgeName(this.#options.edge)
  }

  connect(): void {
    if (this.#isClosed) return
    this.#bdSeq = (this.#bdSeq + 1) & 0xff
    const { load, port, secret } = this.#options
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const parser = mqtt.parser({ protocolVersion: 4 })
    this.#socket = socket
    parser.on('packet', (packet) => this.#hear(packet))
    socket.on('data', (chunk) => void parser.parse(chunk as Buffer))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#lost())
    const payload = Buffer.from(encodePayload({ metrics: [this.#bd()] }))
    const will = { topic: this.#topic('NDEATH'), payload, qos: 1 as const, retain: false }
    const login = { username: `${load.group}/${this.name}`, password: Buffer.from(secret) }
    const packet = {
      cmd: 'connect',
      clientId: `${load.group}-${this.name}`,
      ...login,
      clean: true,
      keepalive: 10,
    } as const
    socket.write(mqtt.generate({ ...packet, will, protocolVersion: 4, protocolId: 'MQTT' }))
  }

  /** Accepts what is due and sends what the window allows. */
  tick(now: number, isAccepting: boolean): void {
    const { load, window } = this.#options
    while (isAccepting && timeOf(load, this.accepted) <= now) this.accepted++
    if (!this.isBorn) return
    if (this.acknowledged >= this.#next) this.#movedAt = now
    if (now - this.#movedAt > RESEND_MS) this.#rewind(now)
    while (this.#next < this.accepted && this.#next - this.acknowledged < window) this.#send(this.#next++, now)
    this.#sent = Math.max(this.#sent, this.#next)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#ping)
    this.#socket?.destroy()
  }

  #rewind(now: number): void {
    this.#next = this.acknowledged
    this.#movedAt = now
  }

  #send(n: number, now: number): void {
    const { load, edge } = this.#options
    const at = timeOf(load, n)
    const isResend = n < this.#sent
    if (isResend) this.resent++
    const isHistorical = isResend || now - at > LIVE_MS
    for (let device = 0; device < load.devices; device++) {
      this.#writer.begin(now, this.#nextSeq(), isHistorical)
      for (const tag of TAGS) {
        const { value, quality } = sampleOf(load, { edge, device }, tag, { n, quietFrom: this.quietFrom })
        const alias = tagAlias(device, tag)
        if (quality === 192) this.#writer.number(alias, at, Number(value), TYPES[tag])
        else this.#writer.metric(odd({ alias, tag, at, value, quality, isHistorical }))
      }
      const first = BigInt(n * this.#perRound + device * TAGS.length + 1)
      this.#writer.offset(ALIAS.first, at, first)
      this.#writer.offset(ALIAS.last, at, first + BigInt(TAGS.length) - 1n)
      this.#publish(this.#topic('DDATA', device), this.#writer.end())
    }
  }

  #lost(): void {
    this.isBorn = false
    this.#stateAt = 0
    clearInterval(this.#ping)
    if (this.#isClosed) return
    this.reconnects++
    setTimeout(() => this.connect(), RECONNECT_MS)
  }

  #hear(packet: mqtt.Packet): void {
    if (packet.cmd === 'connack') {
      const filters = commandFilters(this.#options.load.group, this.name)
      const subscriptions = [...filters, HOST_STATE].map((topic) => ({ topic, qos: 0 as const }))
      this.#socket?.write(mqtt.generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
      this.#ping = setInterval(() => this.#socket?.write(mqtt.generate({ cmd: 'pingreq' })), PING_MS)
    }
    if (packet.cmd !== 'publish') return
    if (packet.topic === HOST_STATE) this.#follow(packet.payload as Buffer)
    else this.#command(decodePayload(packet.payload as Buffer))
  }

  /** What a host that is away would not hear is not sent. */
  #follow(bytes: Buffer): void {
    const state = readState(bytes)
    if (!state || state.timestamp < this.#stateAt) return
    this.#stateAt = state.timestamp
    if (!state.online) this.isBorn = false
    else if (!this.isBorn) this.#births()
  }

  #command(payload: Payload): void {
    for (let i = 0; i < payload.count; i++) {
      if (payload.name(i) === REBIRTH) this.#births()
      if (payload.name(i) === ACK_OFFSET) this.#acknowledge(Number(payload.valueAs(i, 'uint64')))
    }
  }

  #acknowledge(offset: number): void {
    const rounds = Math.floor(offset / this.#perRound)
    if (rounds <= this.acknowledged) return
    this.acknowledged = rounds
    this.#movedAt = Date.now()
    this.#next = Math.max(this.#next, rounds)
  }

  /** Births, then again from the oldest round that is not acknowledged as a whole. */
  #births(): void {
    const { load } = this.#options
    const at = Date.now()
    this.#seq = 255
    this.#birth(this.#topic('NBIRTH'), this.#node(), at)
    for (let device = 0; device < load.devices; device++) {
      this.#birth(this.#topic('DBIRTH', device), this.#device(device), at)
    }
    this.#rewind(at)
    this.isBorn = true
  }

  #birth(topic: string, metrics: OutgoingMetric[], timestamp: number): void {
    const dated = metrics.map((metric) => ({ ...metric, timestamp, isTyped: true }))
    this.#publish(topic, encodePayload({ timestamp, seq: this.#nextSeq(), metrics: dated }))
  }

  #publish(topic: string, bytes: Uint8Array): void {
    const payload = Buffer.from(bytes)
    this.#socket?.write(mqtt.generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }))
  }

  #nextSeq(): number {
    this.#seq = (this.#seq + 1) & 0xff
    return this.#seq
  }

  #topic(message: 'NBIRTH' | 'NDEATH' | 'DBIRTH' | 'DDATA', device?: number): string {
    const { group } = this.#options.load
    if (message === 'NBIRTH' || message === 'NDEATH') return formatTopic({ message, group, edge: this.name })
    return formatTopic({ message, group, edge: this.name, device: deviceName(device ?? 0) })
  }

  #bd(): OutgoingMetric {
    return { name: BD_SEQ, type: 'int64', isTyped: true, value: BigInt(this.#bdSeq) }
  }

  #node(): OutgoingMetric[] {
    const [first, last] = [this.acknowledged, this.accepted].map((rounds) => BigInt(rounds * this.#perRound))
    return [
      this.#bd(),
      { name: REBIRTH, type: 'boolean', value: false },
      { name: EPOCH, type: 'uint64', value: this.epoch },
      { name: ACK_OFFSET, type: 'uint64', value: first ?? 0n },
      { name: GAP, alias: ALIAS.gap, type: 'string', value: null },
      { name: HEARTBEAT, alias: ALIAS.heartbeat, type: 'datetime', value: Date.now() },
      { name: FIRST_OFFSET, alias: ALIAS.first, type: 'uint64', value: (first ?? 0n) + 1n, isTransient: true },
      { name: LAST_OFFSET, alias: ALIAS.last, type: 'uint64', value: last ?? 0n, isTransient: true },
    ]
  }

  #device(device: number): OutgoingMetric[] {
    const nothing = { type: 'uint64', value: null, isTransient: true } as const
    return [
      ...TAGS.map((tag): OutgoingMetric => {
        const properties = { [QUALITY_PROPERTY]: int32(500) }
        return { name: tag, alias: tagAlias(device, tag), type: TYPES[tag], value: null, properties }
      }),
      { name: PROFILE, alias: ALIAS.profile, type: 'string', value: PROFILE_KEY },
      { name: FIRST_OFFSET, alias: ALIAS.first, ...nothing },
      { name: LAST_OFFSET, alias: ALIAS.last, ...nothing },
    ]
  }
}

interface Odd {
  readonly alias: number
  readonly tag: TagName
  readonly at: number
  readonly value: number | null
  readonly quality: 64 | 0
  readonly isHistorical: boolean
}

/** A sample that is not good, as the edge agent writes it. */
function odd({ alias, tag, at, value, quality, isHistorical }: Odd): OutgoingMetric {
  const bad = { [QUALITY_PROPERTY]: int32(0) }
  const properties = quality === 0 ? bad : { ...bad, [ANDON_QUALITY_PROPERTY]: int32(64) }
  return { alias, type: TYPES[tag], timestamp: at, value, properties, isHistorical }
}
