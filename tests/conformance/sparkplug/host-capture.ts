import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type IConnectPacket, type IPublishPacket, type ISubscribePacket, parser } from 'mqtt-packet'
import { type ProtoPayloadObject, protoDecode } from '#tests/support/sparkplug-decoder.ts'

/** A message that left the host. */
export interface HostPublish {
  readonly kind: 'publish'
  readonly topic: string
  /** STATE, NCMD or DCMD. */
  readonly message: string
  readonly device: string | undefined
  readonly qos: number
  readonly retain: boolean
  /** The text of a STATE. */
  readonly text: string
  /** The payload of a command. */
  readonly payload: ProtoPayloadObject
  /** ms since 1970 */
  readonly at: number
}

/** What people see of the edge at a moment. */
export interface View {
  readonly kind: 'view'
  readonly moment: string
  readonly at: number
  readonly edge: string
  /** When the node went offline, as the tables hold it. */
  readonly disconnectedAt: number | null
  readonly devices: Readonly<Record<string, { readonly status: string; readonly diedAt: number | null }>>
  /** By `device/tag`. */
  readonly tags: Readonly<Record<string, { readonly value: unknown; readonly isStale: boolean }>>
}

/** A message of the edge. */
export interface Told {
  readonly kind: 'told'
  readonly message: string
  readonly device: string | undefined
  readonly payload: ProtoPayloadObject
  readonly at: number
}

/** One thing that happened between host and edges, in order. */
export type HostEvent =
  | { readonly kind: 'connect'; readonly packet: IConnectPacket; readonly at: number }
  | { readonly kind: 'subscribe'; readonly filters: readonly string[] }
  | { readonly kind: 'disconnect' }
  | HostPublish
  | View
  | Told

/** Reads a published message of the host. */
export function hostPublish(
  topic: string,
  bytes: Buffer,
  flags: { qos: number; retain: boolean; at: number },
): HostPublish {
  const levels = topic.split('/')
  const isState = levels[1] === 'STATE'
  return {
    kind: 'publish',
    topic,
    message: isState ? 'STATE' : (levels[2] ?? ''),
    device: levels[4],
    text: isState ? bytes.toString('utf8') : '',
    payload: isState ? {} : protoDecode(bytes),
    ...flags,
  }
}

/** A TCP proxy between the host and a broker that takes down every packet of the host. It never changes one. */
export class HostCapture {
  port = 0
  readonly #sockets = new Set<Socket>()
  readonly #brokerPort: number
  readonly #events: HostEvent[]
  #server: Server | undefined

  constructor(brokerPort: number, events: HostEvent[]) {
    this.#brokerPort = brokerPort
    this.#events = events
  }

  async start(): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#join(client))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    this.port = typeof address === 'object' && address ? address.port : 0
    this.#server = server
  }

  /** Cuts the connection of the host, as a broken network would. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    const server = this.#server
    if (server) await new Promise<void>((done) => server.close(() => done()))
  }

  #join(client: Socket): void {
    const broker = connect({ port: this.#brokerPort, host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', (packet) => {
      if (packet.cmd === 'connect') this.#events.push({ kind: 'connect', packet, at: Date.now() })
      if (packet.cmd === 'subscribe') this.#subscribe(packet)
      if (packet.cmd === 'disconnect') this.#events.push({ kind: 'disconnect' })
      if (packet.cmd === 'publish') this.#publish(packet)
    })
    client.on('data', (bytes: Buffer) => {
      reader.parse(bytes)
      broker.write(bytes)
    })
    broker.on('data', (bytes: Buffer) => client.write(bytes))
  }

  #subscribe({ subscriptions }: ISubscribePacket): void {
    this.#events.push({ kind: 'subscribe', filters: subscriptions.map(({ topic }) => topic) })
  }

  #publish({ topic, payload, qos, retain }: IPublishPacket): void {
    this.#events.push(hostPublish(topic, Buffer.from(payload), { qos, retain, at: Date.now() }))
  }
}
