import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { offsetsOf } from './completeness.ts'
import { FIRST_OFFSET, OFFSET_PROPERTY } from './metric-names.ts'
import { decodePayload, encodePayload, type OutgoingMetric, PayloadError } from './payload.ts'
import { RangeSet } from './range-set.ts'

const ALIASES = { first: 1, last: 2 }
const sample = (properties?: OutgoingMetric['properties']): OutgoingMetric => ({
  alias: 9,
  timestamp: 1,
  type: 'double',
  value: 1.5,
  ...(properties && { properties }),
})
const offset = (alias: number, value: bigint): OutgoingMetric => ({ alias, timestamp: 1, type: 'uint64', value })
const read = (...metrics: OutgoingMetric[]) => offsetsOf(decodePayload(encodePayload({ metrics })), ALIASES)

describe('the offsets of a payload', () => {
  it('count up from the first, one per sample', () => {
    const offsets = read(sample(), sample(), sample(), offset(1, 40n), offset(2, 42n))
    expect(offsets).toMatchObject({ first: 40n, last: 42n, samples: 3, isThinned: false })
    expect([0, 1, 2].map((i) => offsets?.offsetAt(i))).toEqual([40n, 41n, 42n])
  })

  it('may be named instead of aliased', () => {
    const first: OutgoingMetric = { name: FIRST_OFFSET, type: 'uint64', value: 7n }
    expect(read(sample(), first, offset(2, 7n))?.first).toBe(7n)
  })

  it('are absent in a heartbeat and from a third-party edge', () => {
    expect(read(sample())).toBeUndefined()
    expect(read(sample(), sample(), sample())).toBeUndefined()
    expect(read()).toBeUndefined()
  })

  it.each([
    ['a count that does not fit', [sample(), offset(1, 1n), offset(2, 2n)]],
    ['no sample', [offset(1, 1n), offset(2, 1n)]],
    ['an empty range', [sample(), offset(1, 2n), offset(2, 1n)]],
    ['offset 0', [sample(), offset(1, 0n), offset(2, 0n)]],
    ['one of the two alone', [sample(), offset(1, 1n)]],
    ['the two in the wrong order', [sample(), offset(2, 1n), offset(1, 1n)]],
    ['samples behind them', [offset(1, 1n), offset(2, 1n), sample()]],
    ['a null', [sample(), offset(1, 1n), { alias: 2, type: 'uint64', value: null } as const]],
  ])('refuse %s', (_, metrics) => {
    expect(() => read(...metrics)).toThrow(PayloadError)
  })

  it('are each sample’s own in a thinned record', () => {
    const own = (value: bigint) => sample({ [OFFSET_PROPERTY]: { type: 'uint64', value } })
    const offsets = read(own(10n), own(14n), own(19n), offset(1, 10n), offset(2, 20n))
    expect(offsets).toMatchObject({ first: 10n, last: 20n, samples: 3, isThinned: true })
    expect([0, 1, 2].map((i) => offsets?.offsetAt(i))).toEqual([10n, 14n, 19n])
    expect(() => read(own(10n), own(10n), offset(1, 10n), offset(2, 20n))).toThrow(PayloadError)
    expect(() => read(own(10n), own(21n), offset(1, 10n), offset(2, 20n))).toThrow(PayloadError)
    expect(() => read(own(10n), sample(), offset(1, 10n), offset(2, 20n))).toThrow(PayloadError)
  })
})

const rangeArb = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 })).map(([first, length]) => ({
  first: BigInt(first),
  last: BigInt(first + length),
}))
const stepArb = fc.record({ range: rangeArb, isAdded: fc.boolean() })

function built(steps: readonly { range: { first: bigint; last: bigint }; isAdded: boolean }[]) {
  const set = new RangeSet()
  const plain = new Set<bigint>()
  for (const { range, isAdded } of steps) {
    if (isAdded) set.add(range.first, range.last)
    else set.remove(range.first, range.last)
    for (let i = range.first; i <= range.last; i++) isAdded ? plain.add(i) : plain.delete(i)
  }
  return { set, plain }
}

describe('a set of ranges', () => {
  it('holds what a plain set of offsets holds, in sorted ranges that do not touch', () => {
    fc.assert(
      fc.property(fc.array(stepArb), rangeArb, (steps, asked) => {
        const { set, plain } = built(steps)
        for (let i = 0n; i < 80n; i++) expect(set.has(i)).toBe(plain.has(i))
        set.ranges.forEach((range, i) => {
          expect(range.last).toBeGreaterThanOrEqual(range.first)
          const next = set.ranges[i + 1]
          if (next) expect(next.first).toBeGreaterThan(range.last + 1n)
        })
        const holes = new Set<bigint>()
        for (const hole of set.missing(asked.first, asked.last))
          for (let i = hole.first; i <= hole.last; i++) holes.add(i)
        for (let i = asked.first; i <= asked.last; i++) expect(holes.has(i)).toBe(!plain.has(i))
        expect(set.hasAll(asked.first, asked.last)).toBe(holes.size === 0)
        let end = asked.first - 1n
        while (plain.has(end + 1n)) end += 1n
        expect(set.endFrom(asked.first)).toBe(end)
        expect(RangeSet.parse(set.serialise()).ranges).toEqual(set.ranges)
      }),
      { numRuns: 500 },
    )
  })

  it('merges another set', () => {
    const set = RangeSet.parse('1-3,9-9')
    set.merge(RangeSet.parse('4-8'))
    expect(set.serialise()).toBe('1-9')
  })

  it('refuses a text that is none', () => {
    for (const text of ['1', 'a-b', '5-1', '1-2,,3-4']) expect(() => RangeSet.parse(text)).toThrow(RangeError)
  })
})
