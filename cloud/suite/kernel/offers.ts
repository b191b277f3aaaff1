import type { Actor } from '#cloud/platform/door/actor.ts'
import type { Door } from '#cloud/platform/door/door.ts'
import type { PolicyResource } from '#shared/policy/policy.ts'

/** What the viewer may do now, as a record shows it. */
export interface Offer {
  action: string
  isPrimary: boolean
  isEnabled: boolean
  reason: string | null
}

/** One act that a record could offer. */
export interface Act {
  readonly action: string
  /** What the policy is asked; never allowed means hidden. */
  readonly ask: string
  /** Why not now, as a stable code; absent means that it can be done. */
  readonly refusal?: string | undefined
  /** A step aside, back or out: offered, but never anybody's next act. */
  readonly isAside?: boolean
}

/** Keeps the acts that the policy allows; the first that leads on and can be done now is this person's next act. */
export function offersFor(door: Door, actor: Actor, resource: PolicyResource, acts: readonly Act[]): Offer[] {
  const allowed = acts.filter((act) => door.decide(actor, act.ask, resource).isAllowed)
  const primary = allowed.find((act) => act.refusal === undefined && !act.isAside)
  return allowed.map((act) => ({
    action: act.action,
    isPrimary: act === primary,
    isEnabled: act.refusal === undefined,
    reason: act.refusal ?? null,
  }))
}
