import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { found } from '#cloud/platform/errors.ts'
import type { Retro, RetroSummary } from '#shared/contracts/retro.ts'
import { chip } from '../directory/index.ts'
import type { FullIncidentRow } from '../incidents/index.ts'
import { activityOf, instant, offersFor } from '../kernel/index.ts'
import { authorsOf, returnOf } from './authors.ts'
import { missingOf, whySkeleton } from './draft.ts'
import { gatherFacts, type RetroDeps } from './facts.ts'
import { nextRetroStates, type RetroIntent, retroRefusal } from './state.ts'
import { type ActionRow, type FullRetroRow, type RetroFacts, retroStore } from './store.ts'

export const retroResource = (row: FullRetroRow) => ({ type: 'retro', id: row.id, state: row.state })

const ASK: Readonly<Record<string, string>> = {
  in_review: 'retro.submit',
  approved: 'retro.approve',
  drafting: 'retro.return',
}

/** A retro with its facts: read anew until it is approved, then as they were approved. */
export async function retroView(deps: RetroDeps, tx: Tx, actor: Actor, row: FullRetroRow): Promise<Retro> {
  const incident = found(await deps.incidents.find(tx, row.incident_id), 'incident', row.incident_id)
  const facts = row.facts ?? (await gatherFacts(deps, tx, incident))
  const actions = await retroStore(tx).actions(row.id)
  const activity = await activityOf(tx, [row.id])
  const returned = returnOf(activity)
  const owners = actions.map((a) => a.owner_id)
  const people = await deps.directory.refs(
    tx,
    [row.approved_by, returned?.actor_id, ...owners].map((id) => id ?? null),
  )
  const asset = (await deps.assets.tree(tx)).ref(incident.asset_id)
  const missing = missingNow(row, facts, actions.length)
  const isAuthor = actor.id !== null && authorsOf(activity).has(actor.id)
  const questions = whySkeleton(asset.name, facts.firstOut[0]?.name)
  return {
    ...summaryOf(row, incident, asset),
    ...facts,
    whys: questions.map((question, i) => ({ question, answer: row.whys[i] ?? null })),
    summary: row.summary,
    actions: actions.map((a) => actionView(a, chip(people, a.owner_id))),
    missing,
    returned: returned
      ? { by: chip(people, returned.actor_id), at: returned.at.toISOString(), reason: returned.reason }
      : null,
    approvedBy: chip(people, row.approved_by),
    approvedAt: instant(row.approved_at),
    revision: row.revision,
    offers: offersOf(deps, actor, row, { missingCount: missing.length, isAuthor }),
  }
}

export function missingNow(row: FullRetroRow, facts: RetroFacts, actionCount: number): Retro['missing'] {
  const restoredAt = facts.restoredAt ? new Date(facts.restoredAt) : null
  return missingOf({ summary: row.summary, whys: row.whys, actionCount, restoredAt })
}

function actionView(row: ActionRow, owner: Retro['actions'][number]['owner']): Retro['actions'][number] {
  const { id, text, type } = row
  return { id, text, type, owner, dueAt: instant(row.due_at), doneAt: instant(row.done_at) }
}

type Judged = Pick<RetroIntent, 'missingCount' | 'isAuthor'>

function offersOf({ door }: RetroDeps, actor: Actor, row: FullRetroRow, judged: Judged) {
  const steps = nextRetroStates(row.state).filter((to) => ASK[to] !== undefined)
  const acts = steps.map((to) => ({
    action: to,
    ask: ASK[to] ?? '',
    refusal: retroRefusal(row.state, { ...judged, to, reason: 'asked for when it is taken' }),
  }))
  return offersFor(door, actor, retroResource(row), acts)
}

/** The head that list and page share. */
export function summaryOf(
  row: FullRetroRow,
  incident: FullIncidentRow,
  asset: RetroSummary['asset'],
): Omit<RetroSummary, 'downtimeSeconds'> {
  return {
    id: row.id,
    number: row.number ?? '',
    title: row.title,
    state: row.state,
    severity: incident.severity as RetroSummary['severity'],
    incident: { id: incident.id, number: incident.number ?? '' },
    asset,
    startedAt: incident.started_at.toISOString(),
    createdAt: row.created_at.toISOString(),
  }
}
