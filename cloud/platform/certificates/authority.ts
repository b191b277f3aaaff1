import { createPrivateKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecret, replacePublic } from './files.ts'
import { type Issued, type Issuer, imported, issue, makeRoot, signingKey } from './x509.ts'

/** Long enough that a phone or an edge box need not learn another root in its life. */
const ROOT_DAYS = 20 * 365
/** Browsers of phones take no more from a root that people installed than 825 days, public roots 397. */
const SERVER_DAYS = 397
/** Short, because a box renews it by itself at two thirds of this. */
const CLIENT_DAYS = 90

/** The installation's own certificate authority. */
export interface Authority {
  /** The root in PEM, to be trusted by whoever connects. */
  readonly rootPem: string
  /** SHA-256 over the root, hexadecimal with colons, as phones and browsers show it. */
  readonly fingerprint: string
  /** For a TLS server under these host names and addresses; the key is made here. */
  issueServer(names: readonly string[]): Promise<Issued>
  /** For a TLS client that is known by a URI. With its public key given, as from a signing request, no key is made. */
  issueClient(uri: string, publicKey?: KeyObject): Promise<Issued>
  /** Signs a statement (ECDSA P-256 over SHA-256, DER in base64). It must begin with a line that says what it is: certificates are signed with the same key. */
  sign(statement: string): string
  /** True for a certificate that this authority signed, whatever its dates. */
  hasSigned(certificate: X509Certificate): boolean
}

export interface AuthorityOptions {
  /** Key and root are kept here in `ca.pem`, readable by the owner alone; the root alone in `root.pem`, for whoever connects. */
  readonly dir: string
  /** ms since 1970 */
  readonly clock: () => number
}

/** Opens the authority; the first time its key is made. @throws Error when the kept key cannot be used. */
export async function openAuthority({ dir, clock }: AuthorityOptions): Promise<Authority> {
  const file = join(dir, 'ca.pem')
  if (!existsSync(file)) {
    const { certPem, keyPem } = await makeRoot(`Andon CA ${randomBytes(3).toString('hex')}`, clock(), ROOT_DAYS)
    createSecret(file, keyPem + certPem)
  }
  const text = readFileSync(file, 'utf8')
  const root = readRoot(file, text)
  publishRoot(join(dir, 'root.pem'), root.toString())
  const issuer: Issuer = {
    name: root.issuer,
    privateKey: await signingKey(createPrivateKey(text)),
    publicKey: await imported(root.publicKey),
  }
  const key = createPrivateKey(text)
  return {
    sign: (statement) => sign('sha256', Buffer.from(statement), key).toString('base64'),
    hasSigned: (certificate) => certificate.checkIssued(root) && certificate.verify(root.publicKey),
    rootPem: root.toString(),
    fingerprint: root.fingerprint256,
    issueServer: (names) =>
      issue(issuer, { commonName: names[0] ?? 'localhost', purpose: 'server', names, at: clock(), days: SERVER_DAYS }),
    issueClient: (uri, publicKey) =>
      issue(issuer, {
        ...{ commonName: commonNameOf(uri), purpose: 'client', names: [uri], at: clock(), days: CLIENT_DAYS },
        ...(publicKey && { publicKey }),
      }),
  }
}

/** Its folder belongs to the operator, who takes it from there to boxes and phones. */
function publishRoot(file: string, rootPem: string): void {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== rootPem) replacePublic(file, rootPem)
}

function readRoot(file: string, text: string): X509Certificate {
  try {
    const root = new X509Certificate(text)
    if (!root.checkPrivateKey(createPrivateKey(text))) throw new Error('its key is another')
    return root
  } catch (cause) {
    const words = `The certificate authority in ${file} cannot be used; restore it from a backup, or remove it to make a new one that every edge and phone must learn again`
    throw new Error(words, { cause })
  }
}

/** X.520 allows 64 characters; the end of a URI says more than its beginning. */
const commonNameOf = (uri: string): string => uri.slice(-64)
