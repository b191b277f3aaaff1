import { describe, expect, it } from 'vitest'
import { createGatewayTime } from './gateway-time.ts'

const RIGHT = Date.parse('2027-05-01T08:00:00Z')

/** A machine whose clock is off by so much. */
function machine(offMs: number) {
  const state = { now: RIGHT + offMs, monotonic: 70_000 }
  const time = createGatewayTime({ now: () => state.now, monotonic: () => state.monotonic })
  const pass = (ms: number, setMs = 0) => {
    state.now += ms + setMs
    state.monotonic += ms
  }
  return { time, pass }
}

describe("gateway time, over a machine's clock that is years behind", () => {
  const YEARS_MS = 5 * 365 * 86_400_000

  it('is right once it was told, and goes on from there', () => {
    const { time, pass } = machine(-YEARS_MS)
    expect(time.now()).toBe(RIGHT - YEARS_MS)
    time.correct(RIGHT)
    pass(3_600_000)
    expect([time.now(), time.offsetMs]).toEqual([RIGHT + 3_600_000, YEARS_MS])
  })

  it("follows the machine's clock again when somebody sets that", () => {
    const { time, pass } = machine(-YEARS_MS)
    time.correct(RIGHT)
    pass(1000, YEARS_MS + 500)
    expect([time.now(), time.offsetMs]).toEqual([RIGHT + 1500, 0])
  })

  it('leaves a clock alone that is right to the second', () => {
    const { time } = machine(-1500)
    time.correct(RIGHT)
    expect([time.now(), time.offsetMs]).toEqual([RIGHT - 1500, 0])
  })
})
