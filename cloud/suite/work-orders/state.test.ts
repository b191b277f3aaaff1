import { describe, expect, it } from 'vitest'
import { WORK_ORDER_STATES, type WorkOrderState } from '#shared/contracts/work-order.ts'
import { labourSeconds, nextStates, type OrderFacts, refusal, settledState } from './state.ts'

const order = (state: WorkOrderState, more: Partial<OrderFacts> = {}): OrderFacts => ({
  state,
  kind: 'corrective',
  assigneeId: 'zhang',
  hasFailureReport: true,
  openTaskCount: 0,
  ...more,
})

describe('a work order', () => {
  it('walks from assigned to closed', () => {
    const walk: WorkOrderState[] = ['assigned', 'accepted', 'arrived', 'in_progress', 'done', 'verified', 'closed']
    for (let i = 1; i < walk.length; i++) {
      expect(refusal(order(walk[i - 1] ?? 'draft'), { to: walk[i] ?? 'draft' })).toBeUndefined()
    }
  })

  it('is not done without a failure report when it is corrective', () => {
    const without = { hasFailureReport: false }
    expect(refusal(order('in_progress', without), { to: 'done' })).toBe('work-order.failure-report-required')
    expect(refusal(order('in_progress', { ...without, kind: 'inspection' }), { to: 'done' })).toBeUndefined()
  })

  it('is not done while a task is open', () => {
    expect(refusal(order('in_progress', { openTaskCount: 1 }), { to: 'done' })).toBe('work-order.tasks-open')
  })

  it('goes on hold, back and away only with a reason', () => {
    for (const to of ['on_hold', 'cancelled'] as const) {
      expect(refusal(order('in_progress'), { to })).toBe('work-order.reason-required')
      expect(refusal(order('in_progress'), { to, reason: 'parts' })).toBeUndefined()
    }
    expect(refusal(order('done'), { to: 'rejected' })).toBe('work-order.reason-required')
  })

  it('is assigned to somebody', () => {
    expect(refusal(order('approved', { assigneeId: null }), { to: 'assigned' })).toBe('work-order.assignee-required')
    expect(refusal(order('approved', { assigneeId: null }), { to: 'assigned', assigneeId: 'sun' })).toBeUndefined()
  })

  it('never skips verification', () => {
    expect(refusal(order('done'), { to: 'closed' })).toBe('work-order.wrong-state')
  })

  it('goes back to who did the work when it is not good, and to nobody when it is handed back', () => {
    expect(settledState(order('done'), 'rejected')).toBe('assigned')
    expect(settledState(order('accepted'), 'rejected')).toBe('rejected')
    expect(settledState(order('done'), 'verified')).toBe('verified')
  })

  it('can end from every state', () => {
    const reaches = (from: WorkOrderState, seen = new Set<WorkOrderState>()): boolean =>
      from === 'closed' || from === 'cancelled' || nextStates(from).some((s) => !seen.has(s) && reaches(s, seen.add(s)))
    expect(WORK_ORDER_STATES.filter((s) => !reaches(s))).toEqual([])
  })
})

describe('labour', () => {
  it('adds closed stretches and the running one', () => {
    const t = (s: number) => new Date(s * 1000)
    expect(
      labourSeconds(
        [
          { from: t(0), to: t(60) },
          { from: t(100), to: null },
        ],
        t(130),
      ),
    ).toBe(90)
  })
})
