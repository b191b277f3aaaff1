import type { Bench, BenchResult } from './bench.ts'
import type { Load } from './edge-modbus/plan.ts'
import { type Measured, runLoad } from './edge-modbus/run.ts'

const FULL: Load = {
  ...{ connections: 10, units: 10, tags: 1000, latencyMs: 0, inFlight: 1 },
  ...{ badEvery: 0, deadEvery: 0 },
}

/**
 * Each load with what is asked of it. All floats change each second and are read once a second. Devices that take 10 ms to
 * reply get four requests under way on each connection: one at a time would need 1.7 s for what is read in a second.
 * Of `busyLanes` one unit in ten dies; the others need four fifths of their lane's time. `edge/drivers/modbus/busy-lane.test.ts`
 * has nine tenths, on a clock that it moves itself.
 */
const LOADS: Readonly<Record<string, Load>> = {
  full: FULL,
  writes: { ...FULL, writesPerSecond: 5 },
  small: { ...FULL, units: 1 },
  many: { ...FULL, connections: 500, units: 1, tags: 30 },
  latency: { ...FULL, latencyMs: 10, inFlight: 4, writesPerSecond: 5 },
  badRegisters: { ...FULL, badEvery: 200, writesPerSecond: 5 },
  deadUnits: { ...FULL, deadEvery: 10 },
  busyLanes: { ...FULL, tags: 496, latencyMs: 10, deadEvery: 10 },
}

/** The edge agent with journal and uplink, read from simulated devices in another process, its values compared by a host in a third. */
export const bench: Bench = {
  name: 'edge-modbus',
  summary: '100,000 floats a second over Modbus TCP into journal and uplink',
  seconds: 60,
  run: async ({ seconds, say }) => {
    const wanted = process.env.ANDON_BENCH_LOADS?.split(',')
    const results: Record<string, Measured> = {}
    for (const [name, load] of Object.entries(LOADS)) {
      if (wanted && !wanted.includes(name)) continue
      const result = await runLoad(load, seconds)
      say(`${name}: ${JSON.stringify(result)}`)
      results[name] = result
    }
    return { ...headOf(results), loads: results }
  },
}

function headOf(results: Readonly<Record<string, Measured>>): BenchResult {
  const all = Object.values(results)
  const { tags, tagsPerSecond, overruns, coreFraction, peakRssMb } = all[0] as Measured
  const { writeP95Ms } = results.writes ?? {}
  const sum = (of: (one: Measured) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    ...{ tags, tagsPerSecond, overruns, coreFraction, peakRssMb },
    ...(writeP95Ms === undefined ? {} : { writeP95Ms }),
    ...{ compared: sum((one) => one.compared), wrong: sum((one) => one.wrong) },
    duplicated: sum((one) => one.duplicated),
  }
}
