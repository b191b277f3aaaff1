import type { IncidentState } from '#shared/contracts/incident.ts'

/** What moves an incident: people's responses, proof from the machine, decisions. */
export type IncidentMove = 'seen' | 'accept' | 'contain' | 'restore' | 'review' | 'close' | 'cancel' | 'reopen'

/**
 * The state after each move, by state. A move that is missing is refused; one that leads to the same state changes
 * nothing (a second person sees or accepts). Source: "From alarm to incident" of the alarm design.
 */
const MOVES: Readonly<Record<IncidentState, Partial<Record<IncidentMove, IncidentState>>>> = {
  open: { seen: 'acknowledged', accept: 'working', contain: 'contained', restore: 'restored', cancel: 'cancelled' },
  acknowledged: {
    seen: 'acknowledged',
    accept: 'working',
    contain: 'contained',
    restore: 'restored',
    cancel: 'cancelled',
  },
  working: { seen: 'working', accept: 'working', contain: 'contained', restore: 'restored', cancel: 'cancelled' },
  contained: { seen: 'contained', accept: 'contained', restore: 'restored' },
  restored: { seen: 'restored', accept: 'restored', review: 'review', reopen: 'open' },
  review: { seen: 'review', close: 'closed', reopen: 'open' },
  closed: {},
  merged: {},
  cancelled: {},
}

/** The state after the move, or undefined when the incident does not allow it now. */
export function afterMove(state: IncidentState, move: IncidentMove): IncidentState | undefined {
  return MOVES[state][move]
}

/** True until the machine is proven to run again, or the incident has ended otherwise. */
export function isUnrestored(state: IncidentState): boolean {
  return afterMove(state, 'restore') !== undefined
}

/** States that the list shows as open. */
export const OPEN_STATES = [
  'open',
  'acknowledged',
  'working',
  'contained',
  'restored',
] as const satisfies readonly IncidentState[]
/** States whose incident nothing joins any more. */
export const ENDED_STATES = ['closed', 'merged', 'cancelled'] as const satisfies readonly IncidentState[]
