import { describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { createReporter, deadbandOf } from './report.ts'

const sample = (value: TagSample['value'], of: Partial<TagSample> = {}): TagSample => ({
  tagId: 1,
  sourceAt: 0,
  value,
  quality: 192,
  ...of,
})

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

describe('a deadband', () => {
  const tag = (of: Partial<ProfileTag>) => of as ProfileTag
  it('is absolute in the tag’s unit or a percentage of its range', () => {
    expect(deadbandOf(tag({}))).toBe(0)
    expect(deadbandOf(tag({ deadband: { absolute: 0.5 } }))).toBe(0.5)
    expect(deadbandOf(tag({ deadband: { percent: 2 }, range: [-50, 150] }))).toBe(4)
  })
})
