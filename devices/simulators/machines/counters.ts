import type { Scalar } from '#shared/contracts/sample.ts'
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'

/** No machine steps more often than this, in ms. */
const SHORTEST_STEP_MS = 20

/**
 * Every tag is one counter that rises with each step, so that no value comes twice: made to prove that nothing is lost.
 * It begins where the clock stands, so that a plant that was killed and started again goes on above its last values.
 */
export function createCounters(tags: readonly string[], startedAt: number): Machine {
  let steps = Math.floor(startedAt / SHORTEST_STEP_MS)
  return {
    step() {
      steps++
    },
    read: () => Object.fromEntries(tags.map((tag, i) => [tag, steps * tags.length + i])),
    command() {},
    write() {},
    powerKw: () => 0,
  }
}

/** Every tag flips between 0 and 1 at moments of its own: made to measure how fast an alarm travels. */
export function createPulses(tags: readonly string[], params: { meanSeconds: number }, random: Random): Machine {
  const pulses = tags.map((tag) => ({ tag, value: 0, leftS: random.exponential(params.meanSeconds) }))
  return {
    step(seconds) {
      for (const pulse of pulses) {
        pulse.leftS -= seconds
        if (pulse.leftS > 0) continue
        pulse.value = 1 - pulse.value
        pulse.leftS = random.exponential(params.meanSeconds)
      }
    },
    read: () => Object.fromEntries(pulses.map((p): [string, Scalar] => [p.tag, p.value])),
    command() {},
    write() {},
    powerKw: () => 0,
  }
}
