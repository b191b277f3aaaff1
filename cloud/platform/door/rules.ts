import { ROLES } from '#shared/contracts/person.ts'
import type { Rule } from '#shared/policy/policy.ts'

/** What holds whatever modules are wired. */
export const PLATFORM_RULES: readonly Rule[] = [
  { name: 'the-product-itself', roles: ['system'], actions: ['*'] },
  { name: 'members-hear-the-stream', roles: ROLES.filter((role) => role !== 'external'), actions: ['topic.hear'] },
]
