import { describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { bandOf, createReporter as createListReporter } from './report.ts'

const sample = (value: TagSample['value'], of: Partial<TagSample> = {}): TagSample => ({
  tagId: 1,
  sourceAt: 0,
  value,
  quality: 192,
  ...of,
})

/** A reporter of one tag; accept() answers whether the sample itself is reported. */
function createReporter(sizes: ReadonlyMap<number, number>, heartbeatMs: number, isSwingingDoor = false) {
  const bands = new Map([...sizes].map(([id, size]) => [id, { size, isSwingingDoor }]))
  const reporter = createListReporter(bands, heartbeatMs)
  return {
    accept: (one: TagSample) => {
      const reported: TagSample[] = []
      reporter.accept(one, reported)
      return reported.includes(one)
    },
    forget: reporter.forget,
  }
}

describe('report by exception', () => {
  it('reports the first value and every change', () => {
    const reporter = createReporter(new Map([[1, 0]]), 0)
    expect([1, 1, 2, 2, 1].map((v) => reporter.accept(sample(v)))).toEqual([true, false, true, false, true])
  })

  it('stays silent inside the deadband, measured from the value reported last, so slow drift is not lost', () => {
    const reporter = createReporter(new Map([[1, 1]]), 0)
    const values = [10, 10.6, 11, 11.1, 11.9, 12.2]
    expect(values.map((v) => reporter.accept(sample(v)))).toEqual([true, false, false, true, false, true])
  })

  it('reports a change of quality whatever the value', () => {
    const reporter = createReporter(new Map([[1, 100]]), 0)
    reporter.accept(sample(5))
    expect(reporter.accept(sample(null, { quality: 0 }))).toBe(true)
    expect(reporter.accept(sample(null, { quality: 0 }))).toBe(false)
    expect(reporter.accept(sample(5))).toBe(true)
  })

  it('repeats an unchanged value after the heartbeat', () => {
    const reporter = createReporter(new Map([[1, 0]]), 1000)
    const at = [0, 500, 999, 1000, 1500, 2000]
    expect(at.map((sourceAt) => reporter.accept(sample(5, { sourceAt })))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ])
  })

  it('reports again what the journal did not take', () => {
    const reporter = createReporter(new Map([[1, 0]]), 0)
    reporter.accept(sample(5))
    reporter.forget(1)
    expect(reporter.accept(sample(5))).toBe(true)
  })
})

describe('report through a swinging door', () => {
  it('repeats a steady value after the heartbeat, and a bad one only once before', () => {
    const reporter = createReporter(new Map([[1, 1]]), 1000, true)
    const bad = { quality: 0 } as const
    const given = [
      ...[sample(5), sample(5, { sourceAt: 500 }), sample(5, { sourceAt: 1000 })],
      ...[sample(null, { ...bad, sourceAt: 1100 }), sample(null, { ...bad, sourceAt: 1200 })],
    ]
    expect(given.map(reporter.accept)).toEqual([true, false, true, true, false])
  })

  it('reports again what the journal did not take', () => {
    const reporter = createReporter(new Map([[1, 1]]), 0, true)
    reporter.accept(sample(5))
    reporter.forget(1)
    expect(reporter.accept(sample(5, { sourceAt: 10 }))).toBe(true)
  })
})

describe('a heartbeat', () => {
  it('is due too when the clock was set back', () => {
    const reporter = createReporter(new Map([[1, 0]]), 1000)
    reporter.accept(sample(5, { sourceAt: 10_000_000 }))
    expect(reporter.accept(sample(5, { sourceAt: 5_000_000 }))).toBe(true)
  })
})

describe('a deadband', () => {
  const tag = (of: Partial<ProfileTag>) => of as ProfileTag
  it('is absolute in the tag’s unit or a percentage of its range', () => {
    expect(bandOf(tag({})).size).toBe(0)
    expect(bandOf(tag({ deadband: { absolute: 0.5, swingingDoor: true } }))).toEqual({
      size: 0.5,
      isSwingingDoor: true,
    })
    expect(bandOf(tag({ deadband: { percent: 2 }, range: [-50, 150] }))).toEqual({ size: 4, isSwingingDoor: false })
  })
})
