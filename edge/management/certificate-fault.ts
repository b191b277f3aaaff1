import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** id-kp-serverAuth, RFC 5280 4.2.1.12. */
const SERVER = '1.3.6.1.5.5.7.3.1'

export interface Expected {
  /** The one authority that may have signed it. */
  readonly root: X509Certificate
  /** Name or address under which the server was called. */
  readonly host: string
  /** ms since 1970 */
  readonly at: number
}

/**
 * Why a server's certificate is not good at a time; undefined when it is. For certificates that the authority of the box signed
 * itself, as it signs all of its own: longer chains have rules that only OpenSSL knows, and OpenSSL knows the machine's clock alone.
 */
export function certificateFault(leaf: X509Certificate, { root, host, at }: Expected): string | undefined {
  if (!leaf.checkIssued(root) || !leaf.verify(root.publicKey)) return 'the authority of this box did not sign it'
  if (leaf.ca || !leaf.keyUsage?.includes(SERVER)) return 'it is not for a server'
  const called = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)
  if (called === undefined) return `it is not for ${host}`
  return dateFault(leaf, at) ?? dateFault(root, at)
}

function dateFault({ validFromDate, validToDate }: X509Certificate, at: number): string | undefined {
  if (at < validFromDate.getTime()) return `it is not good before ${validFromDate.toISOString()}`
  return at > validToDate.getTime() ? `it was good until ${validToDate.toISOString()}` : undefined
}
