import type { Rule } from '#shared/policy/policy.ts'
import { CREW, LEADS, STAFF } from '../kernel/index.ts'

const types = ['incident']

/** Who may do what to incidents. Whoever was called may answer, whatever their role. */
export const INCIDENT_RULES: readonly Rule[] = [
  { name: 'staff-see-incidents', roles: STAFF, actions: ['incident.view', 'page.view'] },
  { name: 'crew-responds', roles: CREW, actions: ['incident.respond'], types },
  { name: 'called-people-respond', actions: ['incident.respond'], types, when: [{ fact: 'isCalled', oneOf: [true] }] },
  { name: 'crew-contains', roles: [...CREW, 'manager'], actions: ['incident.contained', 'incident.review'], types },
  { name: 'crew-restores-by-hand', roles: [...CREW, 'manager'], actions: ['incident.restored'], types },
  { name: 'staff-call-people', roles: [...CREW, 'manager'], actions: ['incident.call'], types },
  { name: 'leads-close', roles: LEADS, actions: ['incident.closed', 'incident.cancelled'], types },
]
