import type { PolicyActor } from '#shared/policy/policy.ts'
import type { ActorKind } from '../database/tables.ts'

/** Where a request came from, for the audit. */
export interface Origin {
  readonly address: string | null
  readonly userAgent: string | null
}

/** Who acts. For people `id` is the person's id; for the system it is null. */
export interface Actor extends PolicyActor {
  readonly kind: ActorKind
  readonly org: string
  readonly name: string
  readonly origin: Origin
}

/** The product itself, in one organisation: handlers, timers, seeds. Every rule of the policy lets it pass. */
export function systemActor(org: string, name = 'system'): Actor {
  const origin = { address: null, userAgent: null }
  return { kind: 'system', id: null, org, name, roles: ['system'], relations: {}, origin }
}
