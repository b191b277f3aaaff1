import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Instant, nullable, Page, PageQuery } from '#shared/contracts/http.ts'
import {
  Incident,
  IncidentCall,
  IncidentResponse,
  IncidentSummary,
  IncidentTransition,
  TimelineEntry,
} from '#shared/contracts/incident.ts'
import { PersonRef } from '#shared/contracts/person.ts'
import { recordId } from '../kernel/index.ts'
import type { IncidentCommands } from './commands.ts'
import type { IncidentDeps } from './deps.ts'
import { IncidentQuery, listIncidents } from './list.ts'
import { pageSheet } from './sheet.ts'
import { incidentStore } from './store.ts'
import { timelineOf } from './timeline.ts'
import { incidentView } from './view.ts'

const Params = Type.Object({ id: Type.String() })
const access = { action: 'incident.view', type: 'incident' }
const Value = nullable(Type.Union([Type.Number(), Type.Boolean(), Type.String()]))
const Sheet = Type.Object({
  id: Id,
  incident: IncidentSummary,
  person: PersonRef,
  pagedAt: Instant,
  seenAt: nullable(Instant),
  acceptedAt: nullable(Instant),
  declinedAt: nullable(Instant),
  tagPath: nullable(Type.String()),
  value: Value,
  setpoint: nullable(Type.Number()),
})

/** `GET /api/incidents[/:id[/timeline]]`, `GET /api/pages/:id`. */
export function incidentReadRoutes(app: HttpApp, deps: IncidentDeps): void {
  const { db } = deps
  app.get(
    '/api/incidents',
    {
      config: { access },
      schema: {
        querystring: Type.Object({ ...PageQuery.properties, ...IncidentQuery.properties }),
        response: { 200: Page(IncidentSummary) },
      },
    },
    ({ actor, query }) => db.inOrg(actor.org, (tx) => listIncidents(deps, tx, actor, query)),
  )
  app.get(
    '/api/incidents/:id',
    { config: { access }, schema: { params: Params, response: { 200: Incident } } },
    async ({ actor, params }, reply) => {
      const incident = await db.inOrg(actor.org, async (tx) =>
        incidentView(deps, tx, actor, await findRow(tx, params.id)),
      )
      return reply.header('etag', `"${incident.revision}"`).send(incident)
    },
  )
  app.get(
    '/api/incidents/:id/timeline',
    {
      config: { access },
      schema: { params: Params, response: { 200: Type.Object({ items: Type.Array(TimelineEntry) }) } },
    },
    ({ actor, params }) =>
      db.inOrg(actor.org, async (tx) => ({ items: await timelineOf(deps, tx, await findRow(tx, params.id)) })),
  )
  app.get(
    '/api/pages/:id',
    {
      config: { access: { action: 'page.view', type: 'page' } },
      schema: { params: Type.Object({ id: Id }), response: { 200: Sheet } },
    },
    ({ actor, params }) => db.inOrg(actor.org, (tx) => pageSheet(deps, tx, params.id)),
  )
}

async function findRow(tx: Tx, idOrNumber: string) {
  return found(await incidentStore(tx).find(await recordId(tx, 'incident', idOrNumber)), 'incident', idOrNumber)
}

/** `POST /api/incidents/:id/responses|transitions|calls`; each answers the incident as it then is. */
export function incidentActRoutes(app: HttpApp, deps: IncidentDeps, commands: IncidentCommands): void {
  const { db, door } = deps
  const idOf = (org: string, id: string) => db.inOrg(org, (tx) => recordId(tx, 'incident', id))
  const answer = (actor: Parameters<typeof incidentView>[2], id: string) =>
    db.inOrg(actor.org, async (tx) => incidentView(deps, tx, actor, await findRow(tx, id)))
  app.post(
    '/api/incidents/:id/responses',
    { config: { access }, schema: { params: Params, body: IncidentResponse, response: { 200: Incident } } },
    async ({ actor, params, body, intent }) => {
      const incidentId = await idOf(actor.org, params.id)
      await door.execute(commands.respond, actor, { incidentId, ...body }, intent)
      return answer(actor, incidentId)
    },
  )
  app.post(
    '/api/incidents/:id/transitions',
    { config: { access }, schema: { params: Params, body: IncidentTransition, response: { 200: Incident } } },
    async ({ actor, params, body, intent }) => {
      const incidentId = await idOf(actor.org, params.id)
      await door.execute(commands.transitions[body.to], actor, { incidentId, ...body }, intent)
      return answer(actor, incidentId)
    },
  )
  app.post(
    '/api/incidents/:id/calls',
    { config: { access }, schema: { params: Params, body: IncidentCall, response: { 200: Incident } } },
    async ({ actor, params, body, intent }) => {
      const incidentId = await idOf(actor.org, params.id)
      await door.execute(commands.call, actor, { incidentId, ...body }, intent)
      return answer(actor, incidentId)
    },
  )
}
