import type { CommandContext } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import type { FailureReport, WorkOrderState } from '#shared/contracts/work-order.ts'
import type { Assets } from '../assets/index.ts'
import { EVENT_OF, tell, tellAssigned } from './events.ts'
import { refusal, settledState } from './state.ts'
import { type FullOrderRow, type OrderChange, orderStore } from './store.ts'

export interface Step {
  readonly to: WorkOrderState
  readonly reason?: string | undefined
  readonly assigneeId?: string | undefined
  readonly failure?: FailureReport | undefined
}

/** Brings an order to its next state: stamps, labour, inbox and the fact commit together. Throws `conflict` with the cause. */
export async function transition(
  context: CommandContext,
  assets: Assets,
  order: FullOrderRow,
  step: Step,
): Promise<void> {
  await requireAllowed(context, order, step)
  const assigneeId = step.assigneeId ?? order.assignee_id
  const state = settledState({ state: order.state, assigneeId }, step.to)
  const change = { state, ...(assigneeId === order.assignee_id ? {} : { ownerId: assigneeId }) }
  await context.records.update(order.id, change, context.ifRevision)
  await orderStore(context.tx).set(changeOf(context, order, { ...step, assigneeId }), order.id)
  await clockLabour(context, order, step.to)
  const data = {
    from: order.state,
    state,
    assigneeId,
    reason: step.reason ?? null,
    ...(await deviceOf(context, assets, order)),
  }
  await tell(context, order, EVENT_OF[step.to], data)
  await keepInbox(context, { ...order, assignee_id: assigneeId }, state)
}

async function requireAllowed(context: CommandContext, order: FullOrderRow, step: Step): Promise<void> {
  const tasks = await orderStore(context.tx).tasks([order.id])
  const facts = {
    state: order.state,
    kind: order.kind,
    assigneeId: order.assignee_id,
    hasFailureReport: (step.failure ?? order.failure) !== null,
    openTaskCount: tasks.filter((task) => task.done_at === null).length,
  }
  const code = refusal(facts, step)
  if (code) throw new DomainError('conflict', code, `The work order is ${order.state}; it cannot become ${step.to} now`)
}

type Settled = Omit<Step, 'assigneeId'> & { readonly assigneeId: string | null }

function changeOf(
  { at }: CommandContext,
  order: FullOrderRow,
  { to, reason, failure, assigneeId }: Settled,
): OrderChange {
  const stamps: Partial<Record<WorkOrderState, OrderChange>> = {
    accepted: { accepted_at: at },
    arrived: { arrived_at: at },
    done: { done_at: at },
    verified: { verified_at: at },
    closed: { closed_at: at },
    cancelled: { closed_at: at },
    on_hold: { hold_reason: reason ?? null },
    in_progress: { hold_reason: null, started_at: order.started_at ?? at },
    rejected: { done_at: null },
  }
  return { assignee_id: assigneeId, ...(failure ? { failure } : {}), ...stamps[to] }
}

async function clockLabour(context: CommandContext, order: FullOrderRow, to: WorkOrderState): Promise<void> {
  const store = orderStore(context.tx)
  if (order.state === 'in_progress') await store.stopLabour(order.id, context.at)
  if (to !== 'in_progress') return
  const key = { id: newId(), org_id: context.org, work_order_id: order.id }
  await store.startLabour({ ...key, person_id: context.actor.id, from_at: context.at, to_at: null })
}

/** The device of the order's asset, so that whoever simulates the plant can repair it. */
async function deviceOf(context: CommandContext, assets: Assets, order: FullOrderRow) {
  const asset = (await assets.tree(context.tx)).byId.get(order.asset_id)
  return { group: asset?.device_group ?? null, edge: asset?.device_edge ?? null, device: asset?.device_name ?? null }
}

/** The assignee's item stands while there is work to do. */
async function keepInbox(context: CommandContext, order: FullOrderRow, state: WorkOrderState): Promise<void> {
  const isOver = state === 'done' || state === 'cancelled' || state === 'closed' || state === 'verified'
  if (isOver || state === 'assigned') await context.inbox.complete({ recordId: order.id, kind: 'task' })
  if (state === 'assigned' && order.assignee_id) await tellAssigned(context, order, order.assignee_id)
}
