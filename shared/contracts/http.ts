import { type Static, type TSchema, Type } from 'typebox'

/** Instants on the wire: RFC 3339 UTC. */
export const Instant = Type.String({ format: 'date-time' })
export const Id = Type.String({ format: 'uuid' })

/** One page of a list; `nextCursor` null means that nothing follows. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })
export interface PageOf<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** What every list takes. */
export const PageQuery = Type.Object({
  cursor: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
})

/** RFC 9457 problem details. `code` is public API, `detail` is for people. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
  /** Every fault of the request at once, each with its JSON pointer. */
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  traceId: Type.Optional(Type.String()),
})
export type Problem = Static<typeof Problem>

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
