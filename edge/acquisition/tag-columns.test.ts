import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import { createTagColumns } from './tag-columns.ts'

const value = fc.oneof(fc.double(), fc.bigInt(), fc.boolean(), fc.string(), fc.constant(null))
const step = fc.record({
  tagId: fc.constantFrom(7, 8, 9, 100_000, 5),
  value,
  quality: fc.constantFrom(192 as const, 64 as const, 0 as const),
  sourceAt: fc.nat(),
  isDelete: fc.boolean(),
})

describe('columns of tags', () => {
  it.each([
    ['near each other', [7, 8, 9]],
    ['far apart', [7, 8, 9, 100_000]],
  ])('keep the last sample of each, whatever it holds, of ids %s', (_, ids) => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const columns = createTagColumns(ids)
        const model = new Map<number, TagSample>()
        for (const { isDelete, ...sample } of steps) {
          if (isDelete) columns.delete(sample.tagId)
          else columns.set(sample)
          if (isDelete) model.delete(sample.tagId)
          else if (ids.includes(sample.tagId)) model.set(sample.tagId, sample)
        }
        for (const id of [5, 7, 8, 9, 100_000]) {
          const kept = model.get(id)
          expect(columns.get(id)).toEqual(kept)
          expect(columns.has(id)).toBe(kept !== undefined)
          if (kept && !Number.isNaN(kept.value)) expect(columns.isSame(kept)).toBe(true)
          if (kept) expect(columns.isSame({ ...kept, value: 'other' })).toBe(kept.value === 'other')
        }
      }),
    )
  })
})
