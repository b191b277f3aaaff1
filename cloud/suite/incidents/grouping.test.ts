import { describe, expect, it } from 'vitest'
import { firstOutOrder, groupOf, incidentToJoin, type TreeNode, WINDOW_MINUTES } from './grouping.ts'

const tree = new Map<string, TreeNode>(
  [
    { id: 'site', parentId: null, kind: 'site' },
    { id: 'line', parentId: 'site', kind: 'work-center' },
    { id: 'lam-1', parentId: 'line', kind: 'work-unit' },
    { id: 'pump', parentId: 'lam-1', kind: 'equipment-module' },
    { id: 'lam-2', parentId: 'line', kind: 'work-unit' },
  ].map((node) => [node.id, node]),
)
const t = (minutes: number) => new Date(Date.UTC(2026, 2, 1, 3, minutes))

describe('the asset group of an alarm', () => {
  it('is the work unit, also for a module inside it', () => {
    expect(groupOf('pump', tree)).toBe('lam-1')
    expect(groupOf('lam-1', tree)).toBe('lam-1')
  })

  it('keeps two machines of one line apart', () => {
    expect(groupOf('lam-2', tree)).not.toBe(groupOf('lam-1', tree))
  })

  it('is the asset itself above the work units, and for an unknown asset', () => {
    expect(groupOf('line', tree)).toBe('line')
    expect(groupOf('elsewhere', tree)).toBe('elsewhere')
  })
})

describe('joining an open incident', () => {
  const open = [{ id: 'i', state: 'working', lastActivatedAt: t(0), alarmIds: ['a'] }]

  it('takes in another alarm within the window', () => {
    expect(incidentToJoin({ alarmId: 'b', at: t(WINDOW_MINUTES) }, open)?.id).toBe('i')
  })

  it('leaves a later one to an incident of its own', () => {
    expect(incidentToJoin({ alarmId: 'b', at: t(WINDOW_MINUTES + 1) }, open)).toBeUndefined()
  })

  it('takes the same alarm in again however late', () => {
    expect(incidentToJoin({ alarmId: 'a', at: t(600) }, open)?.id).toBe('i')
  })

  it('takes in a late report of an alarm that came before the others', () => {
    expect(incidentToJoin({ alarmId: 'b', at: t(-10) }, open)?.id).toBe('i')
  })
})

describe('the first-out order', () => {
  it('follows event time, not arrival', () => {
    const order = firstOutOrder([
      { occurrenceId: 'late', activatedAt: t(5) },
      { occurrenceId: 'first', activatedAt: t(1) },
    ])
    expect(order.map((a) => [a.occurrenceId, a.order, a.isFirstOut])).toEqual([
      ['first', 1, true],
      ['late', 2, false],
    ])
  })

  it('puts the cause of the incident first among a tie', () => {
    const tie = ['x', 'y', 'z'].map((occurrenceId) => ({ occurrenceId, activatedAt: t(1) }))
    expect(firstOutOrder(tie, 'y').map((a) => a.occurrenceId)).toEqual(['y', 'x', 'z'])
  })

  it('marks every alarm of a tie', () => {
    const order = firstOutOrder([
      { occurrenceId: 'x', activatedAt: t(1) },
      { occurrenceId: 'y', activatedAt: t(1) },
    ])
    expect(order.every((a) => a.isFirstOut)).toBe(true)
  })
})
