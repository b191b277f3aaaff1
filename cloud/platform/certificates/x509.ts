import 'reflect-metadata'
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
/** A device whose clock is a day slow takes a new certificate all the same. */
const BACKDATED_MS = DAY_MS

/** A certificate and, when it was made here, its key. */
export interface Issued {
  readonly certPem: string
  /** PKCS #8; undefined when the key was made elsewhere. */
  readonly keyPem: string | undefined
  /** Upper-case hexadecimal, as Node's X509Certificate tells it. */
  readonly serial: string
  readonly notAfter: Date
}

/** Who signs: the authority's own name and keys. */
export interface Issuer {
  /** Distinguished name, e.g. `CN=Andon CA 1f2e`. */
  readonly name: string
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
}

export interface CertificateRequest {
  /** The subject's common name, told to people; programs read the names. */
  readonly commonName: string
  readonly purpose: 'server' | 'client'
  /** Host names, IP addresses and URIs that the certificate is good for. */
  readonly names: readonly string[]
  /** ms since 1970 */
  readonly at: number
  readonly days: number
  /** The holder's own public key; without it a pair is made. */
  readonly publicKey?: KeyObject
}

/** Makes a self-signed P-256 root that may sign certificates, but no further authority. */
export async function makeRoot(commonName: string, at: number, days: number): Promise<Issued & { keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const serial = newSerial()
  const notAfter = new Date(at + days * DAY_MS)
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      ...{ keys, notAfter, signingAlgorithm: SIGNATURE },
      name: nameOf(commonName),
      serialNumber: serial,
      notBefore: new Date(at - BACKDATED_MS),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto as Crypto),
      ],
    },
    webcrypto as Crypto,
  )
  return { certPem: pemOf(certificate), keyPem: await exported(keys.privateKey), serial, notAfter }
}

/** Signs a certificate for a TLS server or client. */
export async function issue(issuer: Issuer, request: CertificateRequest): Promise<Issued> {
  const { at, days, purpose, names, commonName } = request
  const keys = request.publicKey ? undefined : await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const publicKey = keys?.publicKey ?? (await imported(request.publicKey as KeyObject))
  const serial = newSerial()
  const notAfter = new Date(at + days * DAY_MS)
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([purpose === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension(names.map(generalName)),
    await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto as Crypto),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto as Crypto),
  ]
  const certificate = await X509CertificateGenerator.create(
    {
      ...{ publicKey, notAfter, extensions, signingAlgorithm: SIGNATURE },
      subject: nameOf(commonName),
      issuer: issuer.name,
      serialNumber: serial,
      notBefore: new Date(at - BACKDATED_MS),
      signingKey: issuer.privateKey,
    },
    webcrypto as Crypto,
  )
  return { certPem: pemOf(certificate), keyPem: keys && (await exported(keys.privateKey)), serial, notAfter }
}

/** The key of a signing request (PKCS #10 in PEM), which only its holder can have signed; undefined for anything else than a good one of P-256. */
export async function requestedKey(csrPem: string): Promise<KeyObject | undefined> {
  try {
    const request = new Pkcs10CertificateRequest(csrPem)
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
    const isRight = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    return isRight && (await request.verify(webcrypto as Crypto)) ? key : undefined
  } catch {
    return undefined
  }
}

/** Reads a PKCS #8 P-256 key in PEM for signing. */
export async function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return await webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), KEY, false, ['sign'])
}

/** Reads any P-256 public key. */
export async function imported(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return await webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), KEY, true, ['verify'])
}

/** 16 bytes by chance (CA/Browser Forum: at least 64 bits), the first with neither sign nor leading zero, so that its text has one form. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex').toUpperCase()
}

const nameOf = (commonName: string) => [{ CN: [commonName] }]

function generalName(name: string): JsonGeneralNames[number] {
  if (isIP(name)) return { type: 'ip', value: name }
  return /^[a-z][a-z0-9+.-]*:/i.test(name) ? { type: 'url', value: name } : { type: 'dns', value: name }
}

const pemOf = (certificate: { toString(format: 'pem'): string }): string => `${certificate.toString('pem')}\n`

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END PRIVATE KEY-----\n`
}
