import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EdgeEnrolled } from '#shared/contracts/edge-certificate.ts'
import type { TimeSource } from './cloud-time.ts'
import { replaceFile } from './files.ts'

/** Where a box keeps who it is. */
export interface IdentityFiles {
  /** Key and certificate in one file, so that they are never of two different days. */
  readonly identity: string
  /** Root that signed the certificate, and signs configurations. */
  readonly root: string
  /** Where the cloud is. */
  readonly cloud: string
}

/** What a box was told when it enrolled. */
export interface CloudPlace {
  /** Origin of the cloud, `https://host:8443`. */
  readonly url: string
  readonly group: string
  readonly edge: string
  /** True when the broker shows a certificate of another authority. */
  readonly isForeign: boolean
}

/** A box that has enrolled. */
export interface Identity {
  readonly files: IdentityFiles
  readonly place: CloudPlace
  readonly keyPem: string
  readonly certPem: string
  readonly rootPem: string
  readonly certificate: X509Certificate
}

export const identityFiles = (data: string): IdentityFiles => ({
  identity: join(data, 'identity', 'identity.pem'),
  root: join(data, 'identity', 'root.pem'),
  cloud: join(data, 'identity', 'cloud.json'),
})

/** Reads who this box is; undefined when it has not enrolled. @throws Error when the files are there and cannot be used. */
export function readIdentity(data: string): Identity | undefined {
  const files = identityFiles(data)
  if (!existsSync(files.identity)) return undefined
  try {
    const text = readFileSync(files.identity, 'utf8')
    const at = text.indexOf('-----BEGIN CERTIFICATE-----')
    const [keyPem, certPem] = [text.slice(0, at), text.slice(at)]
    const certificate = new X509Certificate(certPem)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) throw new Error('the key is another')
    const place = JSON.parse(readFileSync(files.cloud, 'utf8')) as CloudPlace
    return { files, place, keyPem, certPem, rootPem: readFileSync(files.root, 'utf8'), certificate }
  } catch (cause) {
    throw new Error(`The identity in ${join(data, 'identity')} cannot be used; enrol this box anew`, { cause })
  }
}

/** Keeps what the cloud answered, the certificate last: half an enrolment is none. */
export function keepIdentity(data: string, keyPem: string, answer: EdgeEnrolled, url: string): void {
  const files = identityFiles(data)
  const { group, edge, broker, root, certificate } = answer
  const place: CloudPlace = { url, group, edge, isForeign: broker.isForeign }
  replaceFile(files.root, root)
  replaceFile(files.cloud, `${JSON.stringify(place, undefined, 2)}\n`)
  replaceFile(files.identity, keyPem + certificate)
}

/** Why an answer of the cloud is no certificate for this box; undefined when it is one. */
export function answerFault(
  { certificate, root }: EdgeEnrolled,
  keyPem: string,
  fingerprint: string,
): string | undefined {
  const [own, authority] = [new X509Certificate(certificate), new X509Certificate(root)]
  if (authority.fingerprint256 !== fingerprint) return `its authority is another (${authority.fingerprint256})`
  if (!own.checkIssued(authority) || !own.verify(authority.publicKey))
    return 'its authority did not sign the certificate'
  return own.checkPrivateKey(createPrivateKey(keyPem)) ? undefined : 'the certificate is for another key'
}

/** Who may tell this box the time; undefined before it has enrolled. */
export function timeSourceOf(data: string): TimeSource | undefined {
  const identity = readIdentity(data)
  return identity && { url: identity.place.url, fingerprint: new X509Certificate(identity.rootPem).fingerprint256 }
}
