import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorise, type PolicyActor, type Rule } from './policy.ts'

const RULES: Rule[] = [
  { name: 'operators-acknowledge', roles: ['operator'], actions: ['alarm.acknowledge'], types: ['alarm'] },
  { name: 'leads-do-all-with-orders', roles: ['lead'], actions: ['work-order.*'], types: ['work-order'] },
  { name: 'assignees-work', actions: ['work-order.start'], when: [{ fact: 'assigneeId', is: 'self' }] },
  { name: 'members-read-rooms', actions: ['channel.read'], when: [{ fact: 'id', in: 'channels' }] },
  {
    name: 'open-orders-are-edited-in-one’s-departments',
    actions: ['work-order.edit'],
    when: [
      { fact: 'state', oneOf: ['open', 'held'] },
      { fact: 'departments', in: 'departments' },
    ],
  },
  { name: 'red-stays-inside', effect: 'forbid', actions: ['*'], when: [{ fact: 'level', oneOf: ['red'] }] },
]

const actor = (more: Partial<PolicyActor> = {}): PolicyActor => ({ id: 'me', roles: [], relations: {}, ...more })
const rule = (who: PolicyActor, action: string, resource: { type: string; [fact: string]: unknown }) => {
  const { isAllowed, rule: name } = authorise(RULES, who, action, resource)
  return isAllowed ? name : `no: ${name}`
}

describe('the policy', () => {
  it('denies what no rule allows', () => {
    expect(rule(actor(), 'alarm.acknowledge', { type: 'alarm' })).toBe('no: deny-by-default')
    expect(rule(actor({ roles: ['operator'] }), 'alarm.shelve', { type: 'alarm' })).toBe('no: deny-by-default')
    expect(rule(actor({ roles: ['operator'] }), 'alarm.acknowledge', { type: 'pump' })).toBe('no: deny-by-default')
  })

  it('allows by role, by pattern, by oneself and by relation, and names the rule', () => {
    expect(rule(actor({ roles: ['operator'] }), 'alarm.acknowledge', { type: 'alarm' })).toBe('operators-acknowledge')
    const order = { type: 'work-order' }
    expect(rule(actor({ roles: ['lead'] }), 'work-order.close', order)).toBe('leads-do-all-with-orders')
    expect(rule(actor(), 'work-order.start', { ...order, assigneeId: 'me' })).toBe('assignees-work')
    expect(rule(actor(), 'work-order.start', { ...order, assigneeId: 'you' })).toBe('no: deny-by-default')
    const member = actor({ relations: { channels: new Set(['room']) } })
    expect(rule(member, 'channel.read', { type: 'channel', id: 'room' })).toBe('members-read-rooms')
    expect(rule(actor(), 'channel.read', { type: 'channel', id: 'room' })).toBe('no: deny-by-default')
  })

  it('wants every condition of a rule', () => {
    const one = actor({ relations: { departments: new Set(['a']) } })
    const edit = (facts: object) => rule(one, 'work-order.edit', { type: 'work-order', ...facts })
    expect(edit({ state: 'open', departments: ['b', 'a'] })).toMatch(/^open-orders/)
    expect(edit({ state: 'done', departments: ['a'] })).toBe('no: deny-by-default')
    expect(edit({ state: 'open', departments: ['b'] })).toBe('no: deny-by-default')
  })

  it('lets a forbidding rule win over every allowing one', () => {
    const red = { type: 'alarm', level: 'red' }
    expect(rule(actor({ roles: ['operator'] }), 'alarm.acknowledge', red)).toBe('no: red-stays-inside')
  })

  it('never takes nobody for the owner of what has none', () => {
    expect(rule(actor({ id: null }), 'work-order.start', { type: 'work-order', assigneeId: null })).toBe(
      'no: deny-by-default',
    )
  })

  it('does not depend on the order of rules, but for the name it tells', () => {
    const roles = fc.subarray(['operator', 'lead'])
    const resources = fc.record({
      type: fc.constantFrom('alarm', 'work-order'),
      level: fc.constantFrom('green', 'red'),
      assigneeId: fc.constantFrom('me', 'you', null),
      state: fc.constantFrom('open', 'done'),
    })
    const actions = fc.constantFrom('alarm.acknowledge', 'work-order.start', 'work-order.edit', 'work-order.close')
    fc.assert(
      fc.property(
        roles,
        resources,
        actions,
        fc.shuffledSubarray(RULES, { minLength: RULES.length }),
        (r, res, action, other) => {
          const who = actor({ roles: r })
          return authorise(RULES, who, action, res).isAllowed === authorise(other, who, action, res).isAllowed
        },
      ),
    )
  })
})
