import type { Actor } from '#cloud/platform/door/actor.ts'
import type { Door } from '#cloud/platform/door/door.ts'
import type { PolicyResource } from '#shared/policy/policy.ts'
import { type Act, type Offer, offersFor } from '../kernel/index.ts'
import { afterMove, isUnrestored } from './state.ts'
import type { FullIncidentRow, ResponderRow } from './store.ts'
import { type Target, transitionRefusal } from './transition.ts'

/** What the policy judges about an incident. */
export function incidentResource(
  row: Pick<FullIncidentRow, 'id' | 'state' | 'severity'>,
  responder: ResponderRow | undefined,
): PolicyResource {
  return { type: 'incident', id: row.id, state: row.state, severity: row.severity, isCalled: responder !== undefined }
}

/** What this viewer may do now: the next act of a called person first, then decisions. */
export function incidentOffers(
  door: Door,
  actor: Actor,
  row: FullIncidentRow,
  responder: ResponderRow | undefined,
): Offer[] {
  return offersFor(door, actor, incidentResource(row, responder), [
    ...responses(row, responder),
    ...(['contained', 'review', 'closed', 'restored', 'cancelled'] as const).flatMap((to) => decision(row, to)),
    { action: 'call', ask: 'incident.call' },
  ])
}

function responses(row: FullIncidentRow, responder: ResponderRow | undefined): Act[] {
  const ask = 'incident.respond'
  if (afterMove(row.state, 'seen') === undefined || responder?.arrived_at) return []
  if (responder?.accepted_at) return [{ action: 'arrive', ask }]
  const canAccept = afterMove(row.state, 'accept') !== undefined && row.state !== 'restored'
  const accept: Act[] = canAccept ? [{ action: 'accept', ask }] : []
  // Once the machine runs again there is nothing to come for; what is left is the review.
  const seen: Act[] = responder?.seen_at ? [] : [{ action: 'seen', ask, isAside: !isUnrestored(row.state) }]
  const decline: Act[] = responder && !responder.declined_at ? [{ action: 'decline', ask, isAside: true }] : []
  return [...accept, ...seen, ...decline]
}

/** The machine proves its restore, and the retro's approval closes; by hand both are ways around. */
const ASIDE: readonly Target[] = ['restored', 'closed', 'cancelled']

/** A decision that the state allows; its reason is asked for when it is taken. */
function decision(row: FullIncidentRow, to: Target): Act[] {
  const refusal = transitionRefusal(row.state, to, 'asked for when it is taken')
  return refusal ? [] : [{ action: to, ask: `incident.${to}`, isAside: ASIDE.includes(to) }]
}
