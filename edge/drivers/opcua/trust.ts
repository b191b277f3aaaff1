import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpcuaConfig } from './config.ts'

/** What is said of a server's certificate; `validUntil` in ms since 1970. */
export type Verdict =
  | { readonly isTrusted: true; readonly validUntil: number }
  | { readonly isTrusted: false; readonly kind: 'untrusted' | 'certificate-time'; readonly reason: string }

export interface TrustOptions {
  /** Holds `trusted/`, `pending/` and `first/`. */
  readonly directory: string
  readonly url: string
  readonly mode: OpcuaConfig['trust']
  /** ms since 1970. */
  readonly now: number
}

/** SHA-1 of the certificate in hex: how OPC UA tools show and file certificates. */
export const thumbprintOf = (der: Buffer): string => createHash('sha1').update(der).digest('hex')

/**
 * Judges a server's certificate. Trusted are the files in `trusted/`, never those in `rejected/`; an unknown certificate is put
 * into `pending/`, where a person compares its thumbprint and decides. With `accept-first` the first one seen of an address is
 * trusted at once.
 */
export function judge(der: Buffer, options: TrustOptions): Verdict {
  const { directory, now } = options
  const thumbprint = thumbprintOf(der)
  const { validFromDate, validToDate } = new X509Certificate(der)
  const validUntil = validToDate.getTime()
  const wrongTime = outOfTime('its certificate', { validFromDate, validToDate }, now)
  if (wrongTime)
    return { isTrusted: false, kind: 'certificate-time', reason: `${wrongTime} (thumbprint ${thumbprint})` }
  if (isIn(join(directory, 'rejected'), thumbprint, der))
    return { isTrusted: false, kind: 'untrusted', reason: `its certificate ${thumbprint} was rejected by a person` }
  if (isIn(join(directory, 'trusted'), thumbprint, der)) return { isTrusted: true, validUntil }
  if (options.mode === 'accept-first' && isFirst(thumbprint, options)) {
    keep(join(directory, 'trusted'), thumbprint, der)
    return { isTrusted: true, validUntil }
  }
  keep(join(directory, 'pending'), thumbprint, der)
  const file = join(directory, 'pending', `${thumbprint}.der`)
  const reason = `its certificate ${thumbprint} is not trusted yet; it lies in ${file}`
  return { isTrusted: false, kind: 'untrusted', reason }
}

/** Says that a certificate is out of its time; undefined when it is not. */
export function outOfTime(
  what: string,
  { validFromDate, validToDate }: Pick<X509Certificate, 'validFromDate' | 'validToDate'>,
  now: number,
): string | undefined {
  if (now > validToDate.getTime()) return `${what} expired on ${validToDate.toISOString()}`
  if (now < validFromDate.getTime())
    return `${what} is valid only from ${validFromDate.toISOString()}, and it is ${new Date(now).toISOString()} here`
  return undefined
}

/** The bytes decide, not the name: a file is what a person has trusted. */
function isIn(folder: string, thumbprint: string, der: Buffer): boolean {
  const file = join(folder, `${thumbprint}.der`)
  return existsSync(file) && readFileSync(file).equals(der)
}

/** True when this address has shown no other certificate before. */
function isFirst(thumbprint: string, { directory, url }: TrustOptions): boolean {
  const folder = join(directory, 'first')
  const file = join(folder, createHash('sha256').update(url).digest('hex').slice(0, 32))
  if (existsSync(file)) return readFileSync(file, 'utf8').trim() === thumbprint
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(file, `${thumbprint}\n`, { mode: 0o600 })
  return true
}

function keep(folder: string, thumbprint: string, der: Buffer): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${thumbprint}.der`), der, { mode: 0o600 })
}
