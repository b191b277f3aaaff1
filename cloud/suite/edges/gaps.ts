import { Type } from 'typebox'
import { DomainError, found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { EdgeGap } from '#shared/contracts/edge-gap.ts'
import { Id, Page, PageQuery } from '#shared/contracts/http.ts'
import { cursorText, pageOf } from '../kernel/index.ts'
import type { EdgeDeps } from './routes.ts'
import { gapView } from './view.ts'

/** `GET /api/edges/:id/gaps`: newest first, page by page. */
export function gapRoutes(app: HttpApp, { pipeline }: EdgeDeps): void {
  app.get(
    '/api/edges/:id/gaps',
    {
      config: { access: { action: 'edge.view', type: 'edge' } },
      schema: { params: Type.Object({ id: Id }), querystring: PageQuery, response: { 200: Page(EdgeGap) } },
    },
    async ({ actor, params, query: { cursor, limit = 100 } }) => {
      const edges = await pipeline.edges(actor.org)
      const { group, edge } = found(
        edges.find((e) => e.id === params.id),
        'edge',
        params.id,
      )
      const own = { org: actor.org, group, edge, limit: limit + 1 }
      const after = cursor === undefined ? {} : { after: markOf(cursor) }
      const gaps = await pipeline.history.gaps({ ...own, ...after })
      const page = pageOf(gaps, limit, ({ recordedAt, id }) => [`${recordedAt} ${id}`])
      const items = page.items.map((gap) => ({
        ...{ id: gap.id, recordedAt: new Date(gap.recordedAt).toISOString() },
        ...gapView(gap),
      }))
      return { ...page, items }
    },
  )
}

const MARK = /^(\d{1,15}) ([0-9a-f-]{36})$/

function markOf(cursor: string) {
  const [, at, id] = MARK.exec(cursorText(cursor)) ?? []
  if (at !== undefined && id !== undefined) return { recordedAt: Number(at), id }
  throw new DomainError('invalid', 'page.bad-cursor', 'The cursor is not one that this list gave')
}
