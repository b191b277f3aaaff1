import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type IConnectPacket, type IPublishPacket, type ISubscribePacket, parser } from 'mqtt-packet'
import { type ProtoPayloadObject, protoDecode } from '#tests/support/sparkplug-decoder.ts'

/** One thing that happened on the wire between a client and its broker, in order, over all its connections. */
export type WireEvent =
  | { readonly kind: 'connect'; readonly connection: number; readonly server: number; readonly packet: IConnectPacket }
  | { readonly kind: 'subscribe'; readonly connection: number; readonly packet: ISubscribePacket }
  | { readonly kind: 'disconnect'; readonly connection: number }
  | { readonly kind: 'closed'; readonly connection: number }
  | PublishEvent

/** A PUBLISH; `command` when the broker sent it to the client. */
export interface PublishEvent {
  readonly kind: 'publish' | 'command'
  readonly connection: number
  /** When it came by, in ms. */
  readonly at: number
  readonly topic: string
  readonly message: string
  readonly device: string | undefined
  readonly qos: number
  readonly retain: boolean
  readonly payload: ProtoPayloadObject
  /** What a STATE says; its payload is no Sparkplug payload. */
  readonly state?: HostState
}

export interface HostState {
  readonly online: boolean
  readonly timestamp: number
}

/** Connections of different servers have numbers apart. */
const CONNECTIONS_A_SERVER = 1000

/** A TCP proxy in front of a broker that takes down every packet. It never changes one. */
export class Capture {
  readonly events: WireEvent[]
  readonly #number: number
  port = 0
  #server: Server | undefined
  #sockets = new Set<Socket>()
  #connections: number
  readonly #brokerPort: () => number

  /** Several captures may write into one list of events, each under a number of its own. */
  constructor(brokerPort: () => number, events: WireEvent[] = [], server = 0) {
    this.#brokerPort = brokerPort
    this.events = events
    this.#number = server
    this.#connections = server * CONNECTIONS_A_SERVER
  }

  async start(): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#join(client))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    this.port = typeof address === 'object' && address ? address.port : 0
    this.#server = server
  }

  /** Cuts the connection of the client, as a broken network would. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    const server = this.#server
    if (server) await new Promise<void>((done) => server.close(() => done()))
  }

  #join(client: Socket): void {
    const connection = this.#connections++
    const broker = connect({ port: this.#brokerPort(), host: '127.0.0.1', noDelay: true })
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
        if (socket === client) this.events.push({ kind: 'closed', connection })
      })
    }
    const up = this.#reader(connection, true)
    const down = this.#reader(connection, false)
    client.on('data', (bytes: Buffer) => {
      up.parse(bytes)
      broker.write(bytes)
    })
    broker.on('data', (bytes: Buffer) => {
      down.parse(bytes)
      client.write(bytes)
    })
  }

  #reader(connection: number, isUp: boolean) {
    const reader = parser({ protocolVersion: 4 })
    reader.on('packet', (packet) => {
      if (packet.cmd === 'publish') this.#publish(connection, packet, isUp)
      if (packet.cmd === 'connect' && isUp)
        this.events.push({ kind: 'connect', connection, server: this.#number, packet })
      if (packet.cmd === 'subscribe' && isUp) this.events.push({ kind: 'subscribe', connection, packet })
      if (packet.cmd === 'disconnect' && isUp) this.events.push({ kind: 'disconnect', connection })
    })
    return reader
  }

  #publish(connection: number, { topic, payload, qos, retain }: IPublishPacket, isUp: boolean): void {
    const levels = topic.split('/')
    const isState = levels[1] === 'STATE'
    const [message = '', device] = isState ? ['STATE'] : [levels[2], levels[4]]
    this.events.push({
      kind: isUp ? 'publish' : 'command',
      connection,
      at: Date.now(),
      topic,
      message,
      device,
      qos,
      retain,
      ...(isState
        ? { payload: {}, state: JSON.parse(payload.toString()) as HostState }
        : { payload: protoDecode(Buffer.from(payload)) }),
    })
  }
}
