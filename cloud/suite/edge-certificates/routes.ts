import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import {
  type EdgeCertificate,
  EdgeCertificates,
  EdgeEnrolled,
  EdgeEnrolment,
  EdgeRenewal,
  EdgeRenewalWaits,
  EnrolmentCodeIssued,
  EnrolmentCodeRequest,
  Revocation,
} from '#shared/contracts/edge-certificate.ts'
import { EdgeTime, EdgeTimeRequest } from '#shared/contracts/edge-time.ts'
import { Id } from '#shared/contracts/http.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { enrol, makeCode } from './enrol.ts'
import { authorityOf } from './issue.ts'
import { renew } from './renew.ts'
import { confirmRenewal, revokeCertificates } from './revoke.ts'
import { type CertificateRow, certificateStore, type RenewalRow, renewalStore } from './store.ts'
import { signedTime } from './time.ts'

const manage = { action: 'edge.manage', type: 'edge' }
const EdgeParams = Type.Object({ id: Id })

/** What boxes call before they are known, or to stay known: each request carries its own proof, a code or a signature. */
export function boxRoutes(app: HttpApp, deps: SuiteDeps): void {
  timeRoute(app, deps)
  app.post(
    '/api/edge-enrolments',
    { config: { access: 'public' }, schema: { body: EdgeEnrolment, response: { 201: EdgeEnrolled } } },
    async ({ body }, reply) => reply.code(201).send(await enrol(deps, body)),
  )
  app.post(
    '/api/edge-certificate-renewals',
    {
      config: { access: 'public' },
      schema: { body: EdgeRenewal, response: { 201: EdgeEnrolled, 202: EdgeRenewalWaits } },
    },
    async ({ body, ip }, reply) => {
      const answer = await renew(deps, body, ip ?? null)
      if ('certificate' in answer) return reply.code(201).send(answer)
      return reply.code(202).send({ id: answer.id, state: 'waits-for-confirmation' })
    },
  )
}

/** Public, since a box with a wrong clock can prove nothing yet; what it signs is good for the one question. */
function timeRoute(app: HttpApp, { authority, pipeline, clock }: SuiteDeps): void {
  app.post(
    '/api/edge-times',
    { config: { access: 'public' }, schema: { body: EdgeTimeRequest, response: { 200: EdgeTime } } },
    async ({ body }) => signedTime(authorityOf(authority, pipeline.mqtt.root), body, clock()),
  )
}

/** What people do with certificates of edges. */
export function certificateRoutes(app: HttpApp, deps: SuiteDeps): void {
  const { db, door } = deps
  app.post(
    '/api/edges/:id/enrolment-codes',
    {
      config: { access: manage },
      schema: { params: EdgeParams, body: EnrolmentCodeRequest, response: { 201: EnrolmentCodeIssued } },
    },
    async ({ actor, params, body, intent }, reply) =>
      reply.code(201).send(await makeCode(deps, actor, { edgeId: params.id, hours: body.hours }, intent)),
  )
  app.get(
    '/api/edges/:id/certificates',
    {
      config: { access: { action: 'edge.view', type: 'edge' } },
      schema: { params: EdgeParams, response: { 200: EdgeCertificates } },
    },
    async ({ actor, params }) => {
      await knownEdge(deps, actor.org, params.id)
      return db.inOrg(actor.org, (tx) => listOf(tx, params.id, deps.clock()))
    },
  )
  app.post(
    '/api/edges/:id/certificate-revocations',
    {
      config: { access: manage },
      schema: { params: EdgeParams, body: RevocationOfAny, response: { 200: Serials } },
    },
    async ({ actor, params, body, intent }) => {
      await knownEdge(deps, actor.org, params.id)
      return door.execute(revokeCertificates, actor, { edgeId: params.id, ...body }, intent)
    },
  )
  app.post(
    '/api/edges/:id/certificate-renewals/:renewalId/confirmations',
    {
      config: { access: manage },
      schema: {
        params: Type.Object({ id: Id, renewalId: Id }),
        response: { 200: Type.Object({ serial: Type.String() }) },
      },
    },
    ({ actor, params, intent }) =>
      door.execute(confirmRenewal, actor, { edgeId: params.id, id: params.renewalId }, intent),
  )
}

/** Without a serial number: every certificate of the edge. */
const RevocationOfAny = Type.Object(
  { ...Revocation.properties, serial: Type.Optional(Type.String({ pattern: '^[0-9A-F]{2,64}$' })) },
  { additionalProperties: false },
)
const Serials = Type.Object({ serials: Type.Array(Type.String()) })

async function knownEdge({ pipeline }: SuiteDeps, org: string, id: string) {
  return found(
    (await pipeline.edges(org)).find((edge) => edge.id === id),
    'edge',
    id,
  )
}

async function listOf(tx: Tx, edgeId: string, now: number) {
  const items = (await certificateStore(tx).of(edgeId)).map((row) => certificateView(row, now))
  return { items, renewals: (await renewalStore(tx).waiting(edgeId)).map(renewalView), nextCursor: null }
}

function certificateView(row: CertificateRow, now: number): EdgeCertificate {
  const isOver = row.expires_at.getTime() <= now
  return {
    ...{ serial: row.serial, fingerprint: row.fingerprint, revokedBy: row.revoked_by, reason: row.reason },
    issuedAt: row.issued_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    state: row.revoked_at ? 'revoked' : isOver ? 'expired' : 'good',
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }
}

const renewalView = ({ id, serial, key_fingerprint: keyFingerprint, asked_at, address }: RenewalRow) => ({
  ...{ id, serial, keyFingerprint, address },
  askedAt: asked_at.toISOString(),
})
