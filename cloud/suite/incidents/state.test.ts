import { describe, expect, it } from 'vitest'
import { INCIDENT_STATES, type IncidentState } from '#shared/contracts/incident.ts'
import { afterMove, isUnrestored } from './state.ts'

describe('the state of an incident', () => {
  it('walks from open to closed by seen, accept, contain, restore, review, close', () => {
    const moves = ['seen', 'accept', 'contain', 'restore', 'review', 'close'] as const
    const states: IncidentState[] = ['open']
    for (const move of moves) states.push(afterMove(states.at(-1) ?? 'open', move) ?? 'cancelled')
    expect(states).toEqual(['open', 'acknowledged', 'working', 'contained', 'restored', 'review', 'closed'])
  })

  it('takes accept as seen, and never falls back when a second person only sees', () => {
    expect(afterMove('open', 'accept')).toBe('working')
    expect(afterMove('working', 'seen')).toBe('working')
    expect(afterMove('restored', 'seen')).toBe('restored')
  })

  it('restores from every state in which people work, and from no other', () => {
    expect(INCIDENT_STATES.filter(isUnrestored)).toEqual(['open', 'acknowledged', 'working', 'contained'])
  })

  it('never closes by recovery', () => {
    for (const state of INCIDENT_STATES) expect(afterMove(state, 'restore')).not.toBe('closed')
  })

  it('allows nothing after its end', () => {
    for (const state of ['closed', 'merged', 'cancelled'] as const) {
      for (const move of ['seen', 'accept', 'restore', 'review', 'close', 'cancel', 'reopen'] as const) {
        expect(afterMove(state, move)).toBeUndefined()
      }
    }
  })
})
