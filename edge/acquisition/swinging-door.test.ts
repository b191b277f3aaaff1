import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import { createSwingingDoor } from './swinging-door.ts'

const sample = (sourceAt: number, value: TagSample['value'], quality: TagSample['quality'] = 192): TagSample => ({
  tagId: 1,
  sourceAt,
  value,
  quality,
})
const through = (deviation: number, samples: readonly TagSample[]) => {
  const door = createSwingingDoor(deviation)
  return samples.map((each) => door.take(each, false))
}
const values = (reported: readonly (readonly TagSample[])[]) => reported.flat().map(({ value }) => value)

describe('a swinging door', () => {
  it('keeps a straight climb by its ends alone', () => {
    const climb = Array.from({ length: 100 }, (_, i) => sample(i * 1000, i * 2))
    const fall = Array.from({ length: 3 }, (_, i) => sample((100 + i) * 1000, 190 - i * 8))
    expect(values(through(0.5, [...climb, ...fall]))).toEqual([0, 198, 190])
  })

  it('reports a step at once, with the last sample before it', () => {
    const reported = through(1, [sample(0, 10), sample(1000, 10.2), sample(2000, 9.9), sample(3000, 50)])
    expect(reported.map((each) => each.map(({ value }) => value))).toEqual([[10], [], [], [9.9, 50]])
  })

  it('reports every change of quality, and what came before it', () => {
    const reported = through(1, [sample(0, 10), sample(1000, 10), sample(2000, null, 0), sample(3000, 10)])
    expect(reported.map((each) => each.map(({ quality }) => quality))).toEqual([[192], [], [192, 0], [192]])
  })

  it('reports what is due although it lies on the line', () => {
    const door = createSwingingDoor(1)
    door.take(sample(0, 1), false)
    expect([door.take(sample(1000, 1), false), door.take(sample(2000, 1), true)]).toEqual([[], [sample(2000, 1)]])
  })

  const signal = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.double({ min: -1000, max: 1000, noNaN: true })), {
      minLength: 2,
      maxLength: 200,
    })
    .map((steps) => {
      let at = 0
      return steps.map(([after, value]) => {
        at += after
        return sample(at, value)
      })
    })

  it('leaves no sample further than the deviation from the line between what it reports', () => {
    fc.assert(
      fc.property(signal, fc.double({ min: 0.01, max: 200, noNaN: true }), (samples, deviation) => {
        const door = createSwingingDoor(deviation)
        const last = samples.at(-1)
        const reported = samples.flatMap((each) => [...door.take(each, each === last)])
        for (const { sourceAt, value } of samples) {
          const right = reported.findIndex((each) => each.sourceAt >= sourceAt)
          const [a, b] = [reported[Math.max(0, right - 1)]!, reported[right]!]
          const share = b.sourceAt === a.sourceAt ? 1 : (sourceAt - a.sourceAt) / (b.sourceAt - a.sourceAt)
          const line = Number(a.value) + share * (Number(b.value) - Number(a.value))
          expect(Math.abs(Number(value) - line)).toBeLessThanOrEqual(deviation * (1 + 1e-9) + 1e-9)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('reports real samples only, in the order of time and none twice', () => {
    fc.assert(
      fc.property(signal, fc.double({ min: 0.01, max: 200, noNaN: true }), (samples, deviation) => {
        const reported = through(deviation, samples).flat()
        expect(reported.every((each) => samples.includes(each))).toBe(true)
        const times = reported.map(({ sourceAt }) => sourceAt)
        expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b))
      }),
    )
  })

  it('keeps an extreme that stands out by more than the deviation', () => {
    fc.assert(
      fc.property(signal, fc.double({ min: 0.01, max: 50, noNaN: true }), (samples, deviation) => {
        const door = createSwingingDoor(deviation)
        const last = samples.at(-1)
        const kept = samples.flatMap((each) => [...door.take(each, each === last)]).map(({ value }) => Number(value))
        const read = samples.map(({ value }) => Number(value))
        expect(Math.max(...kept)).toBeGreaterThanOrEqual(Math.max(...read) - deviation - 1e-9)
        expect(Math.min(...kept)).toBeLessThanOrEqual(Math.min(...read) + deviation + 1e-9)
      }),
    )
  })
})
