import { describe, expect, it } from 'vitest'
import { createSlices, type Work } from './slices.ts'

describe('work in slices', () => {
  function setUp() {
    const done: string[] = []
    const turns: (() => void)[] = []
    let at = 0
    const slices = createSlices({ sliceMs: 4, now: () => at, nextTurn: (run) => void turns.push(run) })
    /** Steps that take a quarter of a ms each. */
    function* steps(name: string, count: number): Work {
      for (let i = 1; i <= count; i++) {
        at += 0.25
        done.push(`${name}${i}`)
        yield
      }
    }
    const turn = () => {
      const before = done.length
      turns.shift()?.()
      return done.slice(before)
    }
    return { slices, steps, turn, turns }
  }

  it('holds the thread no longer than a slice, and goes on at the next turn where it stopped', () => {
    const { slices, steps, turn, turns } = setUp()
    slices.add('later', steps('a', 40))
    expect(turns).toHaveLength(1)
    const [first, second, third] = [turn(), turn(), turn()]
    expect([first.length, second.length, third.length]).toEqual([16, 16, 8])
    expect([...first, ...second, ...third]).toEqual(Array.from({ length: 40 }, (_, i) => `a${i + 1}`))
    expect(turns).toHaveLength(0)
  })

  it('does what is urgent first, in its order, and leaves other work every fourth share', () => {
    const { slices, steps, turn, turns } = setUp()
    slices.add('later', steps('a', 100))
    turn()
    slices.add('urgent', steps('u', 40))
    slices.add('urgent', steps('v', 2))
    const rest: string[] = []
    while (turns.length > 0) rest.push(...turn())
    const urgent = rest.filter((step) => !step.startsWith('a'))
    expect(urgent).toEqual([...Array.from({ length: 40 }, (_, i) => `u${i + 1}`), 'v1', 'v2'])
    const others = rest.filter((step) => step.startsWith('a'))
    expect(others).toEqual(Array.from({ length: 84 }, (_, i) => `a${i + 17}`))
    const meanwhile = rest.indexOf('v2') - urgent.length + 1
    expect(meanwhile).toBeGreaterThanOrEqual(8)
    expect(meanwhile).toBeLessThanOrEqual(16)
  })

  it('forgets what is left when it is closed', () => {
    const { slices, steps, turn } = setUp()
    slices.add('later', steps('a', 20))
    turn()
    slices.close()
    expect(turn()).toEqual([])
  })
})
