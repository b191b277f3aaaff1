import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Page, PageQuery } from '#shared/contracts/http.ts'
import { Retro, RetroEdit, RetroSummary, RetroTransition } from '#shared/contracts/retro.ts'
import { cursorId, pageOf, recordId } from '../kernel/index.ts'
import type { RetroCommands } from './commands.ts'
import { gatherFacts, type RetroDeps } from './facts.ts'
import { OPEN_RETROS, type RetroState } from './state.ts'
import { retroStore } from './store.ts'
import { retroView, summaryOf } from './view.ts'

const Params = Type.Object({ id: Type.String() })
const access = { action: 'retro.view', type: 'retro' }
const Query = Type.Object({ ...PageQuery.properties, show: Type.Optional(Type.Enum(['open', 'approved', 'all'])) })

/** `GET /api/retros[/:id]`, `PATCH /api/retros/:id` with `If-Match`, `POST /api/retros/:id/transitions`. */
export function retroRoutes(app: HttpApp, deps: RetroDeps, commands: RetroCommands): void {
  const { db, door } = deps
  const idOf = (org: string, id: string) => db.inOrg(org, (tx) => recordId(tx, 'retro', id))
  app.get(
    '/api/retros',
    { config: { access }, schema: { querystring: Query, response: { 200: Page(RetroSummary) } } },
    ({ actor, query }) => db.inOrg(actor.org, (tx) => listRetros(deps, tx, query)),
  )
  app.get(
    '/api/retros/:id',
    { config: { access }, schema: { params: Params, response: { 200: Retro } } },
    async ({ actor, params }, reply) => {
      const retro = await viewOf(deps, actor, await idOf(actor.org, params.id))
      return reply.header('etag', `"${retro.revision}"`).send(retro)
    },
  )
  app.patch(
    '/api/retros/:id',
    { config: { access }, schema: { params: Params, body: RetroEdit, response: { 200: Retro } } },
    async ({ actor, params, body, intent }, reply) => {
      if (intent.ifRevision === undefined) throw new DomainError('revision-required', 'retro.if-match', 'Send If-Match')
      const retroId = await idOf(actor.org, params.id)
      await door.execute(commands.edit, actor, { retroId, ...body }, intent)
      const retro = await viewOf(deps, actor, retroId)
      return reply.header('etag', `"${retro.revision}"`).send(retro)
    },
  )
  app.post(
    '/api/retros/:id/transitions',
    { config: { access }, schema: { params: Params, body: RetroTransition, response: { 200: Retro } } },
    async ({ actor, params, body: { to, reason }, intent }, reply) => {
      const retroId = await idOf(actor.org, params.id)
      await door.execute(commands[to], actor, { retroId, ...(reason ? { reason } : {}) }, intent)
      const retro = await viewOf(deps, actor, retroId)
      return reply.header('etag', `"${retro.revision}"`).send(retro)
    },
  )
}

function viewOf(deps: RetroDeps, actor: Actor, id: string) {
  return deps.db.inOrg(actor.org, async (tx) =>
    retroView(deps, tx, actor, found(await retroStore(tx).find(id), 'retro', id)),
  )
}

const STATES: Readonly<Record<string, readonly RetroState[]>> = {
  open: OPEN_RETROS,
  approved: ['approved', 'actions_open', 'effective', 'recurred'],
}

async function listRetros(deps: RetroDeps, tx: Tx, query: { show?: string; cursor?: string; limit?: number }) {
  const { show = 'open', limit = 100, cursor } = query
  const states = STATES[show]
  const rows = await retroStore(tx).list({
    limit: limit + 1,
    ...(states ? { states } : {}),
    ...(cursor ? { beforeId: cursorId(cursor) } : {}),
  })
  const page = pageOf(rows, limit, (row) => [row.id])
  const tree = await deps.assets.tree(tx)
  const items: RetroSummary[] = []
  for (const row of page.items) {
    const incident = found(await deps.incidents.find(tx, row.incident_id), 'incident', row.incident_id)
    const { downtimeSeconds } = row.facts ?? (await gatherFacts(deps, tx, incident))
    items.push({ ...summaryOf(row, incident, tree.ref(incident.asset_id)), downtimeSeconds })
  }
  return { items, nextCursor: page.nextCursor }
}
