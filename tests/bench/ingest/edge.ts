import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import mqtt from 'mqtt-packet'
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
} from '#shared/sparkplug/metric-names.ts'
import { decodePayload, encodePayload, type OutgoingMetric, type Payload } from '#shared/sparkplug/payload.ts'
import { commandFilters, formatTopic } from '#shared/sparkplug/topics.ts'
import { packetBytes, type Template, tagAlias, template, writeMessage } from './message.ts'
import { deviceName, edgeName, kindOf, type Load, PROFILE_KEY, TAGS, tagName } from './plan.ts'

export interface LoadEdgeOptions {
  readonly load: Load
  readonly edge: number
  readonly port: number
  readonly secret: string
  /** Samples that may be sent and not acknowledged. */
  readonly window: number
}

const TYPES = { float: 'double', integer: 'int32', boolean: 'boolean' } as const
const RECONNECT_MS = 200
const PING_MS = 20_000
const RESEND_MS = 5000

/** An edge of the load: sends what is due, keeps to its window, sends again what was not acknowledged when the line breaks. */
export class LoadEdge {
  /** Samples handed to the line at least once, and acknowledged by the host. */
  sent = 0
  acknowledged = 0
  /** True since the host has been told of all devices in this connection. */
  isBorn = false
  reconnects = 0
  /** Messages sent again. */
  resent = 0
  readonly epoch = randomBytes(8).readBigUInt64BE() | 1n
  readonly #options: LoadEdgeOptions
  readonly #templates: readonly Template[]
  readonly #out: Buffer
  #socket: Socket | undefined
  #seq = 0
  #bdSeq = 0
  #next = 0
  #isDraining = false
  #isClosed = false
  #ping: NodeJS.Timeout | undefined
  #movedFrom = -1
  #movedAt = 0
  #burst = 1
  #resentTo = 0

  constructor(options: LoadEdgeOptions) {
    const { load, edge } = options
    this.#options = options
    const parts = TAGS / load.perMessage
    this.#templates = Array.from({ length: load.devices * parts }, (_, i) =>
      template(load, edge, Math.floor(i / parts), (i % parts) * load.perMessage),
    )
    this.#out = Buffer.allocUnsafe(this.#templates.reduce((sum, one) => sum + packetBytes(one), 0))
  }

  get name(): string {
    return edgeName(this.#options.edge)
  }

  connect(): void {
    if (this.#isClosed) return
    const { load, port, secret } = this.#options
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const parser = mqtt.parser({ protocolVersion: 4 })
    this.#socket = socket
    parser.on('packet', (packet) => this.#hear(packet))
    socket.on('data', (chunk) => void parser.parse(chunk as Buffer))
    socket.on('drain', () => {
      this.#isDraining = false
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#lost())
    const will = { topic: this.#topic('NDEATH'), payload: this.#death(), qos: 1 as const, retain: false }
    const clientId = `${load.group}-${this.name}`
    const username = `${load.group}/${this.name}`
    const password = Buffer.from(secret)
    const packet = { cmd: 'connect', clientId, username, password, clean: true, keepalive: 60, will } as const
    socket.write(mqtt.generate({ ...packet, protocolVersion: 4, protocolId: 'MQTT' }))
  }

  /** Sends the next round, one sample of every tag, unless the window or the line is full; answers the samples sent. */
  round(now: number): number {
    const isRoom = this.isBorn && !this.#isDraining && this.#next - this.acknowledged < this.#options.window
    if (!isRoom) return 0
    if (this.#next < this.sent) this.resent += this.#templates.length
    this.#next = this.#send(this.#next, now)
    const fresh = Math.max(0, this.#next - this.sent)
    this.sent = Math.max(this.sent, this.#next)
    return fresh
  }

  /** Sends the round that begins after so many samples; answers after how many the next one does. */
  #send(from: number, now: number): number {
    const { load } = this.#options
    const samples = load.devices * TAGS
    const n = Math.floor(from / samples)
    let end = 0
    let offset = n * samples + 1
    for (const one of this.#templates) {
      this.#seq = (this.#seq + 1) & 0xff
      const sample = { n, at: load.baseAt + n * load.periodMs, now, offset, seq: this.#seq }
      end = writeMessage(one, sample, this.#out, end)
      offset += one.metrics.length
    }
    this.#isDraining = !this.#socket?.write(Buffer.from(this.#out.subarray(0, end)))
    return offset - 1
  }

  /**
   * Sends again what is oldest and unacknowledged when it waits for long: one round, then twice as many each time, as an
   * edge agent does. All of it at once would only lengthen the queue that acknowledgements wait in.
   */
  watch(now: number): void {
    const isPast = this.acknowledged !== this.#movedFrom && this.acknowledged > this.#resentTo
    if (isPast || this.acknowledged >= this.sent) {
      this.#movedFrom = this.acknowledged
      this.#movedAt = now
      this.#burst = 1
    }
    if (!this.isBorn || this.#isDraining || now - this.#movedAt < RESEND_MS) return
    this.#movedAt = now
    this.#sendAgain()
  }

  #sendAgain(): void {
    const samples = this.#options.load.devices * TAGS
    let next = Math.floor(this.acknowledged / samples) * samples
    for (let i = 0; i < this.#burst && next < this.#next && !this.#isDraining; i++) {
      next = this.#send(next, Date.now())
      this.resent += this.#templates.length
    }
    this.#resentTo = next
    this.#burst *= 2
  }

  #rewind(): void {
    const samples = this.#options.load.devices * TAGS
    this.#next = Math.floor(this.acknowledged / samples) * samples
  }

  /** True while messages wait to be sent again. */
  get isBehind(): boolean {
    return this.#next < this.sent
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#ping)
    this.#socket?.destroy()
  }

  #lost(): void {
    this.isBorn = false
    this.#isDraining = false
    clearInterval(this.#ping)
    if (this.#isClosed) return
    this.reconnects++
    setTimeout(() => this.connect(), RECONNECT_MS)
  }

  #hear(packet: mqtt.Packet): void {
    if (packet.cmd === 'connack') {
      const filters = commandFilters(this.#options.load.group, this.name)
      const subscriptions = [...filters].map((topic) => ({ topic, qos: 0 as const }))
      this.#socket?.write(mqtt.generate({ cmd: 'subscribe', messageId: 1, subscriptions }))
      this.#ping = setInterval(() => this.#socket?.write(mqtt.generate({ cmd: 'pingreq' })), PING_MS)
    }
    if (packet.cmd === 'suback') this.#births()
    if (packet.cmd === 'publish') this.#command(decodePayload(packet.payload as Buffer))
  }

  #command(payload: Payload): void {
    for (let i = 0; i < payload.count; i++) {
      if (payload.name(i) === REBIRTH) this.#births()
      if (payload.name(i) === ACK_OFFSET) {
        this.acknowledged = Math.max(this.acknowledged, Number(payload.valueAs(i, 'uint64')))
      }
    }
  }

  /** Births, then again from the oldest round that is not acknowledged as a whole. */
  #births(): void {
    const { load } = this.#options
    this.#seq = 0
    this.#publish('NBIRTH', this.#node(), undefined)
    for (let device = 0; device < load.devices; device++) this.#publish('DBIRTH', this.#device(device), device)
    this.#rewind()
    this.isBorn = true
  }

  #publish(message: 'NBIRTH' | 'DBIRTH', metrics: OutgoingMetric[], device: number | undefined): void {
    if (message === 'DBIRTH') this.#seq = (this.#seq + 1) & 0xff
    const payload = Buffer.from(encodePayload({ timestamp: Date.now(), seq: this.#seq, metrics }))
    const topic = this.#topic(message, device)
    this.#socket?.write(mqtt.generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }))
  }

  #topic(message: 'NBIRTH' | 'NDEATH' | 'DBIRTH', device?: number): string {
    const { group } = this.#options.load
    if (message === 'DBIRTH') return formatTopic({ message, group, edge: this.name, device: deviceName(device ?? 0) })
    return formatTopic({ message, group, edge: this.name })
  }

  #death(): Buffer {
    return Buffer.from(encodePayload({ metrics: [this.#bd()] }))
  }

  #bd(): OutgoingMetric {
    return { name: BD_SEQ, type: 'int64', isTyped: true, value: BigInt(this.#bdSeq) }
  }

  #node(): OutgoingMetric[] {
    const typed = { isTyped: true }
    return [
      this.#bd(),
      { name: REBIRTH, type: 'boolean', ...typed, value: false },
      { name: EPOCH, type: 'uint64', ...typed, value: this.epoch },
      { name: ACK_OFFSET, type: 'uint64', ...typed, value: BigInt(this.acknowledged) },
      { name: GAP, alias: 3, type: 'string', ...typed, value: null },
      { name: HEARTBEAT, alias: 4, type: 'datetime', ...typed, value: Date.now() },
      {
        name: FIRST_OFFSET,
        alias: 1,
        type: 'uint64',
        ...typed,
        value: BigInt(this.acknowledged + 1),
        isTransient: true,
      },
      { name: LAST_OFFSET, alias: 2, type: 'uint64', ...typed, value: BigInt(this.sent), isTransient: true },
    ]
  }

  #device(device: number): OutgoingMetric[] {
    const tags = Array.from({ length: TAGS }, (_, tag): OutgoingMetric => {
      const properties = { Quality: { type: 'int32' as const, value: 500 } }
      const alias = tagAlias(device, tag)
      return { name: tagName(tag), alias, type: TYPES[kindOf(tag)], isTyped: true, value: null, properties }
    })
    const nothing = { type: 'uint64', isTyped: true, value: null, isTransient: true } as const
    return [
      ...tags,
      { name: PROFILE, alias: 5, type: 'string', isTyped: true, value: PROFILE_KEY },
      { name: FIRST_OFFSET, alias: 1, ...nothing },
      { name: LAST_OFFSET, alias: 2, ...nothing },
    ]
  }
}
