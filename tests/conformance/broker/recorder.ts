import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Packet, parser } from 'mqtt-packet'

/** A TCP proxy in front of a broker that takes down what clients send, and can cut their connections or stall them. */
export interface Recorder {
  readonly port: number
  /** In order, over all connections. */
  readonly sent: Packet[]
  /** Cuts every connection without a word. */
  cut(): void
  /** Reads nothing more from either side until the connection is cut. */
  stall(): void
  close(): Promise<void>
}

/** Starts a recorder before the broker on that loopback port. */
export async function startRecorder(brokerPort: number): Promise<Recorder> {
  const sockets = new Set<Socket>()
  const sent: Packet[] = []
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', (packet) => sent.push(packet))
    client.on('data', (bytes) => reader.parse(bytes as Buffer))
    client.pipe(broker).pipe(client)
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    sent,
    cut,
    stall() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async close() {
      cut()
      await new Promise<void>((done) => server.close(() => done()))
    },
  }
}
