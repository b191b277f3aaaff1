import type { IncomingHttpHeaders } from 'node:http'

/** Where the product may be reached; ports are known once it listens. */
export interface OwnOrigins {
  /** The one origin of links, cookies and pages, without a slash at the end. */
  readonly publicUrl: string
  readonly isLoopback: boolean
  readonly ports: readonly number[]
}

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]']

/** True for the public URL's origin and, while bound to loopback, for this machine's own names on the product's ports. */
export function isOwnOrigin(origin: string, own: OwnOrigins): boolean {
  if (origin === new URL(own.publicUrl).origin) return true
  if (!own.isLoopback) return false
  return LOOPBACK_HOSTS.some((host) => own.ports.some((port) => isSame(origin, host, port)))
}

function isSame(origin: string, host: string, port: number): boolean {
  return ['http', 'https'].some((scheme) => new URL(`${scheme}://${host}:${port}`).origin === origin)
}

/**
 * Says why a request that relies on the cookie is refused, undefined when it is not: another site must not act for a person
 * who is signed in. Bearer requests carry their credential on purpose and are never asked.
 */
export function crossSiteRefusal(headers: IncomingHttpHeaders, own: OwnOrigins): string | undefined {
  if (headers.authorization) return undefined
  const { origin } = headers
  if (origin !== undefined) return isOwnOrigin(origin, own) ? undefined : `Requests from ${origin} are not accepted`
  return headers['sec-fetch-site'] === 'cross-site' ? 'Requests from other sites are not accepted' : undefined
}
