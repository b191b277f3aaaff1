import { createHash, verify, X509Certificate } from 'node:crypto'
import { Type } from 'typebox'
import type { Authority } from '#cloud/platform/certificates/index.ts'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import { type EdgeEnrolled, type EdgeRenewal, renewalStatement } from '#shared/contracts/edge-certificate.ts'
import { Id } from '#shared/contracts/http.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { enrolled } from './enrol.ts'
import { authorityOf, issueFor, keyFingerprint, keyOfRequest } from './issue.ts'
import { boxOfSerial, type CertificateRow, certificateStore, type KnownBox, renewalStore } from './store.ts'

const YEAR_MS = 365 * 86_400_000

/** A box whose certificate was found to be its own. */
export type ProvedBox = KnownBox & { readonly certificate: CertificateRow }

/**
 * Finds the box that signed a statement with the key of its certificate. The certificate may be over; one that was taken back
 * proves nothing. @throws DomainError `forbidden`.
 */
export async function proveBox(
  { db, authority, pipeline }: SuiteDeps,
  shown: Pick<EdgeRenewal, 'certificate' | 'signature'>,
  statement: string,
): Promise<ProvedBox> {
  const certificate = readCertificate(shown.certificate)
  const isOurs = certificate && authorityOf(authority, pipeline.mqtt.root).hasSigned(certificate)
  const signature = Buffer.from(shown.signature, 'base64')
  if (!isOurs || !verify('sha256', Buffer.from(statement), certificate.publicKey, signature)) throw notProved()
  const { serialNumber } = certificate
  const box = await boxOfSerial(db.system, serialNumber)
  const row = box && (await db.inOrg(box.org, (tx) => certificateStore(tx).one(serialNumber)))
  if (!row) throw notProved()
  if (row.revoked_at) {
    throw new DomainError('forbidden', 'certificate.revoked', 'This certificate was taken back: enrol the box anew')
  }
  return { ...box, certificate: row }
}

const notProved = () =>
  new DomainError('forbidden', 'certificate.not-proved', 'The certificate is none of ours, or the signature is not its')

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

/** Gives a box its next certificate; undefined while a person must confirm, because the present one is over. */
export async function renew(
  deps: SuiteDeps,
  request: EdgeRenewal,
  address: string | null,
): Promise<EdgeEnrolled | { readonly id: string }> {
  const authority = authorityOf(deps.authority, deps.pipeline.mqtt.root)
  const box = await proveBox(deps, request, renewalStatement(request))
  const actor = systemActor(box.org, `${box.group}/${box.edge}`)
  const { csr } = request
  const answer = await deps.door.execute(renewCommand(authority, box), actor, { edgeId: box.edgeId, csr, address })
  return answer.certificate === null ? { id: answer.id } : enrolled(deps, box, answer.certificate)
}

const renewCommand = (authority: Authority, box: ProvedBox) =>
  defineCommand({
    name: 'edge.renew-certificate',
    input: Type.Object({ edgeId: Id, csr: Type.String(), address: Type.Union([Type.String(), Type.Null()]) }),
    audited: ({ edgeId }) => ({ edgeId, serial: box.certificate.serial }),
    resource: () => ({ type: 'edge' }),
    async run(context, { csr, address }) {
      const store = renewalStore(context.tx)
      const key = await keyOfRequest(csr)
      const hash = createHash('sha256').update(csr.trim()).digest()
      const asked = await store.one(hash)
      const isOver = context.at > box.certificate.expires_at
      if (asked && asked.edge_id === box.edgeId) {
        if (asked.certificate !== null || asked.confirmed_at === null) return asked
        const certificate = await issueFor(context, authority, { ...box, key })
        await store.keepAnswer(hash, certificate)
        return { id: asked.id, certificate }
      }
      if (isOver) return await ask(context, box, { hash, keyFingerprint: keyFingerprint(key), address })
      const certificate = await issueFor(context, authority, { ...box, key })
      const id = newId()
      await store.add(renewalRow(context, box, { id, hash, keyFingerprint: keyFingerprint(key), address }))
      await store.confirm(box.edgeId, id, { name: 'itself', at: context.at })
      await store.keepAnswer(hash, certificate)
      const { edgeId } = box
      await context.emit({ type: 'edge.certificate-renewed', topics: ['edges'], data: { edgeId } })
      return { id, certificate }
    },
  })

interface Asked {
  readonly hash: Buffer
  readonly keyFingerprint: string
  readonly address: string | null
}

const renewalRow = ({ org, at }: CommandContext, box: ProvedBox, asked: Asked & { readonly id: string }) => ({
  ...{ id: asked.id, org_id: org, edge_id: box.edgeId, serial: box.certificate.serial, asked_at: at },
  ...{ request_hash: asked.hash, key_fingerprint: asked.keyFingerprint, address: asked.address },
})

/** An expired certificate proves less: the box may have stood in a store, or in somebody's car. */
async function ask(context: CommandContext, box: ProvedBox, asked: Asked) {
  if (context.at.getTime() - box.certificate.expires_at.getTime() > YEAR_MS) {
    const words = 'This certificate has been over for more than a year: enrol the box anew'
    throw new DomainError('forbidden', 'certificate.too-old', words)
  }
  const id = newId()
  await renewalStore(context.tx).add(renewalRow(context, box, { ...asked, id }))
  const { edgeId } = box
  await context.emit({ type: 'edge.renewal-asked', topics: ['edges'], data: { edgeId, renewalId: id } })
  return { id, certificate: null }
}
