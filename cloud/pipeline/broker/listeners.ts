import { constants } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls'
import type { CertificateAndKey, ServerCertificate } from '#cloud/platform/certificates/index.ts'
import type { Gate } from './gate.ts'
import type { Refuse } from './refusals.ts'

/** The port for clients with TLS. */
export interface TlsListener {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly certificate: ServerCertificate
  /** Root in PEM that clients must trust; absent where the operator brought the certificate. */
  readonly serverRoot?: string | undefined
  /** Root in PEM of the authority whose client certificates name edges. */
  readonly clientAuthority: string
  /** True for the serial number (upper-case hexadecimal) of a certificate that is no longer good. */
  readonly isRevoked?: ((serial: string) => boolean) | undefined
}

/** What a listener stands in: who may come in, and where to. */
export interface Hall {
  readonly gate: Gate
  readonly refuse: Refuse
  readonly handshakeMs: number
  /** Takes a connection; `address` is the client's. */
  readonly accept: (socket: Socket, address: string) => void
}

/** An open port. */
export interface Listening {
  readonly host: string
  readonly port: number
  /** Takes no more connections; those that are there stay. */
  close(): Promise<void>
}

/** Opens the port for clients without TLS. @throws Error that names the setting when the port is taken. */
export async function listenPlain(hall: Hall, host: string, port: number): Promise<Listening> {
  const server = createServer({ noDelay: true }, (socket) => {
    const place = enter(hall, socket)
    if (place) hall.accept(socket, place.address)
  })
  return await listen(server, { host, port, setting: 'ANDON_MQTT_PORT' })
}

/**
 * Opens the port for clients with TLS. A client may show a certificate, and then it must be a good one.
 * @throws Error that names the setting when the port is taken.
 */
export async function listenTls(hall: Hall, tls: TlsListener): Promise<Listening> {
  const secure = createTlsServer({
    ...contextOf(tls, tls.certificate.current()),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: hall.handshakeMs,
  })
  secure.on('secureConnection', (socket) => {
    const address = addressOf(socket)
    const fault = certificateFault(socket, tls)
    if (fault === undefined) return hall.accept(socket, address)
    hall.refuse('certificate-not-good', address, { fault, subject: socket.getPeerX509Certificate()?.subjectAltName })
    socket.destroy()
  })
  secure.on('tlsClientError', (error, socket) => {
    hall.refuse('tls-fault', addressOf(socket), { fault: (error as NodeJS.ErrnoException).code ?? error.message })
    socket.destroy()
  })
  tls.certificate.onChange((next) => secure.setSecureContext(contextOf(tls, next)))
  // The gate stands before the handshake, which costs a thousand times as much as a connection.
  const server = createServer({ noDelay: true }, (socket) => {
    if (enter(hall, socket)) secure.emit('connection', socket)
  })
  return await listen(server, { host: tls.host, port: tls.port, setting: 'ANDON_MQTTS_PORT' })
}

function contextOf({ clientAuthority }: TlsListener, { cert, key }: CertificateAndKey) {
  const minVersion: SecureVersion = 'TLSv1.2'
  // No tickets: a resumed session would carry a certificate that was judged a while ago.
  return { cert, key, ca: [clientAuthority], minVersion, secureOptions: constants.SSL_OP_NO_TICKET }
}

/** Why the certificate that a client shows is not good; undefined when it is, or when none is shown. */
function certificateFault(socket: TLSSocket, { isRevoked }: TlsListener): string | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) return undefined
  if (!socket.authorized) return String(socket.authorizationError)
  return isRevoked?.(certificate.serialNumber) ? 'CERT_REVOKED' : undefined
}

const addressOf = (socket: Socket): string => socket.remoteAddress?.replace(/^::ffff:/, '') ?? 'unknown'

function enter({ gate, refuse }: Hall, socket: Socket): { readonly address: string } | undefined {
  const address = addressOf(socket)
  // A connection that is reset before it is taken over has nobody else to hear of it.
  socket.on('error', () => undefined)
  const refusal = gate.enter(address)
  if (refusal) {
    refuse(refusal, address)
    socket.destroy()
    return undefined
  }
  socket.once('close', () => gate.leave(address))
  return { address }
}

interface Place {
  readonly host: string
  readonly port: number
  readonly setting: string
}

function listen(server: Server, { host, port, setting }: Place): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      const words = `MQTT port ${port} on ${host} is in use; free it or set ${setting} to another (0 picks a free one)`
      reject(isTaken ? new Error(words, { cause: error }) : error)
    })
    server.listen({ port, host, backlog: 4096 }, () => {
      const address = server.address()
      const close = () => new Promise<void>((done) => server.close(() => done()))
      resolve({ host, port: typeof address === 'object' && address ? address.port : port, close })
    })
  })
}
