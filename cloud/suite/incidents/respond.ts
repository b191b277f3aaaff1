import { Type } from 'typebox'
import type { CommandContext } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { Id } from '#shared/contracts/http.ts'
import { IncidentResponse } from '#shared/contracts/incident.ts'
import { join, say } from '../chat/index.ts'
import { personOf } from '../kernel/index.ts'
import type { IncidentDeps } from './deps.ts'
import { type IncidentEvent, tell } from './events.ts'
import { afterMove } from './state.ts'
import { type FullIncidentRow, incidentStore, type ResponderChange, type ResponderRow } from './store.ts'

export const Respond = Type.Object({ incidentId: Id, ...IncidentResponse.properties }, { additionalProperties: false })

export interface Answer {
  readonly response: 'seen' | 'accept' | 'arrive' | 'decline'
  readonly etaMinutes?: number | undefined
  readonly reason?: string | undefined
}

/** A person's answer on an incident: their own clock, and the incident's where they are the first. Repeating it changes nothing. */
export async function respond(
  deps: IncidentDeps,
  context: CommandContext,
  incident: FullIncidentRow,
  answer: Answer,
): Promise<void> {
  const person = personOf(context.actor)
  const responder = await incidentStore(context.tx).responder(incident.id, person)
  const answering = { deps, context, incident, responder, person }
  switch (answer.response) {
    case 'seen':
      return see(answering)
    case 'accept':
      return accept(answering, answer)
    case 'arrive':
      return arrive(answering)
    case 'decline':
      return decline(answering, answer)
  }
}

interface Answering {
  readonly deps: IncidentDeps
  readonly context: CommandContext
  readonly incident: FullIncidentRow
  readonly responder: ResponderRow | undefined
  readonly person: string
}

async function see(answering: Answering): Promise<void> {
  const { deps, context, incident, responder, person } = answering
  if (responder?.seen_at) return
  await move(answering, 'seen')
  await note(answering, { seen_at: context.at })
  await deps.notifications.answer(context, incident.id, person, ['seen_at'])
  await acknowledgeFirst(answering)
  await told(answering, 'incident.seen', {})
}

async function accept(answering: Answering, { etaMinutes }: Answer): Promise<void> {
  const { deps, context, incident, responder, person } = answering
  if (responder?.accepted_at) return
  await move(answering, 'accept')
  const seen_at = responder?.seen_at ?? context.at
  await note(answering, { seen_at, accepted_at: context.at, eta_minutes: etaMinutes ?? null, declined_at: null })
  await deps.notifications.answer(context, incident.id, person, ['seen_at', 'accepted_at'])
  await acknowledgeFirst(answering)
  if (incident.accepted_at === null) {
    await incidentStore(context.tx).set(incident.id, { accepted_at: context.at, accepted_by: person })
  }
  const trade = responder?.trade ?? null
  await deps.notifications.endEscalation(context, incident.id, incident.trades.length > 1 ? trade : null)
  await join(context, incident.channel_id, [person])
  await told(answering, 'incident.accepted', { trade, etaMinutes: etaMinutes ?? null })
}

/** Arriving sets a clock only; who has not accepted is not expected. */
async function arrive(answering: Answering): Promise<void> {
  const { context, incident, responder, person } = answering
  if (responder?.arrived_at) return
  if (!responder?.accepted_at) {
    throw new DomainError('conflict', 'incident.not-accepted', 'Only a person who has accepted can arrive')
  }
  await note(answering, { arrived_at: context.at })
  if (incident.arrived_at === null) {
    await incidentStore(context.tx).set(incident.id, { arrived_at: context.at, arrived_by: person })
  }
  await told(answering, 'incident.arrived', {})
}

/** Who cannot come makes room at once: the trade's next person is called without waiting for the timer. */
async function decline(answering: Answering, { reason }: Answer): Promise<void> {
  const { deps, context, incident, responder, person } = answering
  if (responder?.declined_at) return
  await note(answering, { declined_at: context.at, decline_reason: reason ?? null, accepted_at: null })
  await deps.notifications.answer(context, incident.id, person, ['declined_at'])
  await told(answering, 'incident.declined', { reason: reason ?? null })
  if (responder?.trade) await deps.notifications.escalateNow(context, incident.id, responder.trade)
}

async function move({ context, incident }: Answering, by: 'seen' | 'accept'): Promise<void> {
  const next = afterMove(incident.state, by)
  if (!next) throw new DomainError('conflict', 'incident.wrong-state', `The incident is ${incident.state}`)
  if (next !== incident.state) await context.records.update(incident.id, { state: next })
}

async function note({ context, incident, person }: Answering, change: ResponderChange): Promise<void> {
  const key = { incident_id: incident.id, org_id: context.org, person_id: person }
  await incidentStore(context.tx).setResponder(key, change)
}

/** The first who has seen it acknowledges the incident. */
async function acknowledgeFirst({ context, incident, person }: Answering): Promise<void> {
  if (incident.acknowledged_at !== null) return
  await incidentStore(context.tx).set(incident.id, { acknowledged_at: context.at, acknowledged_by: person })
}

const LINES: Readonly<Record<string, { en: string; 'zh-CN': string }>> = {
  'incident.seen': { en: 'has seen it', 'zh-CN': '收到' },
  'incident.accepted': { en: 'is on the way', 'zh-CN': '接单出发' },
  'incident.arrived': { en: 'has arrived', 'zh-CN': '已到场' },
  'incident.declined': { en: 'cannot come', 'zh-CN': '无法前往' },
}

async function told(
  { context, incident, person }: Answering,
  type: IncidentEvent,
  data: Record<string, string | number | null>,
): Promise<void> {
  await tell(context, incident, type, { personId: person, name: context.actor.name, ...data })
  const line = LINES[type] ?? { en: type, 'zh-CN': type }
  const { name } = context.actor
  const localized = { en: `${name} ${line.en}`, 'zh-CN': `${name}${line['zh-CN']}` }
  await say(context, incident.channel_id, { kind: 'system', localized, authorId: person })
}
