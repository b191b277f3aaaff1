import type { Machine } from '../machine.ts'
import { STATE, type StateCode, stateAfter } from '../machine.ts'

/** The parts of the chemical unit that the recording does not hold: its state, its hours and what it has made. */
export function createReactor(): Machine {
  const m = { state: STATE.running as StateCode, hours: 6_402.1, productM3: 151_200, scans: 0 }
  return {
    step(seconds, around) {
      const isRunning = m.state === STATE.running
      m.hours += isRunning ? seconds / 3600 : 0
      m.productM3 += isRunning ? ((around.replayed('stripper-underflow') ?? 0) * seconds) / 3600 : 0
      m.scans++
    },
    read: () => ({
      state: m.state,
      'running-hours': m.hours,
      'product-made': m.productM3,
      'trip-active': m.state === STATE.fault,
      'scan-count': m.scans,
    }),
    command(command) {
      m.state = stateAfter(command)
    },
    write() {},
    powerKw: () => (m.state === STATE.running ? 85 : 6),
  }
}
