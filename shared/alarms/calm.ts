import type { AlarmRule, RuleLevel } from './rule.ts'
import type { AlarmState } from './state.ts'

/** Numbers strictly between these change nothing of a point but its newest value and the time of it. */
export interface CalmRange {
  readonly above: number
  readonly below: number
}

/** No number is calm: every sample must be judged. */
export const NOT_CALM: CalmRange = { above: Number.POSITIVE_INFINITY, below: Number.NEGATIVE_INFINITY }

/** True while a good number within the limits can change nothing: nothing pending or active, good, a limit alarm. */
export const isQuiet = (rule: AlarmRule, state: AlarmState): boolean =>
  state.phase === 'normal' && !state.isBad && state.staleSince === null && rule.condition.kind === 'limit'

/** True when no limit is reached. */
export function isInside(levels: readonly RuleLevel[], value: number): boolean {
  for (const level of levels) {
    const excess = (value - level.setpoint) * level.side
    if (excess > 0 || (excess === 0 && level.isInclusive)) return false
  }
  return true
}

/**
 * Which numbers of a newer sample, good or uncertain, would make `step` change nothing but `value` and `valueAt`; it stays
 * so for as long as no other part of the state changes. A test holds the two equal.
 */
export function calmRange(rule: AlarmRule, state: AlarmState): CalmRange {
  if (!isQuiet(rule, state) || typeof state.value !== 'number') return NOT_CALM
  let [above, below] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const { side, setpoint } of rule.levels) {
    if (side > 0) below = Math.min(below, setpoint)
    else above = Math.max(above, setpoint)
  }
  return { above, below }
}
