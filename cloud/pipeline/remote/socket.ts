import { hkdfSync } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { AnsweringChannel, AskingChannel, Channel } from './channel.ts'
import { frame, frameReader } from './frames.ts'

/** TLS by a key that both ends have: no certificates, each end proves the key, the data cannot be read on the way. */
const CIPHERS = 'ECDHE-PSK-CHACHA20-POLY1305'
const IDENTITY = 'andon'
const CONNECT_TIMEOUT_MS = 5000
/** An end that vanished without a word is noticed by TCP keep-alive. */
const KEEP_ALIVE_MS = 5000

export interface SocketAddress {
  readonly host: string
  readonly port: number
}

/** The key of the way between processes, derived from the installation's secret (RFC 5869). */
const keyOf = (secret: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', 'andon pipeline channel', 32))

export interface ListenOptions extends SocketAddress {
  /** The installation's secret. */
  readonly secret: string
  readonly onChannel: (channel: AnsweringChannel) => void
}

export interface Listening {
  readonly address: SocketAddress
  /** Ends every channel, then listening. */
  close(): Promise<void>
}

/** Listens for asking ends that know the installation's secret; port 0 picks a free one. */
export async function listenForChannels({ host, port, secret, onChannel }: ListenOptions): Promise<Listening> {
  const key = keyOf(secret)
  const open = new Set<Socket>()
  const server = createServer({
    ...{ ciphers: CIPHERS, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    pskCallback: (_socket, identity) => (identity === IDENTITY ? key : null),
    handshakeTimeout: CONNECT_TIMEOUT_MS,
  })
  server.on('secureConnection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    onChannel(socketChannel(socket))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port }, resolve))
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    close() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Connects to whoever listens there. Rejects when nobody does, and when the secret is not the same. */
export async function openChannel({ host, port }: SocketAddress, secret: string): Promise<AskingChannel> {
  const key = keyOf(secret)
  const socket = connect({
    ...{ host, port, ciphers: CIPHERS, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
    pskCallback: () => ({ psk: key, identity: IDENTITY }),
    // The key proves who answers; there is no certificate whose name could be checked.
    checkServerIdentity: () => undefined,
    timeout: CONNECT_TIMEOUT_MS,
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error(`${host}:${port} does not answer`)))
  })
  socket.removeAllListeners('error')
  socket.setTimeout(0)
  return socketChannel(socket)
}

function socketChannel<Out, In>(socket: TLSSocket): Channel<Out, In> {
  let reason = 'the other end has closed it'
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.on('error', (error) => {
    reason = error.message
  })
  return {
    send(message) {
      if (!socket.destroyed) socket.write(frame(message))
    },
    onMessage(hear) {
      const read = frameReader((message) => hear(message as In))
      socket.on('data', (piece: Buffer) => {
        try {
          read(piece)
        } catch (error) {
          socket.destroy(error as Error)
        }
      })
    },
    onEnd: (hear) => void socket.once('close', () => hear(reason)),
    close: () => void socket.end(),
  }
}
