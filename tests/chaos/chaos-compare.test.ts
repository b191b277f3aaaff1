import { describe, expect, it } from 'vitest'
import {
  type Called,
  compareAlarm,
  compareNumbers,
  compareOccurrences,
  comparePages,
  compareTag,
  type Fault,
  type Logged,
} from '../bench/chaos/compare.ts'
import { expectedOf } from '../bench/chaos/expect.ts'
import { type ChaosLoad, sampleOf } from '../bench/chaos/plan.ts'

const load: ChaosLoad = { group: 'g', edges: 2, devices: 2, periodMs: 500, baseAt: 1_000_000, faultEvery: 4 }
const place = { edge: 1, device: 1 }
const accepted = { rounds: 120, quietFrom: 112 }
const samples = Array.from({ length: accepted.rounds }, (_, n) =>
  sampleOf(load, place, 'flaky', { n, quietFrom: accepted.quietFrom }),
)
const kinds = (faults: readonly Fault[]) => faults.map(({ kind }) => kind)

describe('the comparison of history with the ledger', () => {
  it('passes equal ones', () => {
    expect(compareTag('t', samples, samples)).toEqual([])
  })

  it('finds a value that is lost', () => {
    expect(kinds(compareTag('t', samples, samples.toSpliced(7, 1)))).toEqual(['lost'])
  })

  it('finds a value that is there twice', () => {
    expect(kinds(compareTag('t', samples, [...samples, samples[3]!]))).toEqual(['duplicated'])
  })

  it('finds a changed value, quality and time', () => {
    const changed = (part: object) => compareTag('t', samples, samples.with(5, { ...samples[5]!, ...part }))
    expect(kinds(changed({ value: -1 }))).toEqual(['changed'])
    expect(kinds(changed({ quality: 0 }))).toEqual(['changed'])
    expect(kinds(changed({ at: 1 }))).toEqual(['lost', 'changed'])
  })
})

const expected = expectedOf(load, place, 'pressure-high', accepted)
const logged: Logged[] = expected.map(({ transition, at }, i) => ({
  ...{ seq: i + 1, point: 'p', occurrence: 'o', transition, at },
}))

describe('the comparison of the alarm log with the ledger', () => {
  it('passes equal ones, which hold activations, levels and returns', () => {
    expect(new Set(expected.map(({ transition }) => transition))).toEqual(
      new Set(['activated', 'level-changed', 'returned']),
    )
    expect(compareAlarm('p', expected, logged)).toEqual([])
  })

  it('finds a transition that is missing', () => {
    expect(kinds(compareAlarm('p', expected, logged.toSpliced(2, 1)))).toEqual(['alarmMissing'])
    expect(kinds(compareAlarm('p', expected, []))).toEqual(expected.map(() => 'alarmMissing'))
  })

  it('finds one that is there twice', () => {
    expect(kinds(compareAlarm('p', expected, [...logged, logged[1]!]))).toEqual(['alarmTwice'])
  })

  it('finds one that no sample asked for, or of another time', () => {
    const more = logged.toSpliced(2, 0, { ...logged[0]!, at: 7 })
    expect(kinds(compareAlarm('p', expected, more))).toEqual(['alarmWrong'])
    const moved = logged.with(0, { ...logged[0]!, at: logged[0]!.at + 1 })
    expect(kinds(compareAlarm('p', expected, moved)).toSorted()).toEqual(['alarmMissing', 'alarmWrong'])
  })

  it('finds a delay that ended later than it would have', () => {
    const delayed = expectedOf(load, place, 'level-high', accepted)
    const rows = delayed.map(({ transition, at }, i) => ({ seq: i + 1, point: 'p', occurrence: 'o', transition, at }))
    expect(delayed.length).toBeGreaterThan(2)
    expect(compareAlarm('p', delayed, rows)).toEqual([])
    const late = rows.map((row) => (row.transition === 'activated' ? { ...row, at: row.at + 700 } : row))
    expect(kinds(compareAlarm('p', delayed, late))).toContain('alarmMissing')
  })

  it('finds a hole in its numbers', () => {
    expect(compareNumbers([3, 1, 2])).toEqual([])
    expect(kinds(compareNumbers([1, 2, 4]))).toEqual(['logHole'])
    expect(kinds(compareNumbers([1, 2, 2]))).toEqual(['logHole'])
  })

  it('finds a second occurrence, and one that counts wrong', () => {
    const right = {
      ...{ id: 'o', point: 'p', count: expected.filter(({ transition }) => transition === 'activated').length },
      returnedAt: expected.at(-1)?.at ?? null,
    }
    expect(compareOccurrences('p', expected, [right])).toEqual([])
    expect(kinds(compareOccurrences('p', expected, [right, right]))).toEqual(['occurrenceWrong'])
    expect(kinds(compareOccurrences('p', expected, [{ ...right, count: 1 }]))).toEqual(['occurrenceWrong'])
    expect(kinds(compareOccurrences('p', expected, []))).toEqual(['occurrenceWrong'])
  })
})

describe('the comparison of pages with the ledger', () => {
  const failed = new Map([['e000/d00', 1000]])
  const one: Called = { incident: 'INC-1', device: 'e000/d00', pages: 1, inboxItems: 1 }

  it('passes one incident with one page a failed machine', () => {
    expect(comparePages(failed, [one])).toEqual([])
  })

  it('finds a page that was missed, and an incident', () => {
    expect(kinds(comparePages(failed, [{ ...one, pages: 0 }]))).toEqual(['pageMissed'])
    expect(kinds(comparePages(failed, [{ ...one, inboxItems: 0 }]))).toEqual(['pageMissed'])
    expect(kinds(comparePages(failed, []))).toEqual(['incidentMissing', 'pageMissed'])
  })

  it('finds a page that went out twice, a second incident and one of a machine that never failed', () => {
    expect(kinds(comparePages(failed, [{ ...one, pages: 2 }]))).toEqual(['pageTwice'])
    expect(kinds(comparePages(failed, [{ ...one, inboxItems: 2 }]))).toEqual(['pageTwice'])
    expect(kinds(comparePages(failed, [one, one]))).toEqual(['incidentTwice', 'pageTwice'])
    expect(kinds(comparePages(failed, [one, { ...one, device: 'e001/d01' }]))).toEqual(['pageTwice'])
  })
})
