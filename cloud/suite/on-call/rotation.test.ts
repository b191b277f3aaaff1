import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startOfDay } from './import.ts'
import { dutyAt, type Rotation, turnAt, turnsBetween } from './rotation.ts'

const startsAt = new Date('2026-03-01T16:00:00Z')
const rotation: Rotation = { startsAt, turnHours: 12, people: ['zhang', 'sun', 'zhou'] }
const hours = (n: number) => new Date(startsAt.getTime() + n * 3_600_000)

describe('a rotation of three people in turns of 12 h', () => {
  it('hands over at the end of each turn and starts again after the last person', () => {
    expect([0, 11.99, 12, 24, 36].map((h) => turnAt(rotation, hours(h))?.person)).toEqual([
      'zhang',
      'zhang',
      'sun',
      'zhou',
      'zhang',
    ])
  })

  it('has nobody before it starts', () => {
    expect(turnAt(rotation, hours(-1))).toBeUndefined()
  })

  it('leaves no gap between turns', () => {
    const turns = turnsBetween(rotation, hours(5), hours(60))
    expect(turns[0]?.from).toEqual(hours(0))
    for (let i = 1; i < turns.length; i++) expect(turns[i]?.from).toEqual(turns[i - 1]?.to)
    expect(turns.at(-1)?.to).toEqual(hours(60))
  })

  it('has exactly one person on duty at any time after its start', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
        const at = new Date(startsAt.getTime() + ms)
        const turn = turnAt(rotation, at)
        expect(turn && turn.from <= at && at < turn.to).toBe(true)
      }),
    )
  })
})

describe('who is on duty', () => {
  const plan = {
    primary: rotation,
    backup: { ...rotation, people: ['sun', 'zhou', 'zhang'] },
    overrides: [{ person: 'wu', from: hours(2), to: hours(4) }],
  }

  it('is the override while it lasts', () => {
    expect(dutyAt(plan, hours(3)).primary?.person).toBe('wu')
    expect(dutyAt(plan, hours(4)).primary?.person).toBe('zhang')
  })

  it('has another person as backup', () => {
    expect(dutyAt(plan, hours(0)).backup?.person).toBe('sun')
    expect(dutyAt({ ...plan, backup: rotation }, hours(0)).backup).toBeUndefined()
  })

  it('is nobody, and not an error, when the rotation is empty', () => {
    expect(dutyAt({ primary: { ...rotation, people: [] }, backup: undefined, overrides: [] }, hours(1))).toEqual({
      primary: undefined,
      backup: undefined,
    })
  })
})

describe('the first turn of an imported schedule', () => {
  it('begins at midnight of the plant, not of the server', () => {
    const at = new Date('2026-03-01T20:15:30.250Z')
    expect(startOfDay(at, 'Asia/Shanghai').toISOString()).toBe('2026-03-01T16:00:00.000Z')
    expect(startOfDay(at, 'UTC').toISOString()).toBe('2026-03-01T00:00:00.000Z')
  })
})
