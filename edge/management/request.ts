import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** A key made on this box, and the request to sign it. */
export interface SigningRequest {
  /** PKCS #8; it never leaves the box. */
  readonly keyPem: string
  /** PKCS #10. */
  readonly csrPem: string
  /** By which a person at the cloud knows that the request came from this box. */
  readonly keyFingerprint: string
}

/** ecdsa-with-SHA256, RFC 5758 3.2. */
const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
/** id-at-commonName, X.520. */
const COMMON_NAME = Buffer.from('0603550403', 'hex')
const VERSION_1 = Buffer.from('020100', 'hex')

/**
 * Makes a P-256 key and a signing request (RFC 2986); the names come from the authority, which knows whose code it was. Written
 * by hand: a library for it would cost the agent 40 MB for one message in two months.
 */
export function makeRequest(): SigningRequest {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('andon edge')))))
  const info = sequence(VERSION_1, name, spki, der(0xa0))
  const signature = der(0x03, Buffer.from([0]), sign('sha256', info, privateKey))
  const request = sequence(info, ECDSA_SHA256, signature)
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    csrPem: pem('CERTIFICATE REQUEST', request),
    keyFingerprint: createHash('sha256').update(spki).digest('hex').slice(0, 16),
  }
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)

/** One value in DER (X.690): tag, shortest length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
