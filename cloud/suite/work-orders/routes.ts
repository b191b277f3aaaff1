import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Page, PageQuery } from '#shared/contracts/http.ts'
import { TaskResult, WorkOrder, WorkOrderCreate, WorkOrderTransition } from '#shared/contracts/work-order.ts'
import { cursorId, NOBODY, pageOf, recordId } from '../kernel/index.ts'
import type { OrderCommands } from './commands.ts'
import { isDecision } from './rules.ts'
import { orderStore } from './store.ts'
import { type OrderViewDeps, ordersView } from './view.ts'

const Params = Type.Object({ id: Type.String() })
const access = { action: 'work-order.view', type: 'work-order' }
const Query = Type.Object({
  ...PageQuery.properties,
  show: Type.Optional(Type.Enum(['open', 'mine', 'closed', 'all'])),
  asset: Type.Optional(Id),
  incident: Type.Optional(Type.String()),
})

/** `GET|POST /api/work-orders`, `GET /api/work-orders/:id`, `POST …/transitions`, `PATCH …/tasks/:taskId`. */
export function orderRoutes(app: HttpApp, deps: OrderViewDeps, commands: OrderCommands): void {
  readRoutes(app, deps)
  writeRoutes(app, deps, commands)
}

function readRoutes(app: HttpApp, deps: OrderViewDeps): void {
  app.get(
    '/api/work-orders',
    { config: { access }, schema: { querystring: Query, response: { 200: Page(WorkOrder) } } },
    ({ actor, query }) => deps.db.inOrg(actor.org, (tx) => listOrders(deps, tx, actor, query)),
  )
  app.get(
    '/api/work-orders/:id',
    { config: { access }, schema: { params: Params, response: { 200: WorkOrder } } },
    async ({ actor, params }, reply) => {
      const order = await viewOf(deps, actor, params.id)
      return reply.header('etag', `"${order.revision}"`).send(order)
    },
  )
}

function writeRoutes(app: HttpApp, deps: OrderViewDeps, commands: OrderCommands): void {
  const { db, door } = deps
  const idOf = (org: string, id: string) => db.inOrg(org, (tx) => recordId(tx, 'work-order', id))
  app.post(
    '/api/work-orders',
    { config: { access }, schema: { body: WorkOrderCreate, response: { 201: WorkOrder } } },
    async ({ actor, body, intent }, reply) => {
      const { id } = await door.execute(commands.create, actor, body, intent)
      return reply.code(201).send(await viewOf(deps, actor, id))
    },
  )
  app.post(
    '/api/work-orders/:id/transitions',
    { config: { access }, schema: { params: Params, body: WorkOrderTransition, response: { 200: WorkOrder } } },
    async ({ actor, params, body, intent }) => {
      const { id: orderId, state } = await viewOf(deps, actor, params.id)
      const command = isDecision(state, body.to) ? commands.decide : commands.work
      await door.execute(command, actor, { orderId, ...body }, intent)
      return viewOf(deps, actor, orderId)
    },
  )
  app.patch(
    '/api/work-orders/:id/tasks/:taskId',
    {
      config: { access },
      schema: {
        params: Type.Object({ id: Type.String(), taskId: Id }),
        body: TaskResult,
        response: { 200: WorkOrder },
      },
    },
    async ({ actor, params, body, intent }) => {
      const orderId = await idOf(actor.org, params.id)
      await door.execute(commands.task, actor, { orderId, taskId: params.taskId, ...body }, intent)
      return viewOf(deps, actor, orderId)
    },
  )
}

function viewOf(deps: OrderViewDeps, actor: Actor, idOrNumber: string) {
  return deps.db.inOrg(actor.org, async (tx) => {
    const id = await recordId(tx, 'work-order', idOrNumber)
    const row = found(await orderStore(tx).find(id), 'work-order', id)
    return found((await ordersView(deps, tx, actor, [row]))[0], 'work-order', id)
  })
}

type ListQuery = { show?: string; asset?: string; incident?: string; cursor?: string; limit?: number }

async function listOrders(deps: OrderViewDeps, tx: Tx, actor: Actor, query: ListQuery) {
  const { show = 'open', limit = 100 } = query
  const tree = await deps.assets.tree(tx)
  const rows = await orderStore(tx).list({
    limit: limit + 1,
    ...(show === 'all' ? {} : { isEnded: show === 'closed' }),
    ...(show === 'mine' ? { assigneeId: actor.id ?? NOBODY } : {}),
    ...(query.asset ? { assetIds: tree.below(query.asset).map((row) => row.id) } : {}),
    ...(query.incident ? { incidentId: await recordId(tx, 'incident', query.incident) } : {}),
    ...(query.cursor ? { beforeId: cursorId(query.cursor) } : {}),
  })
  const page = pageOf(rows, limit, (row) => [row.id])
  return { items: await ordersView(deps, tx, actor, page.items), nextCursor: page.nextCursor }
}
