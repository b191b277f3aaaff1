import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type ConnectPacket } from 'aedes'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { type ProtoMetric, type ProtoPayloadObject, protoDecode, protoEncode } from './sparkplug-decoder.ts'

/** A message as it came over the wire. */
export interface WireMessage {
  /** NBIRTH, DDATA, … */
  readonly kind: string
  readonly topic: string
  readonly device: string | undefined
  readonly qos: number
  readonly retain: boolean
  readonly seq: number | undefined
  readonly payload: ProtoPayloadObject
}

/** A sample that a data message carried. */
export interface WireSample {
  readonly offset: bigint
  readonly device: string | undefined
  readonly metric: ProtoMetric
}

/**
 * A broker with a host of its own that decodes by protobufjs, keeps what it received by offset and acknowledges, or is
 * told not to. It shares no code with the product but the set of ranges.
 */
export class WireHost {
  readonly messages: WireMessage[] = []
  readonly connects: ConnectPacket[] = []
  readonly subscriptions: string[] = []
  readonly samples = new Map<bigint, WireSample>()
  /** Offsets that arrived more than once. */
  readonly doubled: bigint[] = []
  committed = new RangeSet()
  acknowledges = true
  /** Gaps of a thinned backlog that came before what stayed in their range. */
  earlyGaps = 0
  /** Data messages to lose, as a broken network would. */
  loseNext = 0
  epoch: bigint | undefined
  readonly happened = new EventEmitter()
  port = 0
  #aliases = new Map<string, string>()
  #server: Server | undefined
  #aedes: Aedes | undefined
  #sockets = new Set<Socket>()
  #base = 1n
  readonly group: string
  readonly edge: string

  constructor(group: string, edge: string) {
    this.group = group
    this.edge = edge
    this.happened.setMaxListeners(0)
  }

  /** Listens, on the same port as before after a stop. */
  async start(): Promise<void> {
    const aedes = await Aedes.createBroker()
    aedes.preConnect = (_, packet, done) => {
      this.connects.push(packet)
      this.happened.emit('it')
      done(null, true)
    }
    aedes.authorizePublish = (_, packet, done) => {
      this.#receive(packet.topic, Buffer.from(packet.payload), packet)
      done(null)
    }
    aedes.on('ack', () => this.happened.emit('taken'))
    aedes.on('subscribe', (list) => {
      this.subscriptions.push(...list.map(({ topic }) => topic))
      this.happened.emit('it')
    })
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      aedes.handle(socket)
    })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    this.port = typeof address === 'object' && address ? address.port : 0
    this.#server = server
    this.#aedes = aedes
  }

  /** Stops the broker and cuts every connection. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#aedes?.close(resolve)
    await promise
    const server = this.#server
    if (server) await new Promise<void>((done) => server.close(() => done()))
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  /** Cuts the TCP connections of all clients. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Waits until something is so; looks again whenever something happens. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await once(this.happened, 'it')
  }

  of(...kinds: string[]): WireMessage[] {
    return this.messages.filter(({ kind }) => kinds.includes(kind))
  }

  /** Publishes a command to the node or a device. */
  command(metrics: ProtoMetric[], device?: string): void {
    const topic = `spBv1.0/${this.group}/${device === undefined ? 'NCMD' : 'DCMD'}/${this.edge}`
    this.#publish(device === undefined ? topic : `${topic}/${device}`, protoEncode({ timestamp: '1', metrics }))
  }

  /** Publishes raw bytes on any topic. */
  publish(topic: string, payload: Uint8Array, retain = false): void {
    this.#publish(topic, payload, retain)
  }

  /** Publishes at QoS 1 and waits until a subscriber has taken it. */
  async deliver(topic: string, payload: Uint8Array): Promise<void> {
    const taken = once(this.happened, 'taken')
    this.#publish(topic, payload, false, 1)
    await taken
  }

  acknowledge(): void {
    if (this.epoch === undefined) return
    this.command([
      { name: 'Andon/Epoch', datatype: 8, long_value: String(this.epoch) },
      { name: 'Andon/Ack Offset', datatype: 8, long_value: String(this.committed.endFrom(this.#base)) },
    ])
  }

  #publish(topic: string, payload: Uint8Array, retain = false, qos: 0 | 1 = 0): void {
    const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false } as const
    this.#aedes?.publish(packet, () => undefined)
  }

  #receive(topic: string, bytes: Buffer, { qos, retain }: { qos: number; retain: boolean }): void {
    const [namespace, , kind = '', , device] = topic.split('/')
    if (namespace !== 'spBv1.0' || kind.endsWith('CMD') || topic.includes('/STATE/')) return
    const isData = kind === 'NDATA' || kind === 'DDATA'
    const payload = protoDecode(bytes)
    const offsets = isData && payload.metrics?.some((metric) => this.#nameOf(metric, device) === 'Andon/Last Offset')
    if (offsets && this.loseNext > 0) {
      this.loseNext -= 1
      return
    }
    const seq = payload.seq === undefined ? undefined : Number(payload.seq)
    this.messages.push({ kind, topic, device, qos, retain, seq, payload })
    if (kind.endsWith('BIRTH')) this.#learn(payload, device)
    if (offsets) this.#commit(payload, device)
    if (offsets && this.acknowledges) this.acknowledge()
    this.happened.emit('it')
  }

  #learn(payload: ProtoPayloadObject, device: string | undefined): void {
    if (device === undefined) this.#aliases.clear()
    for (const { name, alias } of payload.metrics ?? [])
      if (name !== undefined && alias !== undefined) this.#aliases.set(`${device ?? ''}/${alias}`, name)
    if (device !== undefined) return
    const wide = (name: string) => payload.metrics?.find((metric) => metric.name === name)?.long_value
    this.epoch = BigInt(wide('Andon/Epoch') ?? 0)
    const first = BigInt(wide('Andon/First Offset') ?? 1)
    if (first > 1n && this.committed.isEmpty) this.#base = first
  }

  /** Name that the last birth gave an alias. */
  #nameOf(metric: ProtoMetric, device: string | undefined): string | undefined {
    return metric.name ?? this.#aliases.get(`${device ?? ''}/${metric.alias}`)
  }

  nameOf(sample: WireSample): string | undefined {
    return this.#nameOf(sample.metric, sample.device)
  }

  #commit(payload: ProtoPayloadObject, device: string | undefined): void {
    const metrics = payload.metrics ?? []
    const first = BigInt(metrics.at(-2)?.long_value ?? 0)
    const last = BigInt(metrics.at(-1)?.long_value ?? 0)
    const own = metrics.slice(0, -2).map((metric, k) => ownOffset(metric) ?? first + BigInt(k))
    if (own[0] !== first || own.at(-1) !== last) throw new Error(`Offsets ${first}-${last} do not fit`)
    metrics.slice(0, -2).forEach((metric, k) => {
      const offset = own[k] ?? 0n
      if (this.#nameOf(metric, device) === 'Andon/Gap' && !this.#close(metric.string_value ?? '')) return
      if (this.samples.has(offset)) this.doubled.push(offset)
      this.samples.set(offset, { offset, device, metric })
      this.committed.add(offset, offset)
    })
  }

  /** A gap record closes its range; that of a thinned backlog only behind all that stayed in it. */
  #close(text: string): boolean {
    const gap = JSON.parse(text) as { first: string; last: string; count: number; cause: string }
    const [first, last] = [BigInt(gap.first), BigInt(gap.last)]
    const missing = this.committed.missing(first, last).reduce((sum, hole) => sum + hole.last - hole.first + 1n, 0n)
    const isEarly = gap.cause === 'thinned' && missing > BigInt(gap.count)
    if (isEarly) this.earlyGaps += 1
    else this.committed.add(first, last)
    return !isEarly
  }
}

/** The offset that a sample of a thinned record carries. */
function ownOffset({ properties }: ProtoMetric): bigint | undefined {
  const at = properties?.keys.indexOf('Andon Offset') ?? -1
  const value = properties?.values[at]?.long_value
  return value === undefined ? undefined : BigInt(String(value))
}
