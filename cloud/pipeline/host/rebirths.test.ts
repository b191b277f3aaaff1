import { describe, expect, it } from 'vitest'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { nothingAsked, rebirthDesk } from './rebirths.ts'

const LIMITS = { perSecond: 100, burst: 50, firstPauseMs: 5000, longestPauseMs: 300_000 }

function desk() {
  const sent: { shard: EdgeShard; at: number; isRepeat: boolean }[] = []
  const time = { now: 1_000_000 }
  const made = rebirthDesk({
    limits: LIMITS,
    clock: () => time.now,
    send: (shard, _, isRepeat) => sent.push({ shard, at: time.now, isRepeat }),
  })
  const run = (ms: number) => {
    for (const end = time.now + ms; time.now < end; ) {
      time.now += 500
      made.tick(time.now)
    }
  }
  return { ...made, sent, time, run, waiting: () => made.waiting }
}

/** The part of a shard that the desk touches. */
const edge = () => ({ session: { rebirth: nothingAsked() } }) as unknown as EdgeShard

describe('the rebirth desk', () => {
  it('asks one edge at once', () => {
    const { want, sent } = desk()
    want(edge(), 'unknown-alias')
    expect(sent).toMatchObject([{ isRepeat: false }])
  })

  it('spreads a storm of 1,000 edges over ten seconds, each asked once', () => {
    const { want, settle, sent, run, time } = desk()
    const edges = Array.from({ length: 1000 }, edge)
    const began = time.now
    for (const one of edges) want(one, 'not-born')
    expect(sent).toHaveLength(LIMITS.burst)
    for (let i = 0; i < 20; i++) {
      for (const { shard } of sent) settle(shard)
      run(500)
    }
    expect(new Set(sent.map(({ shard }) => shard)).size).toBe(1000)
    expect(sent).toHaveLength(1000)
    expect((sent.at(-1)?.at ?? 0) - began).toBeGreaterThan(9000)
  })

  it('repeats an unanswered request after 5, 10, 20 s and so on, and stops in the end', () => {
    const { want, sent, run, waiting } = desk()
    want(edge(), 'not-born')
    run(3_600_000)
    const times = sent.map(({ at }) => at)
    const pauses = times.slice(1).map((at, i) => at - (times[i] ?? 0))
    expect(pauses.slice(0, 7)).toEqual([5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000])
    expect(sent).toHaveLength(12)
    expect(waiting()).toBe(0)
  })

  it('makes an edge that is born wrong again and again wait longer each time', () => {
    const { want, settle, sent, run, time } = desk()
    const one = edge()
    const began = time.now
    for (let i = 0; i < 300; i++) {
      want(one, 'unknown-alias')
      run(500)
      if (sent.at(-1)?.at === time.now) settle(one)
    }
    expect(sent.map(({ at }) => Math.round((at - began) / 1000)).slice(0, 4)).toEqual([0, 5, 15, 35])
  })

  it('says nothing to an edge that was born while it waited', () => {
    const { want, settle, sent, run } = desk()
    const edges = Array.from({ length: LIMITS.burst + 1 }, edge)
    for (const one of edges) want(one, 'not-born')
    for (const one of edges) settle(one)
    run(60_000)
    expect(sent).toHaveLength(LIMITS.burst)
  })
})
