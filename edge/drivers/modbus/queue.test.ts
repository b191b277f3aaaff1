import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextIndex, PRIORITIES, type Priority, type Ranked } from './queue.ts'

const job = (priority: Priority, deadlineAt: number): Ranked => ({ priority, deadlineAt })
const order = (jobs: readonly Ranked[], now: number): Ranked[] => {
  const left = [...jobs]
  return jobs.map(() => left.splice(nextIndex(left, now), 1)[0] as Ranked)
}

describe('the order on a lane', () => {
  it('is write, demand, fast, normal, slow, probe, however they came', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...PRIORITIES], { minLength: 6 }), (came) => {
        expect(
          order(
            came.map((p) => job(p, 100)),
            0,
          ).map((j) => j.priority),
        ).toEqual([...PRIORITIES])
      }),
    )
  })

  it('is by deadline among equals, and by arrival among equal deadlines', () => {
    const [late, early, same] = [job('fast', 30), job('fast', 10), job('fast', 10)]
    expect(order([late, early, same], 0)).toEqual([early, same, late])
    expect(nextIndex([early, same], 0)).toBe(0)
  })

  it('lets what is past its deadline in among the fast scans, so that they do not shut it out', () => {
    expect(nextIndex([job('fast', 120), job('slow', 100)], 90)).toBe(0)
    expect(nextIndex([job('fast', 120), job('slow', 100)], 110)).toBe(1)
    expect(nextIndex([job('fast', 120), job('probe', 100)], 110)).toBe(1)
  })

  it('has nothing next when nobody waits', () => {
    expect(nextIndex([], 0)).toBe(-1)
  })
})
