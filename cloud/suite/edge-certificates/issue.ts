import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import type { EdgeRef } from '#cloud/pipeline/index.ts'
import { type Authority, requestedKey } from '#cloud/platform/certificates/index.ts'
import type { CommandContext } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { edgeUri } from '#shared/contracts/edge-uri.ts'
import { certificateStore } from './store.ts'

/** The authority, or a refusal that says what to do: this process may stand elsewhere than the one that has it. */
export function authorityOf(authority: Authority | undefined, root: string | undefined): Authority {
  if (authority && (root === undefined || root === authority.rootPem)) return authority
  const words =
    'This process does not have the authority that the broker trusts: run the roles web and broker on one data directory'
  throw new DomainError('unavailable', 'ca.elsewhere', words)
}

/** The key of a signing request. @throws DomainError for anything but a good PKCS #10 request of P-256. */
export async function keyOfRequest(csr: string): Promise<KeyObject> {
  const key = await requestedKey(csr)
  if (key) return key
  throw new DomainError(
    'invalid',
    'csr.invalid',
    'The signing request is none: PKCS #10 in PEM, a P-256 key, signed by it',
  )
}

/** SHA-256 over a public key, as the box logs it and a person compares it. */
export const keyFingerprint = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)

/** Signs a certificate for an edge and notes it. */
export async function issueFor(
  { tx, org, at }: CommandContext,
  authority: Authority,
  { edgeId, key, ...ref }: EdgeRef & { readonly edgeId: string; readonly key: KeyObject },
): Promise<string> {
  const { certPem, serial, notAfter } = await authority.issueClient(edgeUri(ref), key)
  const fingerprint = new X509Certificate(certPem).fingerprint256
  const row = { serial, org_id: org, edge_id: edgeId, fingerprint, issued_at: at, expires_at: notAfter }
  await certificateStore(tx).add(row)
  return certPem
}
