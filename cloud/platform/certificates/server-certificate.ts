import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '#shared/config/config-error.ts'
import type { Log } from '#shared/log/log.ts'
import type { Authority } from './authority.ts'
import { replaceSecret } from './files.ts'

/** What a TLS server shows and holds, in PEM. */
export interface CertificateAndKey {
  readonly cert: string
  readonly key: string
}

/** A certificate that is renewed while servers use it. */
export interface ServerCertificate {
  current(): CertificateAndKey
  /** Calls `hear` with each new certificate; a TLS server takes it by setSecureContext(). */
  onChange(hear: (next: CertificateAndKey) => void): void
  /** Renews or reads again when it is time; done by itself every hour. */
  check(): Promise<void>
  close(): void
}

const HOUR_MS = 3_600_000

export interface OwnCertificateOptions {
  readonly authority: Authority
  /** Kept here in `server.pem`. */
  readonly dir: string
  /** Host names and addresses that it must be good for. */
  readonly names: readonly string[]
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
}

/** Keeps a certificate of the own authority: made again when a third of its life is left, or the names or the root are others. */
export async function ownCertificate(options: OwnCertificateOptions): Promise<ServerCertificate> {
  const { authority, dir, names, clock, log } = options
  const file = join(dir, 'server.pem')
  const renew = async () => {
    const { certPem, keyPem, notAfter } = await authority.issueServer(names)
    replaceSecret(file, `${keyPem}${certPem}`)
    log.info({ names, notAfter }, 'Made a server certificate')
    return readPair(file)
  }
  const kept = existsSync(file) ? readPair(file) : undefined
  const isGood = (pair: CertificateAndKey) => isUsable(pair, authority, names, clock())
  let current = kept && isGood(kept) ? kept : await renew()
  return watched(
    () => current,
    log,
    async () => {
      if (isGood(current)) return undefined
      current = await renew()
      return current
    },
  )
}

/**
 * Uses a certificate and key that the operator keeps, and reads them again when the files change, as after a renewal.
 * @throws ConfigError naming ANDON_TLS_CERT or ANDON_TLS_KEY.
 */
export function suppliedCertificate(certFile: string, keyFile: string, log: Log): ServerCertificate {
  const stamp = () => [certFile, keyFile].map((file) => statSync(file).mtimeMs).join()
  let current = readSupplied(certFile, keyFile)
  let readAt = stamp()
  return watched(
    () => current,
    log,
    async () => {
      const now = stamp()
      if (now === readAt) return undefined
      current = readSupplied(certFile, keyFile)
      readAt = now
      return current
    },
  )
}

function watched(
  current: () => CertificateAndKey,
  log: Log,
  renewed: () => Promise<CertificateAndKey | undefined>,
): ServerCertificate {
  const hearers: ((next: CertificateAndKey) => void)[] = []
  const check = async () => {
    try {
      const next = await renewed()
      if (next) for (const hear of hearers) hear(next)
    } catch (error) {
      log.error({ err: error }, 'The server certificate could not be renewed; the present one stays in use')
    }
  }
  const checking = setInterval(() => void check(), HOUR_MS).unref()
  return {
    current,
    onChange: (hear) => void hearers.push(hear),
    check,
    close: () => clearInterval(checking),
  }
}

/** A file that holds both, key first. */
function readPair(file: string): CertificateAndKey {
  const text = readFileSync(file, 'utf8')
  return { cert: text.slice(text.indexOf('-----BEGIN CERTIFICATE-----')), key: text }
}

function isUsable(pair: CertificateAndKey, authority: Authority, names: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(pair.cert)
    const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    if (!certificate.verify(new X509Certificate(authority.rootPem).publicKey)) return false
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return false
    if (!names.every((name) => certificate.checkHost(name) ?? certificate.checkIP(name))) return false
    return now >= from && now < until - (until - from) / 3
  } catch {
    return false
  }
}

function readSupplied(certFile: string, keyFile: string): CertificateAndKey {
  const cert = readSetting('ANDON_TLS_CERT', certFile, (text) => new X509Certificate(text))
  const key = readSetting('ANDON_TLS_KEY', keyFile, (text) => createPrivateKey(text))
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw settingFault('ANDON_TLS_KEY', keyFile, `the key of the certificate in ${certFile}`)
  }
  return { cert, key }
}

function readSetting(setting: string, file: string, parse: (text: string) => unknown): string {
  try {
    const text = readFileSync(file, 'utf8')
    parse(text)
    return text
  } catch (cause) {
    throw settingFault(setting, file, 'a readable PEM file', cause)
  }
}

function settingFault(setting: string, found: string, expected: string, cause?: unknown): ConfigError {
  const why = cause instanceof Error ? ` (${cause.message})` : ''
  const fix = `set ${setting} to ${expected}, or unset ANDON_TLS_CERT and ANDON_TLS_KEY to use the product's own authority`
  return new ConfigError([{ file: 'environment', path: setting, found: `'${found}'${why}`, expected, fix }])
}
