import 'reflect-metadata'
import { createHash, createPublicKey, webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** A key made on this box, and the request to sign it. */
export interface SigningRequest {
  /** PKCS #8; it never leaves the box. */
  readonly keyPem: string
  /** PKCS #10. */
  readonly csrPem: string
  /** By which a person at the cloud knows that the request came from this box. */
  readonly keyFingerprint: string
}

/** Makes a P-256 key and a signing request; the names come from the authority, which knows whose code it was. */
export async function makeRequest(): Promise<SigningRequest> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: [{ CN: ['andon edge'] }], keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } },
    webcrypto as Crypto,
  )
  return {
    keyPem: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
    csrPem: `${request.toString('pem')}\n`,
    keyFingerprint: fingerprintOf(await webcrypto.subtle.exportKey('spki', keys.publicKey)),
  }
}

function fingerprintOf(spki: ArrayBuffer): string {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
