import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lttb } from './lttb.ts'

const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -1000, max: 1000 })), {
  maxLength: 300,
})

function columns(steps: readonly (readonly [number, number])[]) {
  let now = 1_767_571_200_000
  const at = Float64Array.from(steps, ([step]) => {
    now += step
    return now
  })
  return { at, value: Float64Array.from(steps, ([, value]) => value) }
}

const area = (a: readonly number[], b: readonly number[], c: readonly number[]) => {
  const [[ax = 0, ay = 0], [bx = 0, by = 0], [cx = 0, cy = 0]] = [a, b, c]
  return Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
}

describe('largest triangle, three buckets', () => {
  it('chooses as many as wanted, in order, the first and the last among them, one of each bucket between', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 3, max: 60 }), (steps, points) => {
        const { at, value } = columns(steps)
        const chosen = [...lttb(at, value, points)]
        if (at.length <= points) {
          expect(chosen).toEqual([...at.keys()])
          return
        }
        expect(chosen).toHaveLength(points)
        expect([chosen[0], chosen.at(-1)]).toEqual([0, at.length - 1])
        const width = (at.length - 2) / (points - 2)
        chosen.slice(1, -1).forEach((place, bucket) => {
          expect(place).toBeGreaterThanOrEqual(1 + Math.floor(bucket * width))
          expect(place).toBeLessThan(1 + Math.floor((bucket + 1) * width))
        })
      }),
    )
  })

  it('leaves no value in a bucket whose triangle is larger than that of the chosen one', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 3, max: 60 }), (steps, points) => {
        const { at, value } = columns(steps)
        if (at.length <= points) return
        const chosen = lttb(at, value, points)
        const [width, zero] = [(at.length - 2) / (points - 2), at[0] ?? 0]
        const point = (place: number) => [(at[place] ?? 0) - zero, value[place] ?? 0]
        for (let bucket = 0; bucket < points - 2; bucket++) {
          const [start, end] = [1 + Math.floor(bucket * width), 1 + Math.floor((bucket + 1) * width)]
          const isLast = bucket === points - 3
          const next = Array.from({ length: at.length }, (_, place) => place).slice(
            isLast ? at.length - 1 : end,
            isLast ? at.length : 1 + Math.floor((bucket + 2) * width),
          )
          const mean = [0, 1].map((axis) => next.reduce((sum, p) => sum + (point(p)[axis] ?? 0), 0) / next.length)
          const left = point(chosen[bucket] ?? 0)
          const own = area(left, mean, point(chosen[bucket + 1] ?? 0))
          for (let place = start; place < end; place++) {
            expect(area(left, mean, point(place))).toBeLessThanOrEqual(own * (1 + 1e-9) + 1e-6)
          }
        }
      }),
    )
  })

  it('keeps a spike of one value among 100,000', () => {
    const at = Float64Array.from({ length: 100_000 }, (_, i) => i * 1000)
    const value = new Float64Array(100_000)
    value[61_803] = 1
    expect([...lttb(at, value, 100)]).toContain(61_803)
  })
})
