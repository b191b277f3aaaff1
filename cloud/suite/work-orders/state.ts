import type { WorkOrderState } from '#shared/contracts/work-order.ts'

/** Where a work order may go from each state. Source: "Work orders" of the alarm design. */
const NEXT: Readonly<Record<WorkOrderState, readonly WorkOrderState[]>> = {
  draft: ['requested', 'approved', 'assigned', 'cancelled'],
  requested: ['approved', 'assigned', 'cancelled'],
  approved: ['assigned', 'cancelled'],
  assigned: ['accepted', 'rejected', 'cancelled'],
  accepted: ['arrived', 'in_progress', 'rejected', 'cancelled'],
  arrived: ['in_progress', 'rejected', 'cancelled'],
  in_progress: ['on_hold', 'done', 'cancelled'],
  on_hold: ['in_progress', 'cancelled'],
  done: ['verified', 'rejected'],
  verified: ['closed'],
  closed: [],
  cancelled: [],
  rejected: ['assigned', 'cancelled'],
}

export const HOLD_REASONS = ['parts', 'permit', 'production', 'other'] as const

export const ENDED_WORK = ['closed', 'cancelled'] as const satisfies readonly WorkOrderState[]

/** States to which the order may go now, before the conditions of each are asked. */
export function nextStates(state: WorkOrderState): readonly WorkOrderState[] {
  return NEXT[state]
}

export interface OrderFacts {
  readonly state: WorkOrderState
  readonly kind: 'corrective' | 'preventive' | 'inspection'
  readonly assigneeId: string | null
  readonly hasFailureReport: boolean
  readonly openTaskCount: number
}

export interface Intent {
  readonly to: WorkOrderState
  readonly reason?: string | undefined
  readonly assigneeId?: string | undefined
}

/** Why the order may not go there, as a stable code; undefined when it may. */
export function refusal(order: OrderFacts, intent: Intent): string | undefined {
  if (!NEXT[order.state].includes(intent.to)) return 'work-order.wrong-state'
  switch (intent.to) {
    case 'assigned':
      return intent.assigneeId || order.assigneeId ? undefined : 'work-order.assignee-required'
    case 'on_hold':
    case 'cancelled':
    case 'rejected':
      return intent.reason ? undefined : 'work-order.reason-required'
    case 'done':
      return doneRefusal(order)
    case 'draft':
    case 'requested':
    case 'approved':
    case 'accepted':
    case 'arrived':
    case 'in_progress':
    case 'verified':
    case 'closed':
      return undefined
  }
}

/** A corrective order without a failure report teaches nothing, so it is not done; nor is one with open tasks. */
function doneRefusal(order: OrderFacts): string | undefined {
  if (order.openTaskCount > 0) return 'work-order.tasks-open'
  return order.kind === 'corrective' && !order.hasFailureReport ? 'work-order.failure-report-required' : undefined
}

/** Finished work that is sent back goes to the person who did it; an order that is handed back waits for a new assignee. */
export function settledState(order: Pick<OrderFacts, 'state' | 'assigneeId'>, to: WorkOrderState): WorkOrderState {
  return to === 'rejected' && order.state === 'done' && order.assigneeId ? 'assigned' : to
}

/** Seconds of work so far: closed stretches plus the running one. */
export function labourSeconds(stretches: readonly { from: Date; to: Date | null }[], now: Date): number {
  const ms = stretches.reduce((sum, s) => sum + ((s.to ?? now).getTime() - s.from.getTime()), 0)
  return Math.max(0, Math.round(ms / 1000))
}
