import { activate, deactivate } from './condition.ts'
import { change, type Draft, type StepResult } from './draft.ts'
import { type AlarmRule, levelNamed } from './rule.ts'
import { type AlarmState, isActive, isSuppressed } from './state.ts'

/**
 * Brings a live point to the condition that a replay of late samples ended with, when it is another one: it goes active or
 * returns, at the moment that the replay found. What operators did, suppression and the newest value stay the live point's.
 */
export function catchUp(rule: AlarmRule, live: AlarmState, replayed: AlarmState): StepResult {
  const draft: Draft = { rule, state: live, events: [] }
  if (isActive(live) === isActive(replayed)) return draft
  if (isActive(replayed)) beginLate(draft, replayed)
  else deactivate(draft, replayed.since ?? replayed.valueAt ?? 0)
  return draft
}

function beginLate(draft: Draft, { occurrence, level, phase, since }: AlarmState): void {
  const { rule, state } = draft
  const inForce = levelNamed(rule, level) ?? rule.levels[0]
  if (!occurrence || !inForce) return
  const fresh = { ...occurrence, count: 0, raisedAt: null, isSuppressed: isSuppressed(state) }
  change(draft, { occurrence: state.occurrence ?? fresh })
  activate(draft, occurrence.activatedAt, occurrence.openedAt, inForce)
  change(draft, { phase, since })
}
