import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AREAS, type Area, forbiddenSpans, isBitArea, parseModbusAddress, type Span, touches } from './address.ts'
import { createHoles } from './holes.ts'
import { planReads, spanKey } from './plan.ts'
import { placeTags, planTags } from './tag-plan.ts'

const span = fc.record({
  area: fc.constantFrom<Area>(...AREAS),
  start: fc.integer({ min: 0, max: 600 }),
  width: fc.constantFrom(1, 1, 2, 4, 20),
})
const spans = fc
  .array(span, { maxLength: 80 })
  .map((all) => all.map((s) => (isBitArea(s.area) ? { ...s, width: 1 } : s)))
const range = fc.record({
  area: fc.constantFrom<Area>(...AREAS),
  start: fc.integer({ min: 0, max: 600 }),
  width: fc.integer({ min: 1, max: 200 }),
})
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

  it('touches no range that the profile forbids, also where bits are read from 0 on', () => {
    fc.assert(
      fc.property(spans, fc.array(range, { maxLength: 6 }), limits, (wanted, forbidden, limit) => {
        const allowed = wanted.filter((s) => !forbidden.some((f) => touches(s, f)))
        for (const bitsFromZero of [false, true]) {
          const blocks = planReads(allowed, { ...limit, forbidden, bitsFromZero })
          expect(blocks.flatMap((b) => b.spans.map(spanKey)).sort()).toEqual([...new Set(allowed.map(spanKey))].sort())
          const read = blocks.map(({ area, start, count }): Span => ({ area, start, width: count }))
          expect(read.filter((b) => forbidden.some((f) => touches(b, f)))).toEqual([])
        }
      }),
    )
  })

  it('puts a hundred neighbouring registers into one request', () => {
    const wanted = Array.from({ length: 100 }, (_, i): Span => ({ area: 'holding', start: 1000 + i, width: 1 }))
    expect(planReads(wanted, { maxGap: 16, maxBlock: 125 })).toHaveLength(1)
  })
})

describe('a plan of tags', () => {
  const uint16 = { name: { en: 'x', 'zh-CN': 'x' }, type: 'uint16' as const }
  const addressOf = (tag: string, address: string, forbidden: string[], type: 'uint16' | 'float32' = 'uint16') =>
    parseModbusAddress({ ...uint16, tag, address, type }, { forbidden, addressBase: 1 })
  const limits = { maxGap: 16, maxBlock: 125, bitsFromZero: false }

  it('leaves out tags that hold a part of what the device refuses', () => {
    const holes = createHoles()
    holes.refuse({ area: 'holding', start: 4, width: 1 }, 'no such address', 0)
    const at = (tag: string, address: string, type: 'uint16' | 'float32') =>
      [tag, addressOf(tag, address, [], type)] as const
    const tags = new Map([
      at('a', 'holding:3', 'uint16'),
      at('b', 'holding:4', 'float32'),
      at('c', 'holding:7', 'uint16'),
    ])
    const { blocks, refused } = planTags(placeTags(tags), holes, limits)
    expect(blocks.map(({ start, count }) => [start, count])).toEqual([
      [2, 1],
      [6, 1],
    ])
    expect(refused.map(spanKey)).toEqual(['holding:3+2'])
  })

  it('reads around a range that the profile forbids, however small the gap', () => {
    const forbidden = ['holding:3-4']
    const tags = new Map(['2', '5'].map((n) => [n, addressOf(n, `holding:${n}`, forbidden)]))
    const { blocks } = planTags(placeTags(tags), createHoles(), {
      ...limits,
      forbidden: forbiddenSpans({ forbidden, addressBase: 1 }),
    })
    expect(blocks.map(({ start, count }) => [start, count])).toEqual([
      [1, 1],
      [4, 1],
    ])
  })

  it('takes no address within such a range', () => {
    expect(() => addressOf('a', 'holding:2', ['holding:3-4'], 'float32')).toThrow(
      "Tag 'a': holding:2 cannot be read without holding:3-4, which the profile forbids",
    )
    expect(addressOf('a', 'input:3', ['holding:3-4']).span.start).toBe(2)
  })
})
