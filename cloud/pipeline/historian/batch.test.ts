import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DataColumns } from '#shared/sparkplug/data-columns.ts'
import { BatchBuilder } from './batch.ts'

/** A payload of `count` numbers, `from` the first of them. */
function numbers(from: number, count: number): DataColumns {
  const data = new DataColumns()
  data.reserve(count)
  data.count = count
  for (let i = 0; i < count; i++) {
    data.ts[i] = from + i
    data.v[i] = from + i
    data.q[i] = 192
  }
  return data
}

describe('a batch', () => {
  it('holds every value of payloads of any size, in order, batch after batch', () => {
    const key = Int32Array.of(7)
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1000, max: 5000 })), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 3 }), (batches) => {
        const builder = new BatchBuilder()
        for (const payloads of batches) {
          let count = 0
          for (const size of payloads) {
            builder.addColumns(numbers(count, size), key, 0, size)
            count += size
          }
          const { numbers: taken } = builder.take()
          expect(taken.count).toBe(count)
          expect(taken.v.subarray(0, count)).toEqual(Float64Array.from({ length: count }, (_, i) => i))
          expect(taken.tag.subarray(0, count)).toEqual(new Int32Array(count).fill(7))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('takes what it holds when only a part of a payload is new', () => {
    const builder = new BatchBuilder()
    builder.addColumns(numbers(0, 5000), Int32Array.of(7), 4000, 5000)
    builder.add(7, 5000, 5000, 192)
    const { numbers: taken } = builder.take()
    expect([taken.count, taken.v[0], taken.v[1000]]).toEqual([1001, 4000, 5000])
  })

  it('takes back what has no range yet, and keeps what has', () => {
    const builder = new BatchBuilder()
    const journal = { group: 'g', edge: 'e', epoch: 1n }
    builder.add(7, 1, 1, 192)
    builder.add(7, 2, 'text', 192)
    builder.addRange(journal, 1n, 2n)
    builder.add(7, 3, 3, 192)
    builder.add(7, 4, 4n, 192)
    builder.rollBack()
    const { numbers: taken, wide, marks } = builder.take()
    expect([taken.count, wide.length, marks.length]).toEqual([1, 1, 1])
    builder.rollBack()
    expect(builder.isEmpty).toBe(true)
  })
})
