import type { WorkOrderState } from '#shared/contracts/work-order.ts'
import type { Rule } from '#shared/policy/policy.ts'
import { CREW, LEADS, STAFF } from '../kernel/index.ts'

/** States that are a decision about somebody's work; all others are the assignee's own steps. */
const DECISIONS: readonly WorkOrderState[] = ['approved', 'assigned', 'verified', 'closed', 'cancelled']

/** Whether the step decides about somebody's work: finished work is sent back by who may verify it, not by who did it. */
export const isDecision = (from: WorkOrderState, to: WorkOrderState): boolean =>
  DECISIONS.includes(to) || (from === 'done' && to === 'rejected')

const types = ['work-order']

export const ORDER_RULES: readonly Rule[] = [
  { name: 'staff-see-work-orders', roles: STAFF, actions: ['work-order.view'] },
  { name: 'crew-makes-work-orders', roles: [...CREW, 'manager'], actions: ['work-order.create'], types },
  { name: 'assignees-work', actions: ['work-order.work'], types, when: [{ fact: 'assigneeId', is: 'self' }] },
  { name: 'leads-step-in', roles: LEADS, actions: ['work-order.work', 'work-order.decide'], types },
  { name: 'engineers-decide', roles: ['engineer'], actions: ['work-order.decide'], types },
]
