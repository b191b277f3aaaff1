import { describe, expect, it } from 'vitest'
import { readGap } from './gaps.ts'

const GAP = { first: '2', last: '5', count: 4, cause: 'disk-limit', firstTime: 1000, lastTime: 2000 }
const read = (changed: object) => readGap(JSON.stringify({ ...GAP, ...changed }))

describe('a gap record', () => {
  it('is read with its range, count, cause and times', () => {
    expect(read({ device: 'press' })).toEqual({ ...GAP, device: 'press', first: 2n, last: 5n, count: 4n })
  })

  it.each([
    ['an offset beyond 64 bits', { last: '99999999999999999999' }],
    ['a range that ends before it starts', { last: '1' }],
    ['no offset', { first: '0' }],
    ['a count that is no number of samples', { count: 1e300 }],
  ])('with %s is none', (_, changed) => expect(read(changed)).toBeUndefined())

  it('loses a time or a device that no table holds, and stays', () => {
    const odd = read({ firstTime: 1e18, lastTime: -5, device: 'a\u0000b' })
    expect(odd).toMatchObject({ device: null, firstTime: null, lastTime: null, last: 5n })
  })
})
