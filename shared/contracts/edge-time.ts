import { type Static, Type } from 'typebox'
import { Instant } from './http.ts'

/** `POST /api/edge-times`, from a box whose clock may be wrong: a number that nobody has used before (base64url). */
export const EdgeTimeRequest = Type.Object(
  { nonce: Type.String({ pattern: '^[A-Za-z0-9_-]{22,86}$' }) },
  { additionalProperties: false },
)
export type EdgeTimeRequest = Static<typeof EdgeTimeRequest>

/** The time of the cloud, signed with the key of its authority. */
export const EdgeTime = Type.Object({
  at: Instant,
  /** Of timeStatement(), ECDSA P-256 over SHA-256, DER in base64. */
  signature: Type.String(),
  /** The root in PEM; a box knows it by its fingerprint. */
  root: Type.String(),
})
export type EdgeTime = Static<typeof EdgeTime>

/** What the authority signs: the time, for one question alone. */
export const timeStatement = ({ nonce, at }: EdgeTimeRequest & Pick<EdgeTime, 'at'>): string =>
  `andon edge time v1\n${nonce}\n${at}\n`
