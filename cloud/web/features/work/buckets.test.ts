import { describe, expect, it } from 'vitest'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { bucketsOf } from './buckets.ts'

const NOW = Date.parse('2026-01-01T12:00:00.000Z')
const order = (number: string, extra: Partial<WorkOrder>) =>
  ({
    number,
    state: 'assigned',
    priority: 'low',
    dueAt: null,
    doneAt: null,
    incident: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    actions: [],
    ...extra,
  }) as WorkOrder

describe('my work', () => {
  it('is now when it runs, is overdue, or comes from an incident; next within a day; else later', () => {
    const orders = [
      order('running', { state: 'in_progress' }),
      order('overdue', { dueAt: '2026-01-01T11:00:00.000Z' }),
      order('incident', { incident: { id: 'i', number: 'INC' }, priority: 'critical' }),
      order('soon', { dueAt: '2026-01-01T18:00:00.000Z' }),
      order('some day', {}),
      order('done', { state: 'done', doneAt: '2026-01-01T11:00:00.000Z' }),
      order('to verify', {
        state: 'done',
        doneAt: '2026-01-01T11:00:00.000Z',
        dueAt: '2026-01-01T19:00:00.000Z',
        actions: [{ action: 'verified', isPrimary: true, isEnabled: true, reason: null }],
      }),
    ]
    const buckets = bucketsOf(orders, NOW)
    const numbers = (list: readonly WorkOrder[]) => list.map((one) => one.number)
    expect(numbers(buckets.now)).toEqual(['incident', 'overdue', 'running'])
    expect(numbers(buckets.next)).toEqual(['soon', 'to verify'])
    expect(numbers(buckets.later)).toEqual(['some day', 'done'])
  })
})
