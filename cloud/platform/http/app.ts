import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Actor } from '../door/actor.ts'
import type { ExecuteOptions } from '../door/door.ts'

/** What a module registers its routes on: schemas are TypeBox, request and reply types follow from them. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/**
 * Who may call a route. `public`: everyone, signed in or not. `signed-in`: every account (the door or the query decides the
 * rest). `{action, type}`: the policy is asked before the handler runs. A route that declares none stops the start.
 */
export type Access = 'public' | 'signed-in' | { readonly action: string; readonly type: string }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Who is signed in. Throws DomainError `unauthenticated` on a public route without credential. */
    readonly actor: Actor
    /** The same, undefined for nobody. */
    readonly maybeActor: Actor | undefined
    /** `Idempotency-Key`, `If-Match` and `X-Andon-Reason` of the request, for `door.execute`. */
    readonly intent: ExecuteOptions
  }
}
