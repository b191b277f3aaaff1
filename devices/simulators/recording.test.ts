import { describe, expect, it } from 'vitest'
import { parseTrack, rowAt } from './recording.ts'

const CSV = `timestamp,value
2014-02-07 04:00:00,90
2014-02-07 04:05:00,91
2014-02-07 04:05:00,99
2014-02-07 04:00:00,98
2014-02-07 04:10:00,92
2014-02-07 04:15:00,93
`
const replay = { time: { column: 'timestamp', unit: 'datetime' as const }, columns: { temperature: 'value' } }
const clip = { file: 'x.csv', speed: 1, atEnd: 'hold' as const }

describe('a recording', () => {
  it('plays each time once, the first row of it, and never goes back', () => {
    const track = parseTrack(CSV, clip, replay)
    expect([...track.seconds]).toEqual([0, 300, 600, 900])
    expect([...(track.columns.get('temperature') ?? [])]).toEqual([90, 91, 92, 93])
  })

  it('plays the stretch that a clip names', () => {
    const track = parseTrack(CSV, { ...clip, from: '2014-02-07 04:05:00', to: '2014-02-07 04:10:00' }, replay)
    expect([...(track.columns.get('temperature') ?? [])]).toEqual([91, 92])
  })

  it('counts minutes as well as dates', () => {
    const minutes = { time: { column: 'minute', unit: 'minutes' as const }, columns: { a: 'A' } }
    expect([...parseTrack('minute,A\n0,1\n3,2\n6,3\n', { ...clip, from: 3 }, minutes).seconds]).toEqual([0, 180])
  })

  it('refuses a stretch without rows', () => {
    expect(() => parseTrack(CSV, { ...clip, from: '2015-01-01' }, replay)).toThrow(
      'x.csv has no rows between 2015-01-01',
    )
  })

  it('stands on the last row that is not later, and holds or starts again at the end', () => {
    const track = parseTrack(CSV, clip, replay)
    expect([0, 299, 300, 899, 900, 5000].map((s) => rowAt(track, s, 'hold'))).toEqual([0, 0, 1, 2, 3, 3])
    expect([900, 1199, 1200, 1500].map((s) => rowAt(track, s, 'loop'))).toEqual([3, 3, 0, 1])
  })
})
