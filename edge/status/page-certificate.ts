import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { bitString, commonName, der, ECDSA_SHA256, pem, sequence } from '#edge/management/der.ts'
import { replaceFile } from '#edge/management/files.ts'

/** What the local page shows beyond loopback, and what a person compares in the browser. */
export interface PageCertificate {
  readonly keyPem: string
  readonly certPem: string
  /** SHA-256, hexadecimal with colons, as browsers show it. */
  readonly fingerprint: string
  /** ms since 1970 */
  readonly until: number
}

export interface PageCertificateOptions {
  /** Key and certificate are kept here, readable by the owner alone. */
  readonly file: string
  /** Host names and addresses that it is made for. */
  readonly names: readonly string[]
  /** ms since 1970 */
  readonly now: number
}

/** Every name under which a browser may ask for the page of this box. */
export function pageNames(bind: string): string[] {
  const isEvery = bind === '0.0.0.0' || bind === '::'
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const addresses = isEvery ? all.filter(({ scopeid }) => !scopeid).map(({ address }) => address) : [bind]
  return [...new Set([hostname(), `${hostname()}.local`, 'localhost', '127.0.0.1', '::1', ...addresses])]
}

const DAY_MS = 86_400_000
/** Phones take no certificate that is longer good. */
const DAYS = 825
/** Made on a box whose clock is a little ahead, it is good on the phone beside it. */
const BACKDATED_MS = DAY_MS

/**
 * Keeps the certificate of the local page, signed by itself: who trusts it has compared its fingerprint, so it stays the same
 * as long as it is good. Made anew when a third of its life is left, or when the clock stands before it.
 */
export function keepPageCertificate({ file, names, now }: PageCertificateOptions): PageCertificate {
  const kept = existsSync(file) ? readCertificate(file) : undefined
  if (kept && isGood(kept, now)) return kept
  replaceFile(file, makeCertificate(names, now))
  const made = readCertificate(file)
  if (!made) throw new Error(`The certificate of the local page in ${file} cannot be used; remove that file`)
  return made
}

type Kept = PageCertificate & { readonly from: number }

const isGood = ({ from, until }: Kept, now: number): boolean => now >= from && now < until - (DAYS * DAY_MS) / 3

/** Undefined for a file that is damaged. */
function readCertificate(file: string): Kept | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    const at = text.indexOf('-----BEGIN CERTIFICATE-----')
    const [keyPem, certPem] = [text.slice(0, at), text.slice(at)]
    const certificate = new X509Certificate(certPem)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) return undefined
    const { fingerprint256: fingerprint, validFromDate, validToDate } = certificate
    return { keyPem, certPem, fingerprint, from: validFromDate.getTime(), until: validToDate.getTime() }
  } catch {
    return undefined
  }
}

const VERSION_3 = Buffer.from('a003020102', 'hex')
/** basicConstraints (no authority) and extKeyUsage (serverAuth), RFC 5280 4.2.1. */
const NO_AUTHORITY = Buffer.from('300c0603551d130101ff04023000', 'hex')
const FOR_SERVERS = Buffer.from('30130603551d25040c300a06082b06010505070301', 'hex')
/** id-ce-subjectAltName. */
const ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex')

/** Key and certificate in PEM (RFC 5280). */
function makeCertificate(names: readonly string[], now: number): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = commonName('andon edge')
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const validity = sequence(utcTime(now - BACKDATED_MS), utcTime(now - BACKDATED_MS + DAYS * DAY_MS))
  const subjects = sequence(ALTERNATIVE_NAMES, der(0x04, sequence(...names.map(generalName))))
  const extensions = der(0xa3, sequence(NO_AUTHORITY, FOR_SERVERS, subjects))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const info = sequence(VERSION_3, der(0x02, serial), ECDSA_SHA256, name, validity, name, spki, extensions)
  const certificate = sequence(info, ECDSA_SHA256, bitString(sign('sha256', info, privateKey)))
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() + pem('CERTIFICATE', certificate)
}

/** To 2049 two digits of the year are the form, RFC 5280 4.1.2.5. */
function utcTime(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')
  return at < Date.UTC(2050) ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

function generalName(name: string): Buffer {
  const family = isIP(name)
  if (family === 0) return der(0x82, Buffer.from(name))
  return der(0x87, family === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name))
}

/** The 16 bytes of an address, `::` filled up. */
function ipv6Bytes(address: string): Buffer {
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [first, last] = [groups(head), groups(tail ?? '')]
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
