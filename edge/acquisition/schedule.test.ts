import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBackOff } from './back-off.ts'
import { createSchedule } from './schedule.ts'

describe('a scan schedule', () => {
  it('does not drift: every deadline is a multiple of its period, however late each read ends', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 20, maxLength: 60 })
    fc.assert(
      fc.property(delays, (lates) => {
        const schedule = createSchedule([200], 1000)
        let now = 1000
        for (const late of lates) {
          const { dueAt, overruns } = schedule.next(now)
          expect((dueAt - 1000) % 200).toBe(0)
          expect(overruns).toBe(0)
          now = Math.max(now, dueAt) + late
        }
        expect(now).toBeLessThanOrEqual(1000 + lates.length * 200 + 150)
      }),
    )
  })

  it('leaves out scans whose time has passed, and counts them', () => {
    const schedule = createSchedule([200], 0)
    expect(schedule.next(0)).toEqual({ index: 0, dueAt: 200, overruns: 0 })
    expect(schedule.next(1050)).toEqual({ index: 0, dueAt: 1000, overruns: 3 })
    expect(schedule.next(1060)).toEqual({ index: 0, dueAt: 1200, overruns: 0 })
  })

  it('takes the class that is due first, of equal ones the faster', () => {
    const schedule = createSchedule([200, 1000], 0)
    const order = Array.from({ length: 7 }, () => schedule.next(0)).map(({ index, dueAt }) => [index, dueAt])
    expect(order).toEqual([
      [0, 200],
      [0, 400],
      [0, 600],
      [0, 800],
      [0, 1000],
      [1, 1000],
      [0, 1200],
    ])
  })
})

describe('a back-off', () => {
  it('doubles up to its limit and begins again after a reset', () => {
    const backOff = createBackOff({ minMs: 500, maxMs: 3000 }, () => 0)
    expect([1, 2, 3, 4, 5].map(() => backOff.next())).toEqual([500, 1000, 2000, 3000, 3000])
    backOff.reset()
    expect(backOff.next()).toBe(500)
  })

  it('keeps its place in the period, whenever it begins', () => {
    const dueOf = (startAt: number) => createSchedule([1000], startAt, 0.25).next(startAt).dueAt
    expect([0, 249, 250, 1100, 7249].map(dueOf)).toEqual([250, 250, 1250, 1250, 7250])
  })

  it('is due within one period after it begins, on a grid shifted by its phase', () => {
    const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(
        phase,
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 10, max: 60_000 }),
        (at, start, period) => {
          const { dueAt, overruns } = createSchedule([period], start, at).next(start)
          expect(overruns).toBe(0)
          expect(dueAt - start).toBeGreaterThan(0)
          expect(dueAt - start).toBeLessThanOrEqual(period)
        },
      ),
    )
  })
})
