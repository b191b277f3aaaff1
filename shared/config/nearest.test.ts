import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from './nearest.ts'

describe('the nearest known word', () => {
  it('forgives a typing error', () => {
    expect(nearest('devcies', ['devices', 'data', 'edge'])).toBe('devices')
    expect(nearest('Scan', ['scan'])).toBe('scan')
  })

  it('is nobody when all are far', () => {
    expect(nearest('colour', ['mqtt', 'scan'])).toBeUndefined()
  })
})

describe('edit distance', () => {
  it('is 0 for the same word, symmetric, and never more than the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, a)).toBe(0)
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})
