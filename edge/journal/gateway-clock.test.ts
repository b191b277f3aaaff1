import { describe, expect, it } from 'vitest'
import { createGatewayClock, EARLIEST_MS } from './gateway-clock.ts'

const NOW = EARLIEST_MS + 1e9

describe('gateway time', () => {
  const at = (now: number, newestAt?: number, earliest = 0) => {
    const state = { now, monotonic: 5 }
    const given = { now: () => state.now, monotonic: () => state.monotonic, earliest: () => earliest }
    const clock = createGatewayClock(given, newestAt)
    const pass = (ms: number, set = 0) => {
      state.now += ms + set
      state.monotonic += ms
      return clock.look().jump
    }
    return { clock, pass }
  }

  it('is believed when it goes on from where the journal ends', () => {
    const { clock } = at(NOW, NOW - 1000)
    expect([clock.isBelieved, clock.qualityOf(192)]).toEqual([true, 192])
  })

  it('is not believed before what is known to have passed, and is as soon as it is set', () => {
    const { clock, pass } = at(NOW, undefined, NOW + 5000)
    expect(clock.isBelieved).toBe(false)
    pass(0, 5000)
    expect(clock.isBelieved).toBe(true)
  })

  it('is not believed before this product existed, until it is set', () => {
    const { clock, pass } = at(1000)
    expect([clock.isBelieved, clock.qualityOf(192), clock.qualityOf(0)]).toEqual([false, 64, 0])
    expect(pass(5000)).toBeUndefined()
    expect(clock.isBelieved).toBe(false)
    expect(pass(1000, NOW)).toEqual({ from: 7000, to: NOW + 7000 })
    expect([clock.isBelieved, clock.qualityOf(192)]).toEqual([true, 192])
  })

  it('is not believed while it lags behind what the journal holds, as after a start from the time of the last stop', () => {
    const { clock, pass } = at(NOW, NOW + 60_000)
    expect(clock.isBelieved).toBe(false)
    pass(60_000)
    expect(clock.isBelieved).toBe(true)
  })

  it('is believed although the journal was once written by a clock far ahead', () => {
    expect(at(NOW, NOW + 4 * 365 * 86_400_000).clock.isBelieved).toBe(true)
  })

  it('tells a step back and none for a drift of less than two seconds', () => {
    const { pass } = at(NOW)
    expect(pass(1000, -1999)).toBeUndefined()
    expect(pass(1000, -3000)).toEqual({ from: NOW + 1, to: NOW - 2999 })
  })
})
