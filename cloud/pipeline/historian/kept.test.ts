import { describe, expect, it } from 'vitest'
import type { Deletion, HistorianStatus } from './historian.ts'
import { keptReader } from './kept.ts'
import { classNumber } from './retention-classes.ts'

const DAY = 86_400_000
const none = { values: null, minutes: null, hours: null }

describe('what history keeps of a tag', () => {
  function setUp(engine?: HistorianStatus['engine']) {
    const deletions: Deletion[] = []
    let [asked, now] = [0, 0]
    const remove = (name: string, level: Deletion['level'], lastAt: number) =>
      deletions.push({ deletedAt: 0, level, class: classNumber(name), firstAt: 0, lastAt, rows: 1 })
    const kept = keptReader({
      historian: {
        async deletions() {
          asked += 1
          return [...deletions]
        },
        status: async () => ({ hotRows: 0, fileRows: 0, files: 0, ...(engine ? { engine } : {}) }),
      },
      settings: { energy: { values: '90d' } },
      classOf: (path) => ({ a: 'default', b: 'energy' })[path],
      clock: () => now,
    })
    return { kept, remove, asked: () => asked, pass: (ms: number) => (now += ms) }
  }

  it('is that of its class, with the newest time that was removed of each level', async () => {
    const { kept, remove } = setUp()
    remove('energy', 'raw', 500)
    remove('energy', 'raw', 700)
    remove('energy', 'minute', 300)
    expect(await kept(['a', 'b', 'unknown'])).toEqual([
      { path: 'a', class: 'default', engine: null, keepMs: none, removedUntil: none },
      {
        ...{ path: 'b', class: 'energy', engine: null, keepMs: { ...none, values: 90 * DAY } },
        removedUntil: { values: 700, minutes: 300, hours: null },
      },
    ])
  })

  it('is read anew after a minute, not with each question', async () => {
    const { kept, remove, asked, pass } = setUp()
    await kept(['b'])
    remove('energy', 'raw', 500)
    expect((await kept(['b']))[0]?.removedUntil.values).toBeNull()
    pass(61_000)
    expect((await kept(['b']))[0]?.removedUntil.values).toBe(500)
    expect(asked()).toBe(2)
  })

  it('is what another engine keeps, where that keeps history', async () => {
    const { kept } = setUp({
      ...{ name: 'victoria-metrics', version: '1.79', isTested: true, keepsText: false, keepsWide: false },
      ...{ significantDigits: 12, retentionMs: 30 * DAY },
    })
    const keepMs = { values: 30 * DAY, minutes: 30 * DAY, hours: 30 * DAY }
    expect(await kept(['b'])).toEqual([
      { path: 'b', class: null, engine: 'victoria-metrics', keepMs, removedUntil: none },
    ])
  })
})
