import { Type } from 'typebox'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Page } from '#shared/contracts/http.ts'
import { Department, Person } from '#shared/contracts/person.ts'
import { onePage, type SuiteDeps } from '../kernel/index.ts'
import type { OnDuty } from './index.ts'
import { isFoundBy, personOf } from './person.ts'
import { directoryStore } from './store.ts'

const PeopleQuery = Type.Object({ q: Type.Optional(Type.String({ maxLength: 200 })) })

/** `GET /api/people`, `GET /api/people/:id`, `GET /api/departments`. */
export function directoryRoutes(app: HttpApp, { db, clock, onDuty }: SuiteDeps & { onDuty: OnDuty }): void {
  const access = { action: 'person.view', type: 'person' }
  app.get(
    '/api/people',
    { config: { access }, schema: { querystring: PeopleQuery, response: { 200: Page(Person) } } },
    ({ actor, query }) =>
      db.inOrg(actor.org, async (tx) => {
        const duty = await onDuty(tx, new Date(clock()))
        const rows = (await directoryStore(tx).list()).filter((row) => !query.q || isFoundBy(row, query.q))
        return onePage(rows.map((row) => personOf(row, duty)))
      }),
  )
  app.get(
    '/api/people/:id',
    { config: { access }, schema: { params: Type.Object({ id: Id }), response: { 200: Person } } },
    ({ actor, params }) =>
      db.inOrg(actor.org, async (tx) => {
        const row = found(await directoryStore(tx).person(params.id), 'person', params.id)
        return personOf(row, await onDuty(tx, new Date(clock())))
      }),
  )
  app.get(
    '/api/departments',
    {
      config: { access: { action: 'department.view', type: 'department' } },
      schema: { response: { 200: Page(Department) } },
    },
    async ({ actor }) => {
      const rows = await db.inOrg(actor.org, (tx) => directoryStore(tx).departments())
      return onePage(
        rows.map((row) => ({
          id: row.id,
          parentId: row.parent_id,
          name: row.name,
          position: row.position,
          memberCount: Number(row.member_count),
        })),
      )
    },
  )
}
