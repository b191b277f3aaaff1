import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '#edge/journal/index.ts'
import { createDelivery } from './delivery.ts'
import { createPace } from './pace.ts'

const record = (first: number, count = 1): JournalRecord => ({
  first: BigInt(first),
  last: BigInt(first + count - 1),
  class: 'live',
  device: 'd',
  samples: Array.from({ length: count }, (_, i) => ({ tagId: 1, sourceAt: i, value: i, quality: 192 })),
})
const delivery = () => createDelivery({ resendAfterMs: 5000, windowSamples: 10 })

describe('the book of what was sent', () => {
  it('begins with all that is not acknowledged as backlog', () => {
    const book = delivery()
    book.begin(4n, 9n, 0)
    expect(book.backlog.serialise()).toBe('5-9')
  })

  it('has no room beyond the window, and has it again after an acknowledgement', () => {
    const book = delivery()
    book.begin(0n, 0n, 0)
    book.markSent(record(1, 10), 0)
    expect(book.hasRoom).toBe(false)
    expect(book.acknowledge(10n, 700)).toBe(700)
    expect([book.hasRoom, book.inFlightSamples]).toEqual([true, 0])
  })

  it('puts one record back when acknowledgements stay below it for more than 5 s', () => {
    const book = delivery()
    book.begin(0n, 0n, 0)
    for (let i = 1; i <= 5; i++) book.markSent(record(i), 0)
    book.acknowledge(1n, 4000)
    expect(book.backlog.isEmpty).toBe(true)
    book.acknowledge(1n, 5001)
    expect(book.backlog.serialise()).toBe('2-2')
  })

  it('puts back twice as many each time while the host stands still', () => {
    const book = delivery()
    book.begin(0n, 0n, 0)
    for (let i = 1; i <= 8; i++) book.markSent(record(i), 0)
    book.acknowledge(0n, 6000)
    book.acknowledge(0n, 6100)
    book.acknowledge(0n, 6200)
    expect(book.backlog.serialise()).toBe('1-7')
  })

  it('puts back one at a time while a slow host moves by itself', () => {
    const book = delivery()
    book.begin(0n, 0n, 0)
    for (let i = 1; i <= 9; i++) book.markSent(record(i), 0)
    book.acknowledge(1n, 6000)
    expect(book.backlog.serialise()).toBe('2-2')
    book.acknowledge(3n, 6100)
    expect(book.backlog.serialise()).toBe('4-4')
  })

  it('takes nothing for lost behind what has not been sent yet', () => {
    const book = delivery()
    book.begin(0n, 5n, 0)
    book.markSent(record(6), 0)
    book.backlog.remove(1n, 1n)
    book.markSent(record(1), 5500)
    book.acknowledge(1n, 6000)
    expect(book.backlog.serialise()).toBe('2-5')
  })

  it('leaves room to the backlog, however much live data went ahead of it', () => {
    const book = delivery()
    book.begin(0n, 5n, 0)
    for (let i = 6; i <= 40; i++) book.markSent(record(i), i * 100)
    expect([book.hasRoom, book.inFlightSamples]).toEqual([true, 35])
    book.backlog.remove(1n, 5n)
    book.markSent(record(1, 5), 5000)
    expect(book.sentBefore(5001, 40n)).toBe(40n)
    book.acknowledge(17n, 5100)
    expect(book.inFlightSamples).toBe(23)
    book.acknowledge(17n, 10_200)
    expect(book.backlog.serialise()).toMatch(/^18-/)
    book.acknowledge(40n, 10_300)
    expect([book.backlog.isEmpty, book.inFlightSamples]).toEqual([true, 0])
  })

  it('knows since when it waits: from the sending or from the last acknowledgement', () => {
    const book = delivery()
    book.begin(0n, 0n, 0)
    expect(book.waitingSince()).toBeUndefined()
    book.markSent(record(1), 100)
    book.markSent(record(2), 200)
    expect(book.waitingSince()).toBe(100)
    book.acknowledge(1n, 900)
    expect(book.waitingSince()).toBe(900)
    book.acknowledge(2n, 950)
    expect(book.waitingSince()).toBeUndefined()
  })

  it('keeps every offset above the acknowledged one in one place, whatever happens', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('live' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('pump' as const), count: fc.constant(1) }),
      fc.record({ kind: fc.constant('ack' as const), count: fc.nat({ max: 6 }) }),
      fc.record({ kind: fc.constant('later' as const), count: fc.integer({ min: 1, max: 9000 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const book = delivery()
        book.begin(0n, 0n, 0)
        const records: JournalRecord[] = []
        const sent = new Set<JournalRecord>()
        let [now, newest, acknowledged] = [0, 0n, 0n]
        for (const { kind, count } of steps) {
          if (kind === 'later') now += count
          if (kind === 'live') {
            const fresh = record(Number(newest) + 1, count)
            records.push(fresh)
            newest = fresh.last
            if (book.hasRoom) {
              book.markSent(fresh, now)
              sent.add(fresh)
            } else book.postpone(fresh)
          }
          if (kind === 'pump') {
            const next = records.find(({ first }) => first === book.backlog.ranges[0]?.first)
            if (!next) continue
            book.backlog.remove(next.first, next.last)
            book.markSent(next, now)
            sent.add(next)
          }
          if (kind === 'ack') {
            const end = records.filter(({ last }) => last > acknowledged)[count]?.last ?? acknowledged
            acknowledged = end
            book.acknowledge(end, now)
          }
          const pending = records.filter(({ last }) => last > acknowledged)
          const inFlight = pending.filter(({ first }) => !book.backlog.has(first))
          expect(book.inFlightSamples).toBe(inFlight.reduce((sum, { samples }) => sum + samples.length, 0))
          for (const each of inFlight) expect(sent.has(each)).toBe(true)
        }
      }),
    )
  })
})

describe('the pace of the backlog', () => {
  it('rises with quick acknowledgements to the limit and halves with late ones', () => {
    const pace = createPace(10_000)
    expect(pace.perSecond).toBe(2000)
    for (let i = 0; i < 30; i++) pace.observe(500, i)
    expect(pace.perSecond).toBe(10_000)
    pace.observe(5000, 10_000)
    pace.observe(5000, 10_001)
    expect(pace.perSecond).toBe(5000)
  })

  it('spends no more than its rate', () => {
    const pace = createPace(10_000)
    let sent = 0
    for (let now = 0; now <= 1000; now += 50) {
      while (pace.budget(now) > 0) {
        pace.spend(50)
        sent += 50
      }
    }
    expect(sent).toBeGreaterThan(1900)
    expect(sent).toBeLessThan(2500)
  })
})
