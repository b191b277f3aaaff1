import { describe, expect, it } from 'vitest'
import { wireQuality, wireValue } from './view.ts'

describe('a value on the wire', () => {
  it('keeps every digit of a 64-bit integer', () => {
    expect(wireValue(9_007_199_254_740_993n)).toBe('9007199254740993')
    expect(wireValue(-42n)).toBe(-42)
  })

  it('is nothing where the number is none', () => {
    expect([wireValue(Number.NaN), wireValue(Number.POSITIVE_INFINITY), wireValue(null)]).toEqual([null, null, null])
    expect([wireValue(0), wireValue(false), wireValue('')]).toEqual([0, false, ''])
  })

  it('looks stale when its session is, whatever its quality was', () => {
    expect(wireQuality(192, true)).toBe('stale')
    expect([192, 64, 0].map((q) => wireQuality(q as 192, false))).toEqual(['good', 'uncertain', 'bad'])
  })
})
