/** Steps of one escalation: the first call, the backup, then the fallback role three times. */
export const MOST_STEPS = 5

/** What stands about one trade when its time is up. */
export interface Standing {
  readonly isEnded: boolean
  /** Number of its first step. */
  readonly firstStep: number
  /** The step that was sent last. */
  readonly step: number
  readonly afterMinutes: number
  readonly fallbackRole: string
}

export type NextStep =
  | { readonly kind: 'none' }
  | { readonly kind: 'backup'; readonly step: number }
  | { readonly kind: 'role'; readonly step: number; readonly role: string }

/**
 * Whom to call when the step's time is up, decided anew at that moment: somebody may have accepted meanwhile, and a job
 * may run twice. `due` is the step whose time is up.
 */
export function nextStep(standing: Standing | undefined, due: number): NextStep {
  if (!standing || standing.isEnded || standing.step !== due) return { kind: 'none' }
  const step = due + 1
  const nth = step - standing.firstStep + 1
  if (nth > MOST_STEPS) return { kind: 'none' }
  return nth === 2 ? { kind: 'backup', step } : { kind: 'role', step, role: standing.fallbackRole }
}
