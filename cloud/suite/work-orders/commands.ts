import { Type } from 'typebox'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { found } from '#cloud/platform/errors.ts'
import { Id } from '#shared/contracts/http.ts'
import { TaskResult, WorkOrderCreate, WorkOrderTransition } from '#shared/contracts/work-order.ts'
import type { Assets } from '../assets/index.ts'
import type { Incidents } from '../incidents/index.ts'
import { plain } from '../kernel/index.ts'
import { createOrder } from './create.ts'
import { tell } from './events.ts'
import { type FullOrderRow, orderStore } from './store.ts'
import { isDone, requireFitting } from './tasks.ts'
import { transition } from './transition.ts'

export interface OrderCommandDeps {
  readonly assets: Assets
  readonly incidents: Incidents
}

/** What the policy judges about an order. */
export const orderResource = (order: FullOrderRow) => ({
  type: 'work-order',
  id: order.id,
  state: order.state,
  assigneeId: order.assignee_id,
})

async function lockOrder(context: CommandContext, id: string): Promise<FullOrderRow> {
  await context.records.lock(id, 'work-order')
  return found(await orderStore(context.tx).find(id), 'work-order', id)
}

/** What people and events may do to work orders. */
export const orderCommands = (deps: OrderCommandDeps) => ({
  create: createCommand(deps),
  dispatch: dispatchCommand(deps),
  /** The assignee's own steps. */
  work: transitionCommand(deps, 'work-order.work'),
  /** Steps that decide about others' work: assign, verify, close, cancel. */
  decide: transitionCommand(deps, 'work-order.decide'),
  task: taskCommand(),
})

export type OrderCommands = ReturnType<typeof orderCommands>

function createCommand({ assets, incidents }: OrderCommandDeps) {
  return defineCommand({
    name: 'work-order.create',
    input: WorkOrderCreate,
    resource: () => ({ type: 'work-order' }),
    async run(context, input) {
      found((await assets.tree(context.tx)).byId.get(input.assetId), 'asset', input.assetId)
      const incident = input.incidentId
        ? found(await incidents.find(context.tx, input.incidentId), 'incident', input.incidentId)
        : undefined
      const order = await createOrder(context, {
        title: plain(input.title),
        priority: input.priority ?? incident?.priority ?? 'medium',
        assetId: input.assetId,
        incident,
        assigneeId: input.assigneeId ?? null,
        state: input.assigneeId ? 'assigned' : 'requested',
      })
      return { id: order.id }
    },
  })
}

/** Gives the person who accepted an incident an order for it, once. */
function dispatchCommand({ incidents }: OrderCommandDeps) {
  return defineCommand({
    name: 'work-order.dispatch',
    input: Type.Object({ incidentId: Id, personId: Id }),
    resource: () => ({ type: 'work-order' }),
    async run(context, { incidentId, personId }) {
      const dispatchKey = `incident:${incidentId}:${personId}`
      await context.records.lock(incidentId)
      const known = await orderStore(context.tx).byDispatch(dispatchKey)
      if (known) return { id: known.id }
      const incident = found(await incidents.find(context.tx, incidentId), 'incident', incidentId)
      const { title, priority, asset_id: assetId } = incident
      const order = { title, priority, assetId, incident, assigneeId: personId, dispatchKey }
      return { id: (await createOrder(context, { ...order, state: 'accepted' })).id }
    },
  })
}

function transitionCommand({ assets }: OrderCommandDeps, name: string) {
  return defineCommand({
    name,
    input: Type.Object({ orderId: Id, ...WorkOrderTransition.properties }, { additionalProperties: false }),
    resource: async (context, input) => orderResource(await lockOrder(context, input.orderId)),
    async run(context, { orderId, ...step }) {
      const reason = step.reason ?? context.reason
      await transition(context, assets, await lockOrder(context, orderId), { ...step, reason })
      return { id: orderId }
    },
  })
}

function taskCommand() {
  return defineCommand({
    name: 'work-order.task',
    action: 'work-order.work',
    input: Type.Object({ orderId: Id, taskId: Id, ...TaskResult.properties }, { additionalProperties: false }),
    resource: async (context, input) => orderResource(await lockOrder(context, input.orderId)),
    async run(context, { orderId, taskId, result }) {
      const order = await lockOrder(context, orderId)
      const store = orderStore(context.tx)
      const task = found(
        (await store.tasks([orderId])).find((t) => t.id === taskId),
        'task',
        taskId,
      )
      requireFitting(task, result)
      const done = isDone(result)
      const done_by = done ? context.actor.id : null
      await store.setTask(taskId, { result, done_by, done_at: done ? context.at : null })
      await context.records.update(orderId, {})
      await tell(context, order, 'work-order.task-done', { taskId, result })
      return { id: orderId }
    },
  })
}
