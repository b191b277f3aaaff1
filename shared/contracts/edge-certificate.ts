import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'

const Pem = Type.String({ minLength: 1, maxLength: 8_000 })
const closed = { additionalProperties: false } as const

/** `POST /api/edges/:id/enrolment-codes`: how long the code is good. */
export const EnrolmentCodeRequest = Type.Object(
  { hours: Type.Optional(Type.Integer({ minimum: 1, maximum: 168, default: 24 })) },
  closed,
)
export type EnrolmentCodeRequest = Static<typeof EnrolmentCodeRequest>

/** A code, shown once. */
export const EnrolmentCodeIssued = Type.Object({
  id: Id,
  code: Type.String(),
  /** The line to paste on the box. */
  command: Type.String(),
  /** SHA-256 of the root that the code carries, as phones and browsers show it. */
  fingerprint: Type.String(),
  expiresAt: Instant,
})
export type EnrolmentCodeIssued = Static<typeof EnrolmentCodeIssued>

/** `POST /api/edge-enrolments`, from a box: its code and its signing request (PKCS #10, P-256) in PEM. */
export const EdgeEnrolment = Type.Object({ code: Type.String({ minLength: 1, maxLength: 200 }), csr: Pem }, closed)
export type EdgeEnrolment = Static<typeof EdgeEnrolment>

/** What a box gets: its certificate and all that it needs to connect. */
export const EdgeEnrolled = Type.Object({
  group: Type.String(),
  edge: Type.String(),
  certificate: Pem,
  /** Root of the authority that signed it, and that signs configurations. */
  root: Pem,
  broker: Type.Object({
    /** Null: the host of the cloud's address, with `port`. */
    url: nullable(Type.String()),
    port: Type.Integer(),
    /** True when the broker shows a certificate of another authority, which the box must know already. */
    isForeign: Type.Boolean(),
  }),
})
export type EdgeEnrolled = Static<typeof EdgeEnrolled>

/** `POST /api/edge-certificate-renewals`, from a box: a new request, signed with the key of the present certificate. */
export const EdgeRenewal = Type.Object(
  { csr: Pem, certificate: Pem, signature: Type.String({ minLength: 1, maxLength: 400 }) },
  closed,
)
export type EdgeRenewal = Static<typeof EdgeRenewal>

/** The answer to an expired certificate: a person must confirm; the box asks again with the same request. */
export const EdgeRenewalWaits = Type.Object({ id: Id, state: Type.Literal('waits-for-confirmation') })
export type EdgeRenewalWaits = Static<typeof EdgeRenewalWaits>

/** A certificate as people see it. */
export const EdgeCertificate = Type.Object({
  /** Upper-case hexadecimal. */
  serial: Type.String(),
  /** SHA-256, as phones and browsers show it. */
  fingerprint: Type.String(),
  issuedAt: Instant,
  expiresAt: Instant,
  state: Type.Union([Type.Literal('good'), Type.Literal('expired'), Type.Literal('revoked')]),
  revokedAt: nullable(Instant),
  revokedBy: nullable(Type.String()),
  reason: nullable(Type.String()),
})
export type EdgeCertificate = Static<typeof EdgeCertificate>

/** A box whose certificate expired asks for another: somebody who knows where it stands confirms. */
export const PendingRenewal = Type.Object({
  id: Id,
  /** Of the expired certificate. */
  serial: Type.String(),
  /** SHA-256 over the new public key, as `andon edge` logs it. */
  keyFingerprint: Type.String(),
  askedAt: Instant,
  address: nullable(Type.String()),
})
export type PendingRenewal = Static<typeof PendingRenewal>

/** `GET /api/edges/:id/certificates`: newest first. */
export const EdgeCertificates = Type.Object({
  items: Type.Array(EdgeCertificate),
  renewals: Type.Array(PendingRenewal),
  nextCursor: Type.Null(),
})
export type EdgeCertificates = Static<typeof EdgeCertificates>

export const Revocation = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) }, closed)
export type Revocation = Static<typeof Revocation>

/** What a box signs with the key of its present certificate, so that no one else can ask for its next one. */
export const renewalStatement = ({ csr, certificate }: Pick<EdgeRenewal, 'csr' | 'certificate'>): string =>
  `andon edge certificate renewal v1\n${certificate.trim()}\n${csr.trim()}\n`
