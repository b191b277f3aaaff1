import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { bitString, commonName, der, ECDSA_SHA256, pem, sequence } from './der.ts'

/** A key made on this box, and the request to sign it. */
export interface SigningRequest {
  /** PKCS #8; it never leaves the box. */
  readonly keyPem: string
  /** PKCS #10. */
  readonly csrPem: string
  /** By which a person at the cloud knows that the request came from this box. */
  readonly keyFingerprint: string
}

const VERSION_1 = Buffer.from('020100', 'hex')

/**
 * Makes a P-256 key and a signing request (RFC 2986); the names come from the authority, which knows whose code it was.
 */
export function makeRequest(): SigningRequest {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const info = sequence(VERSION_1, commonName('andon edge'), spki, der(0xa0))
  const request = sequence(info, ECDSA_SHA256, bitString(sign('sha256', info, privateKey)))
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    csrPem: pem('CERTIFICATE REQUEST', request),
    keyFingerprint: createHash('sha256').update(spki).digest('hex').slice(0, 16),
  }
}
