import type { Scalar } from '#shared/contracts/sample.ts'
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'

/** Every tag is one counter that rises with each step, so that no value comes twice: made to prove that nothing is lost. */
export function createCounters(tags: readonly string[]): Machine {
  let steps = 0
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
