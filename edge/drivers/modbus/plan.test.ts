import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AREAS, type Area, isBitArea, type Span } from './address.ts'
import { planReads, spanKey } from './plan.ts'

const span = fc.record({
  area: fc.constantFrom<Area>(...AREAS),
  start: fc.integer({ min: 0, max: 600 }),
  width: fc.constantFrom(1, 1, 2, 4, 20),
})
const spans = fc
  .array(span, { maxLength: 80 })
  .map((all) => all.map((s) => (isBitArea(s.area) ? { ...s, width: 1 } : s)))
const limits = fc.record({ maxGap: fc.integer({ min: 0, max: 124 }), maxBlock: fc.integer({ min: 1, max: 125 }) })
const endOf = ({ start, width }: Span) => start + width

describe('a plan of reads', () => {
  it('covers every span exactly once and whole, in blocks no larger than allowed', () => {
    fc.assert(
      fc.property(spans, limits, (wanted, { maxGap, maxBlock }) => {
        const blocks = planReads(wanted, { maxGap, maxBlock })
        const planned = blocks.flatMap((b) => b.spans)
        expect(planned.map(spanKey).sort()).toEqual([...new Set(wanted.map(spanKey))].sort())
        for (const block of blocks) {
          const most = isBitArea(block.area) ? Math.min(2000, maxBlock * 16) : maxBlock
          expect(block.count <= most || block.spans.length === 1).toBe(true)
          expect(block.start).toBe(Math.min(...block.spans.map((s) => s.start)))
          expect(block.start + block.count).toBe(Math.max(...block.spans.map(endOf)))
          expect(block.spans.every((s) => s.area === block.area)).toBe(true)
        }
      }),
    )
  })

  it('reads no more unwanted registers in a row than the gap allows', () => {
    fc.assert(
      fc.property(spans, limits, (wanted, { maxGap, maxBlock }) => {
        for (const block of planReads(wanted, { maxGap, maxBlock })) {
          let end = block.start
          for (const s of block.spans) {
            expect(s.start - end).toBeLessThanOrEqual(maxGap)
            end = Math.max(end, endOf(s))
          }
        }
      }),
    )
  })

  it('touches no register that the device refuses', () => {
    fc.assert(
      fc.property(spans, spans, limits, (wanted, holes, limit) => {
        const places = (s: Span) => Array.from({ length: s.width }, (_, i) => `${s.area}:${s.start + i}`)
        const refused = new Set(holes.flatMap(places))
        const allowed = wanted.filter((s) => !places(s).some((p) => refused.has(p)))
        const read = planReads(allowed, { ...limit, holes }).flatMap((b) =>
          places({ area: b.area, start: b.start, width: b.count }),
        )
        expect(read.filter((p) => refused.has(p))).toEqual([])
      }),
    )
  })

  it('puts a hundred neighbouring registers into one request', () => {
    const wanted = Array.from({ length: 100 }, (_, i): Span => ({ area: 'holding', start: 1000 + i, width: 1 }))
    expect(planReads(wanted, { maxGap: 16, maxBlock: 125 })).toHaveLength(1)
  })
})
