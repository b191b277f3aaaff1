/** Who asks. Relations are sets of ids: `departments`, `leads`, `channels`, `on-call`. */
export interface PolicyActor {
  readonly id: string | null
  readonly roles: readonly string[]
  readonly relations: Readonly<Record<string, ReadonlySet<string>>>
}

/** What is asked for: its type and the facts that conditions look at. */
export interface PolicyResource {
  readonly type: string
  readonly [fact: string]: unknown
}

/** One condition on a fact of the resource; all conditions of a rule must hold. */
export type Condition =
  /** The fact is the actor's own id. */
  | { readonly fact: string; readonly is: 'self' }
  /** The fact (an id or a list of ids) meets this relation of the actor. */
  | { readonly fact: string; readonly in: string }
  /** The fact is one of the values. */
  | { readonly fact: string; readonly oneOf: readonly (string | number | boolean | null)[] }

/** Allows (or, with `effect: forbid`, forbids whatever else allows) actions on types of resources. */
export interface Rule {
  /** Told with each decision: `operators-acknowledge-alarms`. */
  readonly name: string
  readonly effect?: 'allow' | 'forbid'
  /** Absent: everyone who is signed in. */
  readonly roles?: readonly string[]
  /** Exact action, `noun.*`, or `*`. */
  readonly actions: readonly string[]
  /** Absent: every type. */
  readonly types?: readonly string[]
  readonly when?: readonly Condition[]
}

export interface Decision {
  readonly isAllowed: boolean
  /** The rule that decided; `deny-by-default` when none spoke. */
  readonly rule: string
  /** Why, for people. */
  readonly reason: string
}

/** Decides by the rules: a forbidding rule wins, then any allowing one, else it is denied. Pure. */
export function authorise(
  rules: readonly Rule[],
  actor: PolicyActor,
  action: string,
  resource: PolicyResource,
): Decision {
  const speaking = rules.filter((rule) => applies(rule, actor, action, resource))
  const forbidding = speaking.find((rule) => rule.effect === 'forbid')
  if (forbidding) {
    return { isAllowed: false, rule: forbidding.name, reason: `${action} is forbidden by the rule ${forbidding.name}` }
  }
  const allowing = speaking[0]
  if (allowing) return { isAllowed: true, rule: allowing.name, reason: `allowed by the rule ${allowing.name}` }
  return { isAllowed: false, rule: 'deny-by-default', reason: `no rule lets this person do ${action}` }
}

function applies(rule: Rule, actor: PolicyActor, action: string, resource: PolicyResource): boolean {
  if (rule.roles && !rule.roles.some((role) => actor.roles.includes(role))) return false
  if (!rule.actions.some((pattern) => matches(pattern, action))) return false
  if (rule.types && !rule.types.includes(resource.type)) return false
  return (rule.when ?? []).every((condition) => holds(condition, actor, resource[condition.fact]))
}

function matches(pattern: string, action: string): boolean {
  if (pattern === '*' || pattern === action) return true
  return pattern.endsWith('.*') && action.startsWith(pattern.slice(0, -1))
}

function holds(condition: Condition, actor: PolicyActor, fact: unknown): boolean {
  if ('is' in condition) return actor.id !== null && fact === actor.id
  if ('oneOf' in condition) return condition.oneOf.some((value) => value === fact)
  const related = actor.relations[condition.in]
  if (!related) return false
  const ids = Array.isArray(fact) ? fact : [fact]
  return ids.some((id) => typeof id === 'string' && related.has(id))
}
