import { createHash, randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import type { Authority } from '#cloud/platform/certificates/index.ts'
import { type Actor, systemActor } from '#cloud/platform/door/actor.ts'
import { defineCommand } from '#cloud/platform/door/command.ts'
import type { ExecuteOptions } from '#cloud/platform/door/door.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import type { EdgeEnrolled, EdgeEnrolment, EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import { readEnrolmentCode, writeEnrolmentCode } from '#shared/contracts/enrolment-code.ts'
import { Id } from '#shared/contracts/http.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { authorityOf, issueFor, keyOfRequest } from './issue.ts'
import { boxOfCode, codeStore, type KnownBox } from './store.ts'

const HOUR_MS = 3_600_000
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** Makes a one-time code for an edge of the actor's organisation; only its hash is kept. */
export async function makeCode(
  deps: SuiteDeps,
  actor: Actor,
  { edgeId, hours = 24 }: { readonly edgeId: string; readonly hours?: number | undefined },
  intent: ExecuteOptions,
): Promise<EnrolmentCodeIssued> {
  const { fingerprint } = authorityOf(deps.authority, deps.pipeline.mqtt.root)
  const secret = randomBytes(18).toString('base64url')
  // A repeated request cannot be answered with a secret that nobody kept.
  const { idempotencyKey: _, ...once } = intent
  const hash = hashOf(secret).toString('base64')
  const made = await deps.door.execute(codeCommand(deps), actor, { edgeId, hours, hash }, once)
  const code = writeEnrolmentCode({ secret, fingerprint })
  const url = deps.boxUrl?.() ?? 'https://ANDON:8443'
  return { ...made, code, fingerprint, command: `andon edge enroll --cloud ${url} --code ${code}` }
}

const codeCommand = ({ pipeline }: SuiteDeps) =>
  defineCommand({
    name: 'edge.issue-code',
    action: 'edge.manage',
    input: Type.Object({ edgeId: Id, hours: Type.Integer(), hash: Type.String() }),
    audited: ({ edgeId, hours }) => ({ edgeId, hours }),
    resource: () => ({ type: 'edge' }),
    async run({ tx, org, actor, at, emit }, { edgeId, hours, hash }) {
      const edge = (await pipeline.edges(org)).find(({ id }) => id === edgeId)
      if (!edge) throw new DomainError('not-found', 'edge.unknown', `There is no edge ${edgeId}`)
      const id = newId()
      const expiresAt = new Date(at.getTime() + hours * HOUR_MS)
      const made = { made_by: actor.name, made_at: at, expires_at: expiresAt }
      const row = { id, org_id: org, edge_id: edgeId, code_hash: Buffer.from(hash, 'base64'), ...made }
      await codeStore(tx).add(row)
      await emit({ type: 'edge.code-issued', topics: ['edges'], data: { edgeId, by: actor.name } })
      return { id, expiresAt: expiresAt.toISOString() }
    },
  })

/** Gives a box with a good code its first certificate. @throws DomainError that tells nothing of whether the code ever was one. */
export async function enrol(deps: SuiteDeps, { code, csr }: EdgeEnrolment): Promise<EdgeEnrolled> {
  const { db, door, pipeline } = deps
  const authority = authorityOf(deps.authority, pipeline.mqtt.root)
  const read = readEnrolmentCode(code)
  const box = read && (await boxOfCode(db.system, hashOf(read.secret)))
  if (!box) throw codeIsOver()
  const actor = systemActor(box.org, `${box.group}/${box.edge}`)
  const certificate = await door.execute(enrolCommand(authority, box), actor, { edgeId: box.edgeId, csr })
  return enrolled(deps, box, certificate)
}

const codeIsOver = () =>
  new DomainError('forbidden', 'enrolment-code.over', 'This code is unknown, was used or is too old: ask for a new one')

const enrolCommand = (authority: Authority, box: KnownBox & { readonly id: string }) =>
  defineCommand({
    name: 'edge.enrol',
    input: Type.Object({ edgeId: Id, csr: Type.String() }),
    audited: ({ edgeId }) => ({ edgeId }),
    resource: () => ({ type: 'edge' }),
    async run(context, { csr }) {
      const key = await keyOfRequest(csr)
      if (!(await codeStore(context.tx).use(box.id, context.at))) throw codeIsOver()
      const certificate = await issueFor(context, authority, { ...box, key })
      const { edgeId } = box
      await context.emit({ type: 'edge.enrolled', topics: ['edges'], data: { edgeId } })
      return certificate
    },
  })

/** What a box is told with each new certificate: where to connect, and whom to trust. */
export function enrolled({ authority, pipeline }: SuiteDeps, box: KnownBox, certificate: string): EdgeEnrolled {
  const { isExternal, url, tlsPort, port, root } = pipeline.mqtt
  const broker = { url: isExternal ? url : null, port: tlsPort ?? port, isForeign: isExternal || root === undefined }
  return { group: box.group, edge: box.edge, certificate, root: authority?.rootPem ?? '', broker }
}
