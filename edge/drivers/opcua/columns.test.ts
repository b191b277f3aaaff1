import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BAD, GOOD, UNCERTAIN } from '#shared/contracts/sample.ts'
import { Packer, unpack } from './columns.ts'
import { createContinuity } from './recovery.ts'

const NAMES = ['a', 'b', 'c']
const value = fc.oneof(fc.double(), fc.boolean(), fc.string(), fc.bigInt(), fc.constant(null))
const row = fc.record({
  tag: fc.nat({ max: 2 }),
  value,
  quality: fc.constantFrom(GOOD, UNCERTAIN, BAD),
  sourceAt: fc.nat(),
  reason: fc.option(fc.string(), { nil: undefined }),
})

describe('samples in columns', () => {
  it('come out as they went in, however many', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 600 }), (rows) => {
        const packer = new Packer()
        for (const { tag, ...sample } of rows)
          packer.add(tag, sample.reason === undefined ? { ...sample, reason: undefined as never } : sample)
        const expected = rows.map(({ tag, reason, ...sample }) => ({
          tag: NAMES[tag],
          ...sample,
          ...(reason === undefined ? {} : { reason }),
        }))
        expect(unpack(packer.take(), NAMES)).toEqual(expected)
        expect(packer.size).toBe(0)
      }),
    )
  })
})

describe('what may be missing after an interruption', () => {
  const columns = (...rows: [number, number][]) => {
    const packer = new Packer()
    for (const [tag, at] of rows) packer.addNumber(tag, 1, at)
    return packer.take()
  }

  it('is what lies between the last value before and the first after, of each tag that moved', () => {
    const continuity = createContinuity(3)
    continuity.see(columns([0, 100], [1, 200], [2, 300]))
    continuity.interrupt(1000)
    continuity.see(columns([0, 150], [1, 200]))
    expect(continuity.resume(2000)).toEqual({ from: 1000, to: 2000, ranges: [{ index: 0, from: 100, to: 150 }] })
  })

  it('is nothing before the first interruption, and nothing of a tag that was never read', () => {
    const continuity = createContinuity(2)
    continuity.see(columns([0, 100]))
    expect(continuity.resume(50)).toBeUndefined()
    continuity.interrupt(1000)
    continuity.see(columns([0, 100], [1, 500]))
    expect(continuity.resume(2000)).toBeUndefined()
  })

  it('begins at the first of several interruptions without a report between', () => {
    const continuity = createContinuity(1)
    continuity.see(columns([0, 100]))
    continuity.interrupt(1000)
    continuity.interrupt(5000)
    continuity.see(columns([0, 400]))
    expect(continuity.resume(6000)).toEqual({ from: 1000, to: 6000, ranges: [{ index: 0, from: 100, to: 400 }] })
  })

  it('leaves out a tag that the server did not serve before', () => {
    const continuity = createContinuity(1)
    const packer = new Packer()
    packer.addRefusal(0, 'no such node', 900)
    continuity.see(packer.take())
    continuity.interrupt(1000)
    continuity.see(columns([0, 5000]))
    expect(continuity.resume(6000)).toBeUndefined()
  })
})
