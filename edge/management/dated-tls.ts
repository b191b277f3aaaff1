import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { certificateFault } from './certificate-fault.ts'

/** A server to reach over TLS, and what to show it. */
export interface TlsTarget {
  readonly host: string
  readonly port: number
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly signal: AbortSignal
}

/** OpenSSL's words for a certificate whose dates do not fit the machine's clock. */
const DATE_CODES = ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']

/** True when dates are what a connection failed of: one of both, the certificate or the clock, is wrong. */
export const isDateFault = (error: unknown): boolean =>
  DATE_CODES.includes(String((error as { code?: unknown } | null)?.code))

/** Host and port of an address, as connect() takes them. */
export function endpointOf(address: string, usualPort: number): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || usualPort) }
}

/**
 * Connects over TLS to a server of one authority and judges its certificate by a time of ours instead of the machine's clock.
 * Resolves before anything was sent. @throws Error that tells why the certificate is not taken.
 */
export function connectAt(target: TlsTarget, rootPem: string, now: () => number): Promise<TLSSocket> {
  const { host, port, cert, key, signal } = target
  const root = new X509Certificate(rootPem)
  const name = isIP(host) === 0 ? { servername: host } : {}
  const shown = { ...(cert && { cert }), ...(key && { key }) }
  // OpenSSL would look at the machine's clock: the certificate is judged below, before anybody may write.
  const socket = connect({
    host,
    port,
    ...name,
    ...shown,
    ca: rootPem,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  })
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      reject(error)
    }
    const abort = () => fail(new Error('given up'))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    // It stays: between here and its user an error must not end the program.
    socket.on('error', fail)
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate()
      const fault = leaf ? certificateFault(leaf, { root, host, at: now() }) : 'there is none'
      if (fault !== undefined) return fail(new Error(`The certificate of ${host}:${port} is not taken: ${fault}`))
      signal.removeEventListener('abort', abort)
      resolve(socket)
    })
  })
}
