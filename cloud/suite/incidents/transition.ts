import { Type } from 'typebox'
import type { CommandContext } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { Id } from '#shared/contracts/http.ts'
import { type IncidentState, IncidentTransition } from '#shared/contracts/incident.ts'
import { say } from '../chat/index.ts'
import type { IncidentDeps } from './deps.ts'
import { type IncidentEvent, tell } from './events.ts'
import { restore } from './restore.ts'
import { afterMove, type IncidentMove } from './state.ts'
import { type FullIncidentRow, incidentStore } from './store.ts'

export const Transition = Type.Object(
  { incidentId: Id, ...IncidentTransition.properties },
  { additionalProperties: false },
)

/** Where people may bring an incident by decision. */
export type Target = 'contained' | 'restored' | 'review' | 'closed' | 'cancelled'

const MOVE: Readonly<Record<Target, IncidentMove>> = {
  contained: 'contain',
  restored: 'restore',
  review: 'review',
  closed: 'close',
  cancelled: 'cancel',
}

/** Why the incident may not go there now, as a stable code; undefined when it may. */
export function transitionRefusal(state: IncidentState, to: Target, reason: string | undefined): string | undefined {
  if (!afterMove(state, MOVE[to])) return 'incident.wrong-state'
  const needsReason = to === 'restored' || to === 'cancelled'
  return needsReason && !reason ? 'incident.reason-required' : undefined
}

/** Brings an incident where a person decides; a restore by hand is marked so and needs a reason. */
export async function transition(
  deps: IncidentDeps,
  context: CommandContext,
  incident: FullIncidentRow,
  { to, reason }: { readonly to: Target; readonly reason?: string | undefined },
): Promise<void> {
  const refusal = transitionRefusal(incident.state, to, reason)
  if (refusal)
    throw new DomainError('conflict', refusal, `The incident is ${incident.state}; it cannot become ${to} now`)
  if (to === 'restored')
    return restore(deps, context, incident, { proof: 'hand', at: context.at, reason: reason ?? '' })
  await context.records.update(incident.id, { state: to }, context.ifRevision)
  const stamps = stampsOf(context, to)
  if (stamps) await incidentStore(context.tx).set(incident.id, stamps)
  if (to === 'cancelled') await deps.notifications.endEscalation(context, incident.id)
  await tell(context, incident, EVENTS[to], { reason: reason ?? null })
  const line = LINES[to]
  const why = reason ? { en: `: ${reason}`, 'zh-CN': `：${reason}` } : { en: '', 'zh-CN': '' }
  const localized = { en: `${line.en}${why.en}`, 'zh-CN': `${line['zh-CN']}${why['zh-CN']}` }
  await say(context, incident.channel_id, { kind: 'system', localized, authorId: context.actor.id ?? undefined })
}

type Decided = Exclude<Target, 'restored'>

const EVENTS: Readonly<Record<Decided, IncidentEvent>> = {
  contained: 'incident.contained',
  review: 'incident.review-started',
  closed: 'incident.closed',
  cancelled: 'incident.cancelled',
}

const LINES: Readonly<Record<Decided, { en: string; 'zh-CN': string }>> = {
  contained: { en: 'Contained', 'zh-CN': '已遏制' },
  review: { en: 'Sent to review', 'zh-CN': '已送复盘' },
  closed: { en: 'Incident closed', 'zh-CN': '异常已关闭' },
  cancelled: { en: 'Incident cancelled', 'zh-CN': '异常已取消' },
}

function stampsOf({ at, actor }: CommandContext, to: Decided) {
  switch (to) {
    case 'contained':
      return { contained_at: at, contained_by: actor.id }
    case 'closed':
    case 'cancelled':
      return { closed_at: at }
    case 'review':
      return undefined
  }
}
