import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'

/** `GET /api/edges/:id/gaps`, newest first: a hole in history that was told. */
export const EdgeGap = Type.Object({
  id: Id,
  /** Null: of the whole box. */
  device: nullable(Type.String()),
  /** By source time; where the box could not tell, when it was recorded. */
  from: Instant,
  to: Instant,
  /** Samples that will not come; decimal string. */
  count: Type.String(),
  cause: Type.String(),
  recordedAt: Instant,
})
export type EdgeGap = Static<typeof EdgeGap>
