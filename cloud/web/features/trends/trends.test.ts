import { describe, expect, it } from 'vitest'
import { csvOf } from './csv.ts'
import { readRange, shifted } from './range.ts'

describe('the range in the address', () => {
  it('is the last hour, live, unless it says otherwise', () => {
    expect(readRange({})).toEqual({ lastMs: 3_600_000 })
    expect(readRange({ last: '8h' })).toEqual({ lastMs: 28_800_000 })
    expect(readRange({ last: 'for ever' })).toEqual({ lastMs: 3_600_000 })
  })
  it('stands still when both ends are named in order', () => {
    const ends = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T01:00:00.000Z' }
    expect(readRange(ends)).toEqual({ from: 1767225600000, to: 1767229200000 })
    expect(readRange({ from: ends.to, to: ends.from })).toEqual({ lastMs: 3_600_000 })
  })
  it('moves by half of itself', () => {
    expect(shifted({ lastMs: 100 }, -1, 1000)).toEqual({ from: 850, to: 950 })
    expect(shifted({ from: 0, to: 100 }, 1, 0)).toEqual({ from: 50, to: 150 })
  })
})

describe('the file of a trend', () => {
  it('has a line a bucket under a head', () => {
    const series = {
      path: 'g/e/d/t',
      unit: '°C',
      bucketMs: 1000,
      at: [0],
      first: [1],
      min: [0.5],
      max: [2],
      last: [null],
      minAt: [0],
      maxAt: [0],
      lastAt: [0],
      count: [3],
      quality: [192],
    }
    expect(csvOf({ method: 'buckets', series: [series], gaps: [] }).split('\r\n')).toEqual([
      'time,tag,first,min,max,last,count,quality',
      '1970-01-01T00:00:00.000Z,g/e/d/t,1,0.5,2,,3,192',
      '',
    ])
  })
})
