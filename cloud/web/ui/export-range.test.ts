import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localText, rangeOf, shareOf } from './export-range.ts'

describe('the range of an export', () => {
  it('reads back the moment that a field holds, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), (seconds) => {
        expect(Date.parse(localText(seconds * 1000 + 999))).toBe(seconds * 1000)
      }),
    )
  })

  it('holds its last second, and is none when it is empty or turned round', () => {
    const range = rangeOf(localText(60_000), localText(119_000))
    expect(range).toEqual({ from: '1970-01-01T00:01:00.000Z', to: '1970-01-01T00:02:00.000Z' })
    expect(rangeOf(localText(60_000), localText(59_000))).toBeUndefined()
    expect(rangeOf('', localText(59_000))).toBeUndefined()
  })
})

describe('the progress of an export', () => {
  it('is unknown before it began, and never more than all', () => {
    expect(shareOf({ rows: 0, estimatedRows: null })).toBeNull()
    expect(shareOf({ rows: 0, estimatedRows: 0 })).toBe(1)
    expect(shareOf({ rows: 5, estimatedRows: 20 })).toBe(0.25)
    expect(shareOf({ rows: 21, estimatedRows: 20 })).toBe(1)
  })
})
