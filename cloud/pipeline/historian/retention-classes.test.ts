import { describe, expect, it } from 'vitest'
import { classNumber, keptFor, retentionOf, sameNumber } from './retention-classes.ts'

const DAY = 86_400_000

describe('retention classes', () => {
  it('keep what they do not tell for ever, and unknown ones like the default', () => {
    const settings = { default: { values: '90d', minutes: '2y' }, energy: { values: 'forever', hours: '52w' } }
    const byDefault = { values: 90 * DAY, minutes: 730.5 * DAY, hours: null }
    expect(keptFor(settings, 'default')).toEqual(byDefault)
    expect(keptFor(settings, 'nobody')).toEqual(byDefault)
    expect(keptFor(settings, 'energy')).toEqual({ values: null, minutes: null, hours: 364 * DAY })
    expect(keptFor({}, 'energy')).toEqual({ values: null, minutes: null, hours: null })
  })

  it('have numbers of their names alone, the default 0', () => {
    expect(classNumber('default')).toBe(0)
    expect(classNumber('energy')).toBe(classNumber('energy'))
    expect(retentionOf({ default: { values: '1h' }, energy: {} })).toEqual({
      0: { rawMs: 3_600_000 },
      [classNumber('energy')]: {},
    })
  })

  it('are refused when two of them would have one number', () => {
    expect(sameNumber({ default: {}, energy: {}, process: {} })).toBeUndefined()
    expect(sameNumber({ c268724: {}, energy: {}, c698200: {} })).toEqual(['c268724', 'c698200'])
  })
})
