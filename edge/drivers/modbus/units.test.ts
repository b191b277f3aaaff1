import { describe, expect, it } from 'vitest'
import { createIdleTime } from './idle.ts'
import { fellSilent, newUnit, probeTimeoutMs, replied } from './units.ts'

const RTU = { timeoutMs: 1000, hearsLate: false }

describe('a probe of a silent unit', () => {
  it('waits twice as long as the slowest of the latest replies took, and at least 50 ms', () => {
    const unit = newUnit()
    replied(unit, 120)
    replied(unit, 4)
    fellSilent(unit, { isFull: true }, 0)
    expect(probeTimeoutMs(unit, RTU, 1)).toBe(239)
    const quick = newUnit()
    replied(quick, 4)
    fellSilent(quick, { isFull: true }, 0)
    expect(probeTimeoutMs(quick, RTU, 1)).toBe(50)
  })

  it('never waits longer than a request does', () => {
    const unit = newUnit()
    replied(unit, 900)
    fellSilent(unit, { isFull: true }, 0)
    expect(probeTimeoutMs(unit, RTU, 1)).toBe(1000)
  })

  it('waits a quarter of the time-out when the unit has never answered, and all of it once a minute', () => {
    const unit = newUnit()
    fellSilent(unit, { isFull: true }, 0)
    expect(probeTimeoutMs(unit, RTU, 59_999)).toBe(250)
    expect(probeTimeoutMs(unit, RTU, 60_000)).toBe(1000)
    fellSilent(unit, { isFull: true }, 61_000)
    expect(probeTimeoutMs(unit, RTU, 61_001)).toBe(250)
  })

  it('is always short where a late reply is heard, so that it costs the others no cycle', () => {
    const unit = newUnit()
    fellSilent(unit, { isFull: true }, 0)
    expect(probeTimeoutMs(unit, { ...RTU, hearsLate: true }, 3_600_000)).toBe(50)
    replied(unit, 40)
    fellSilent(unit, { isFull: true }, 0)
    expect(probeTimeoutMs(unit, { ...RTU, hearsLate: true }, 3_600_000)).toBe(80)
    unit.isLate = true
    expect(probeTimeoutMs(unit, { ...RTU, hearsLate: true }, 3_600_000)).toBe(1000)
  })

  it('waits all of the time-out after a reply that came too late, because the unit lives and is slow', () => {
    const unit = newUnit()
    replied(unit, 4)
    fellSilent(unit, { isFull: true }, 0)
    unit.isLate = true
    expect(probeTimeoutMs(unit, RTU, 1)).toBe(1000)
  })
})

describe('the idle time that probes may take', () => {
  it('is half of what the lane does not need', () => {
    const idle = createIdleTime()
    idle.spend(1000)
    idle.begin(0)
    expect(idle.missingMs(50, 0)).toBe(100)
    expect(idle.missingMs(50, 60)).toBe(40)
    expect(idle.missingMs(50, 100)).toBe(0)
  })

  it('does not grow while the lane works', () => {
    const idle = createIdleTime()
    idle.spend(1000)
    idle.begin(0)
    idle.end(20)
    idle.begin(1000)
    expect(idle.missingMs(50, 1000)).toBe(80)
  })

  it('is never saved up beyond a second, so a long probe may go after a long rest', () => {
    const idle = createIdleTime()
    idle.begin(0)
    expect(idle.missingMs(60_000, 1)).toBe(0)
    idle.spend(60_000)
    expect(idle.missingMs(1000, 1)).toBe(2000)
  })
})
