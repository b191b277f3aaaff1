import type { CommandContext, Fact } from '#cloud/platform/door/command.ts'
import type { WorkOrderState } from '#shared/contracts/work-order.ts'
import type { FullOrderRow } from './store.ts'

/**
 * What work orders tell: `work-order.created`, `work-order.assigned`, `work-order.task-done`, and one fact a state that they
 * reach, e.g. `work-order.started`, `work-order.done` with the asset's device.
 */
export type OrderEvent =
  | 'work-order.created'
  | 'work-order.task-done'
  | 'work-order.drafted'
  | 'work-order.requested'
  | 'work-order.approved'
  | 'work-order.assigned'
  | 'work-order.accepted'
  | 'work-order.arrived'
  | 'work-order.started'
  | 'work-order.held'
  | 'work-order.done'
  | 'work-order.verified'
  | 'work-order.closed'
  | 'work-order.cancelled'
  | 'work-order.rejected'

/** The fact that tells of reaching a state. */
export const EVENT_OF: Readonly<Record<WorkOrderState, OrderEvent>> = {
  draft: 'work-order.drafted',
  requested: 'work-order.requested',
  approved: 'work-order.approved',
  assigned: 'work-order.assigned',
  accepted: 'work-order.accepted',
  arrived: 'work-order.arrived',
  in_progress: 'work-order.started',
  on_hold: 'work-order.held',
  done: 'work-order.done',
  verified: 'work-order.verified',
  closed: 'work-order.closed',
  cancelled: 'work-order.cancelled',
  rejected: 'work-order.rejected',
}

/** Tells a fact of an order with its cause; whoever looks at its incident hears it too. */
export function tell(
  context: CommandContext,
  order: FullOrderRow,
  type: OrderEvent,
  data: Fact['data'],
): Promise<string> {
  const room = order.incident_id ? [`record:${order.incident_id}`, 'incidents'] : []
  return context.emit({
    type,
    topics: ['work-orders', ...room],
    recordId: order.id,
    causeId: order.cause_id ?? undefined,
    data: { number: order.number, ...data, incidentId: order.incident_id, assetId: order.asset_id },
  })
}

/** Puts the order on the assignee's list. */
export async function tellAssigned(context: CommandContext, order: FullOrderRow, personId: string): Promise<void> {
  await context.inbox.add({
    personId,
    recordId: order.id,
    kind: 'task',
    title: order.title,
    href: `/work-orders/${order.number ?? order.id}`,
    priority: order.priority,
    ...(order.due_at ? { dueAt: order.due_at } : {}),
  })
}
