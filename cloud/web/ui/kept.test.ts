import { describe, expect, it } from 'vitest'
import { removedUntil, shortestKept } from './kept.ts'

const tag = (values: number | null, removed: string | null) => ({
  ...{ path: 'g/e/d/t', class: 'default', engine: null, keepMs: { values, minutes: null, hours: null } },
  removedUntil: { values: removed, minutes: null, hours: null },
})

describe('how long tags are kept', () => {
  it('is as long as the one that is kept shortest; for ever where none ends', () => {
    expect(shortestKept([tag(null, null), tag(200, null), tag(100, null)])).toEqual({
      ...{ values: 100, minutes: null, hours: null },
    })
    expect(shortestKept([])).toEqual({ values: null, minutes: null, hours: null })
  })

  it('tells the newest time of which single values are missing', () => {
    expect(removedUntil([tag(1, null)])).toBeNull()
    const times = ['2026-01-02T00:00:00.000Z', '2026-03-02T00:00:00.000Z']
    expect(removedUntil(times.map((time) => tag(1, time)))).toBe(Date.UTC(2026, 2, 2))
  })
})
