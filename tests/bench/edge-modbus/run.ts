import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuOf } from '#tests/bench/process.ts'
import { type Agent, startAgent } from './agent.ts'
import type { FromSimulator, HostCounts, Load, ToSimulator } from './plan.ts'

const SIMULATOR = fileURLToPath(new URL('simulator.ts', import.meta.url))
const HOST = fileURLToPath(new URL('host.ts', import.meta.url))
/** Births, holes and the first replies are not measured. */
const SETTLE_MS = 8000
/** Two heartbeats of what was sent last, so that everything is acknowledged or known to be missing. */
const DRAIN_MS = 3000

/** Figures of one load. */
export interface Measured {
  readonly tags: number
  readonly tagsPerSecond: number
  readonly overruns: number
  readonly coreFraction: number
  readonly peakRssMb: number
  readonly requestsPerSecond: number
  /** Mean time from a request to its reply, in ms, and the part of the time in which a lane waits for one. */
  readonly roundTripMs: number
  readonly laneBusy: number
  /** Values that the host compared with the simulator's, and of them those that were never shown. */
  readonly compared: number
  readonly wrong: number
  /** Since the start: values that carry a time more than two seconds after they were shown. */
  readonly late: number
  readonly duplicated: number
  readonly badPerSecond: number
  readonly simulatorCoreFraction: number
  /** Command to result with the value read back, in ms; how many, and how many had no good result at the end. */
  readonly writeP50Ms?: number
  readonly writeP95Ms?: number
  readonly writes?: number
  readonly writesOpen?: number
}

/** Runs one load against an edge of its own; simulator and host are processes of their own. */
export async function runLoad(load: Load, seconds: number): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'andon-bench-modbus-'))
  const [simulator, host] = [fork(SIMULATOR), fork(HOST)]
  let agent: Agent | undefined
  try {
    const [{ port: mqttPort }] = (await once(host, 'message')) as [{ port: number }]
    host.send({ type: 'load', load })
    simulator.send({ type: 'start', load } satisfies ToSimulator)
    const [{ ports }] = (await once(simulator, 'message')) as [FromSimulator]
    agent = await startAgent(dir, load, { ports, mqttPort })
    await Promise.race([wait(SETTLE_MS), agent.ended])
    if (load.deadEvery > 0) {
      simulator.send({ type: 'kill-units' } satisfies ToSimulator)
      await wait(DRAIN_MS)
    }
    return await measure({ load, agent, host, simulator }, seconds)
  } finally {
    await agent?.stop()
    for (const child of [simulator, host]) child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}

interface Running {
  readonly load: Load
  readonly agent: Agent
  readonly host: ChildProcess
  readonly simulator: ChildProcess
}

async function measure({ load, agent, host, simulator }: Running, seconds: number): Promise<Measured> {
  const simulatorPid = simulator.pid ?? 0
  const before = await figures(agent, host)
  const [cpu, simulatorCpu, startedAt] = [agent.cpuMicros(), cpuOf(simulatorPid), performance.now()]
  let peakRssMb = 0
  for (let second = 0; second < seconds; second++) {
    await Promise.race([wait(1000), agent.ended])
    peakRssMb = Math.max(peakRssMb, agent.pssMb())
  }
  const tookSeconds = (performance.now() - startedAt) / 1000
  const cores = (micros: number) => round(micros / 1e6 / tookSeconds, 4)
  const [coreFraction, simulatorCoreFraction] = [
    cores(agent.cpuMicros() - cpu),
    cores(cpuOf(simulatorPid) - simulatorCpu),
  ]
  const after = await figures(agent, host)
  const countedSeconds = (after.at - before.at) / 1000
  const rate = (name: 'read' | 'requests' | 'bad') => round((after[name] - before[name]) / countedSeconds, 1)
  const [replies, waitedSeconds] = [after.replies - before.replies, after.waitedSeconds - before.waitedSeconds]
  return {
    tags: load.connections * load.units * load.tags,
    tagsPerSecond: rate('read'),
    overruns: after.overruns - before.overruns,
    ...{ coreFraction, peakRssMb: round(peakRssMb, 1), requestsPerSecond: rate('requests') },
    roundTripMs: round((waitedSeconds / replies) * 1000, 2),
    laneBusy: round(waitedSeconds / countedSeconds / load.connections / load.inFlight, 3),
    ...{ compared: after.compared - before.compared, wrong: after.wrong, late: after.late },
    duplicated: after.duplicated,
    ...{ badPerSecond: rate('bad'), simulatorCoreFraction },
    ...(load.writesPerSecond ? writeFigures(after, before.writeMs.length) : {}),
  }
}

function writeFigures({ writeMs, writesOpen }: HostCounts, from: number): Partial<Measured> {
  const sorted = writeMs.slice(from).sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 1)
  return { writeP50Ms: at(0.5), writeP95Ms: at(0.95), writes: sorted.length, writesOpen }
}

async function figures(agent: Agent, host: ChildProcess) {
  host.send({ type: 'count' })
  const [{ counts }] = (await once(host, 'message')) as [{ counts: HostCounts }]
  return {
    ...counts,
    // On a busy machine the agent answers late, and has read more by then.
    at: performance.now(),
    read: await agent.metric('device_samples_read_total'),
    overruns: await agent.metric('device_overruns_total'),
    requests: await agent.metric('lane_requests_total'),
    replies: await agent.metric('lane_round_trip_seconds_count'),
    waitedSeconds: await agent.metric('lane_round_trip_seconds_sum'),
  }
}

const round = (value: number, places: number): number => Math.round(value * 10 ** places) / 10 ** places
