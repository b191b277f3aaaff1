import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holds, type Ranges, rangesFromJson, rangesToJson, touches, unbrokenEnd, withRange } from './ranges.ts'

const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 8 })), { maxLength: 25 })

describe('a set of offset ranges', () => {
  it('holds exactly what was put in, merged and ascending', () => {
    fc.assert(
      fc.property(pieces, (list) => {
        const told = new Set<number>()
        let ranges: Ranges = []
        for (const [first, more] of list) {
          ranges = withRange(ranges, BigInt(first), BigInt(first + more))
          for (let i = first; i <= first + more; i++) told.add(i)
        }
        for (let i = 0; i < 75; i++) {
          expect(holds(ranges, BigInt(i))).toBe(told.has(i))
          let end = i - 1
          while (told.has(end + 1)) end++
          expect(unbrokenEnd(ranges, BigInt(i))).toBe(BigInt(end))
          expect(touches(ranges, BigInt(i), BigInt(i + 2))).toBe([i, i + 1, i + 2].some((one) => told.has(one)))
        }
        for (const [k, range] of ranges.entries()) {
          const next = ranges[k + 1]
          if (next) expect(range[1] + 1n < next[0]).toBe(true)
        }
        expect(rangesFromJson(rangesToJson(ranges))).toEqual(ranges)
      }),
    )
  })
})
