import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextMove } from './share.ts'

/** Lets members look in the order given, round after round, until nobody moves; answers what each has in the end. */
function settle(start: readonly number[], unowned: number): { edges: number[]; unowned: number; rounds: number } {
  const edges = [...start]
  let free = unowned
  const total = edges.reduce((sum, one) => sum + one, 0) + unowned
  for (let rounds = 0; rounds < 1000; rounds++) {
    let hasMoved = false
    for (const [i, own] of edges.entries()) {
      const others = edges.filter((_, j) => j !== i)
      const { claim, release } = nextMove({ own, others, unowned: free, total })
      edges[i] = own + claim - release
      free += release - claim
      hasMoved ||= claim + release > 0
    }
    if (!hasMoved) return { edges, unowned: free, rounds }
  }
  throw new Error(`never settles: ${start} and ${unowned} free`)
}

describe('the share of a member', () => {
  it('is everything where there is one', () => {
    expect(nextMove({ own: 0, others: [], unowned: 7, total: 7 })).toEqual({ claim: 7, release: 0 })
  })

  it('shrinks when another one joins that has nothing', () => {
    expect(nextMove({ own: 7, others: [0], unowned: 0, total: 7 })).toEqual({ claim: 0, release: 3 })
  })

  it('is not taken from what another one still lacks', () => {
    expect(nextMove({ own: 4, others: [0], unowned: 3, total: 7 })).toEqual({ claim: 0, release: 0 })
  })

  it('leaves the edges of one who is about to be declared dead alone until they are free', () => {
    expect(nextMove({ own: 3, others: [3], unowned: 0, total: 9 })).toEqual({ claim: 0, release: 0 })
  })

  it('is equal for everybody in the end, and no edge is left over', () => {
    const members = fc.array(fc.nat(50), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(members, fc.nat(100), (start, free) => {
        const { edges, unowned, rounds } = settle(start, free)
        expect(unowned).toBe(0)
        expect(Math.max(...edges) - Math.min(...edges)).toBeLessThanOrEqual(1)
        expect(rounds).toBeLessThan(10)
      }),
    )
  })
})
