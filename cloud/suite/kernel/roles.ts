import type { Role } from '#shared/contracts/person.ts'

/** Everyone of the plant; `external` sees what is shared with them and nothing else. */
export const STAFF = [
  'administrator',
  'engineer',
  'operator',
  'technician',
  'lead',
  'manager',
] as const satisfies readonly Role[]

/** Who answers pages and works on machines. */
export const CREW = ['technician', 'engineer', 'lead', 'operator'] as const satisfies readonly Role[]

/** Who decides about other people's work. */
export const LEADS = ['lead', 'manager'] as const satisfies readonly Role[]
