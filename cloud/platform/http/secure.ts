import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { CertificateAndKey, ServerCertificate } from '../certificates/index.ts'
import { portFault } from './port-fault.ts'

/** Where the port with TLS is opened, and what it shows. */
export interface TlsAddress {
  readonly host: string
  readonly port: number
  readonly certificate: ServerCertificate
}

export interface SecureServerOptions {
  /** Answers a request as the plain port does. */
  readonly serve: (request: IncomingMessage, reply: ServerResponse) => void
  /** Takes connections that become streams. */
  readonly attach: (server: Server) => void
}

/** The port with TLS, beside the plain one. */
export interface SecureServer {
  /** Undefined until it listens. */
  readonly port: number | undefined
  /** @throws ConfigError that names ANDON_HTTPS_PORT when the port is taken. */
  listen(address: TlsAddress): Promise<number>
  close(): Promise<void>
}

/** Makes it; nothing is opened before listen(). A renewed certificate is shown to whoever comes after. */
export function secureServer({ serve, attach }: SecureServerOptions): SecureServer {
  let server: TlsServer | undefined
  const portOf = () => (server?.address() as AddressInfo | null | undefined)?.port
  return {
    get port() {
      return portOf()
    },
    async listen({ host, port, certificate }) {
      server = createServer(contextOf(certificate.current()), serve)
      attach(server)
      certificate.onChange((next) => server?.setSecureContext(contextOf(next)))
      try {
        server.listen(port, host)
        await once(server, 'listening')
      } catch (error) {
        server = undefined
        throw portFault(error, 'ANDON_HTTPS_PORT', port)
      }
      return portOf() ?? port
    },
    async close() {
      if (!server?.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const contextOf = ({ cert, key }: CertificateAndKey) => ({ cert, key, minVersion: 'TLSv1.2' as const })
