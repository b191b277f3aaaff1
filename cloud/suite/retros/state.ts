import type { RETRO_STATES } from '#shared/contracts/retro.ts'

export type RetroState = (typeof RETRO_STATES)[number]

const NEXT: Readonly<Record<RetroState, readonly RetroState[]>> = {
  not_required: [],
  pending: ['drafting', 'not_required'],
  drafting: ['in_review'],
  in_review: ['approved', 'drafting'],
  approved: ['actions_open', 'effective'],
  actions_open: ['effective', 'recurred'],
  effective: ['recurred'],
  recurred: [],
}

/** States to which the retro may go now. */
export function nextRetroStates(state: RetroState): readonly RetroState[] {
  return NEXT[state]
}

/** Prose and actions may change only while the retro is being written. */
export function isEditable(state: RetroState): boolean {
  return state === 'pending' || state === 'drafting' || state === 'in_review'
}

/** Facts are read anew until the retro is approved; then they stand as approved. */
export function isFrozen(state: RetroState): boolean {
  return !isEditable(state)
}

/** An author asked to approve: code of the refusal. */
export const OWN_RETRO = 'retro.own-approval'

export const OPEN_RETROS = ['pending', 'drafting', 'in_review'] as const satisfies readonly RetroState[]

/** What a step of a retro is judged by. */
export interface RetroIntent {
  readonly to: RetroState
  readonly reason?: string | undefined
  readonly missingCount: number
  /** Whether who takes the step wrote the retro or sent it to review. */
  readonly isAuthor: boolean
}

/** Why the retro may not go there, as a stable code; undefined when it may. Sending it back needs a reason, approval a second person. */
export function retroRefusal(state: RetroState, intent: RetroIntent): string | undefined {
  if (!NEXT[state].includes(intent.to)) return 'retro.wrong-state'
  if (intent.to === 'drafting' && state === 'in_review' && !intent.reason) return 'retro.reason-required'
  if (intent.to !== 'approved') return undefined
  if (intent.isAuthor) return OWN_RETRO
  return intent.missingCount > 0 ? 'retro.incomplete' : undefined
}
