import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HistorySeries } from '#shared/contracts/history.ts'
import { curveOf, heldUntil, scaleOf, valueAt, withLive } from './trend-data.ts'

function series(buckets: readonly (readonly [number, number, number])[], bucketMs = 1000): HistorySeries {
  const column = (index: 1 | 2) => buckets.map((b) => b[index])
  const at = buckets.map((b) => b[0])
  return {
    path: 'g/e/d/t',
    unit: null,
    bucketMs,
    at,
    first: column(1),
    min: column(1),
    max: column(2),
    last: column(2),
    minAt: at,
    maxAt: at.map((t) => t + bucketMs / 2),
    lastAt: at.map((t) => t + bucketMs - 1),
    count: at.map(() => 3),
    quality: at.map(() => 192),
  }
}

describe('the curve of a tag', () => {
  it('keeps every extreme and rises in time, whatever the buckets', () => {
    const bucket = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 10, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(bucket, { minLength: 1, maxLength: 50 }), (pairs) => {
        const input = series(pairs.map(([low, rise], i) => [i * 1000, low, low + rise] as const))
        const curve = curveOf(input, [])
        const values = new Set(curve.y)
        for (const [low, rise] of pairs) {
          expect(values.has(low)).toBe(true)
          expect(values.has(low + rise)).toBe(true)
        }
        expect(curve.x.every((time, i) => i === 0 || time > (curve.x[i - 1] ?? 0))).toBe(true)
      }),
    )
  })

  it('breaks at a gap and at a bucket of bad values', () => {
    const gapped = curveOf(
      series([
        [0, 1, 1],
        [60_000, 2, 2],
      ]),
      [{ from: 10, to: 50 }],
    )
    expect(gapped.y).toContain(null)
    const bad = series([
      [0, 1, 1],
      [1000, 2, 2],
      [2000, 3, 3],
    ])
    bad.quality[1] = 0
    expect(curveOf(bad, []).y.filter((v) => v === null)).toHaveLength(1)
  })

  it('goes on with live values that history does not have yet', () => {
    const curve = curveOf(series([[0, 1, 1]]), [])
    const live = (sourceAt: string, value: number) => ({ path: 'g/e/d/t', value, quality: 'good' as const, sourceAt })
    const longer = withLive(curve, [live('1970-01-01T00:00:00.100Z', 9), live('1970-01-01T00:00:05.000Z', 7)])
    expect(longer.y.at(-1)).toBe(7)
    expect(longer.y).not.toContain(9)
  })

  it('stands where a value was reported by exception, and draws no slope to the next one', () => {
    const buckets = series([
      [0, 1, 1],
      [60_000, 9, 9],
    ])
    const stood = curveOf(buckets, [])
    expect(valueAt(stood, 59.9)).toBe(1)
    expect(stood.y.filter((v) => v === 1).length).toBe(4)
    const live = { path: 'g/e/d/t', value: 7, quality: 'good' as const, sourceAt: '1970-01-01T00:02:00.000Z' }
    const longer = withLive(stood, [live])
    expect(longer.y.slice(-2)).toEqual([9, 7])
    expect(longer.x.slice(-2).map(Math.round)).toEqual([120, 120])
  })

  it('holds its last value until now, but not over a break', () => {
    expect(heldUntil({ x: [1], y: [5] }, 9)).toEqual({ x: [1, 9], y: [5, 5] })
    expect(heldUntil({ x: [1], y: [null] }, 9)).toEqual({ x: [1], y: [null] })
  })

  it('is read at a time by its newest value not after it', () => {
    const curve = { x: [1, 2, 5], y: [10, 20, 50] }
    expect([0, 1, 4.9, 99].map((t) => valueAt(curve, t))).toEqual([null, 10, 20, 50])
  })
})

describe('an axis', () => {
  it('shows a limit that is near and leaves out one that would squeeze the curve', () => {
    const [low, high] = scaleOf(80, 88, [90, 500])
    expect(low).toBeLessThan(80)
    expect(high).toBeGreaterThan(90)
    expect(high).toBeLessThan(100)
  })
})
