import { change, type Draft, type StepResult } from './draft.ts'
import { endShelving } from './operate.ts'
import type { AlarmRule } from './rule.ts'
import { type AlarmState, INITIAL_STATE } from './state.ts'

const isKnown = (shelving: AlarmState['shelving']) =>
  shelving === null || (Number.isFinite(shelving.until) && Boolean(shelving.by) && Boolean(shelving.reason))

/**
 * The state from a checkpoint (T19): bit for bit what was saved, fields that a newer version added at their beginning.
 * A shelving that does not say until when and by whom ends at `at` with an event.
 */
export function restore(rule: AlarmRule, checkpoint: Partial<AlarmState>, at: number): StepResult {
  const draft: Draft = { rule, state: { ...INITIAL_STATE, ...checkpoint }, events: [] }
  if (!isKnown(draft.state.shelving)) endShelving(draft, at, { reason: 'unknown-shelving' })
  if (rule.condition.kind !== 'rate-of-change' && draft.state.rate) change(draft, { rate: null })
  return draft
}
