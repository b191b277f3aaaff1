import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpcuaConfig } from './config.ts'

/** What is said of a server's certificate. */
export type Verdict = { readonly isTrusted: true } | { readonly isTrusted: false; readonly reason: string }

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
 * Judges a server's certificate. Trusted are the files in `trusted/`; an unknown certificate is put into `pending/`, where
 * a person compares its thumbprint and moves it. With `accept-first` the first one seen of an address is trusted at once.
 */
export function judge(der: Buffer, options: TrustOptions): Verdict {
  const thumbprint = thumbprintOf(der)
  const expired = outOfTime(der, options.now)
  if (expired) return { isTrusted: false, reason: `${expired} (thumbprint ${thumbprint})` }
  if (existsSync(join(options.directory, 'trusted', `${thumbprint}.der`))) return { isTrusted: true }
  if (options.mode === 'accept-first' && isFirst(thumbprint, options)) {
    keep(join(options.directory, 'trusted'), thumbprint, der)
    return { isTrusted: true }
  }
  keep(join(options.directory, 'pending'), thumbprint, der)
  const file = join(options.directory, 'pending', `${thumbprint}.der`)
  return { isTrusted: false, reason: `its certificate ${thumbprint} is not trusted yet; it lies in ${file}` }
}

function outOfTime(der: Buffer, now: number): string | undefined {
  const certificate = new X509Certificate(der)
  if (now > certificate.validToDate.getTime()) return `its certificate expired on ${certificate.validTo}`
  if (now < certificate.validFromDate.getTime()) return `its certificate is valid only from ${certificate.validFrom}`
  return undefined
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
