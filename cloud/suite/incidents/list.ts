import { type Static, Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { Id } from '#shared/contracts/http.ts'
import type { IncidentState, IncidentSummary } from '#shared/contracts/incident.ts'
import { cursorId, pageOf } from '../kernel/index.ts'
import type { IncidentDeps } from './deps.ts'
import { ENDED_STATES, OPEN_STATES } from './state.ts'
import { incidentStore } from './store.ts'
import { summariesOf } from './view.ts'

export const IncidentQuery = Type.Object({
  show: Type.Optional(Type.Enum(['open', 'review', 'closed', 'all'])),
  asset: Type.Optional(Id),
  mine: Type.Optional(Type.Boolean()),
})

type Query = Static<typeof IncidentQuery> & { readonly cursor?: string; readonly limit?: number }

const STATES: Readonly<Record<string, readonly IncidentState[]>> = {
  open: OPEN_STATES,
  review: ['review'],
  closed: ENDED_STATES,
}

/** One page of incidents: unaccepted first, then severity, then oldest; the ended ones newest first. */
export async function listIncidents(
  deps: IncidentDeps,
  tx: Tx,
  actor: Actor,
  { show = 'open', asset, mine, cursor, limit = 100 }: Query,
) {
  const tree = await deps.assets.tree(tx)
  const states = STATES[show]
  const rows = await incidentStore(tx).list({
    limit: limit + 1,
    ...(states ? { states } : {}),
    ...(asset ? { assetIds: tree.below(asset).map((row) => row.id) } : {}),
    ...(mine && actor.id ? { personId: actor.id } : {}),
    ...(cursor ? { beforeId: cursorId(cursor) } : {}),
  })
  const page = pageOf(rows, limit, (row) => [row.id])
  const items = await summariesOf(deps, tx, page.items)
  return { items: show === 'open' ? items.sort(byUrgency) : items, nextCursor: page.nextCursor }
}

function byUrgency(a: IncidentSummary, b: IncidentSummary): number {
  const accepted = Number(a.acceptedBy.length > 0) - Number(b.acceptedBy.length > 0)
  return accepted || a.severity.localeCompare(b.severity) || a.startedAt.localeCompare(b.startedAt)
}
