import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchResult } from './bench.ts'
import { type Agent, PROFILE, spawnAgent } from './edge-modbus/agent.ts'
import { deviceName, EDGE, GROUP, type HostCounts, type Load, tagName } from './edge-modbus/plan.ts'
import { NAMESPACE, type ToSimulator } from './edge-opcua/plan.ts'
import { cpuOf } from './process.ts'

const SIMULATOR = fileURLToPath(new URL('edge-opcua/simulator.ts', import.meta.url))
const HOST = fileURLToPath(new URL('edge-modbus/host.ts', import.meta.url))
const RATE = 20_000
const PERIOD_MS = 100
/** Loading the library, the births and the first values are not measured. */
const SETTLE_MS = 10_000

/** The edge agent with journal and uplink, told of changes by an OPC UA server in another process, its values compared by a host in a third. */
export const bench: Bench = {
  name: 'edge-opcua',
  summary: '20,000 changes a second over OPC UA, signed and encrypted, into journal and uplink',
  seconds: 60,
  run: async ({ seconds, rate = RATE }) => {
    const load = loadOf(rate)
    const dir = mkdtempSync(join(tmpdir(), 'andon-bench-opcua-'))
    const [simulator, host] = [fork(SIMULATOR), fork(HOST)]
    let agent: Agent | undefined
    try {
      const [{ port }] = (await once(host, 'message')) as [{ port: number }]
      host.send({ type: 'load', load })
      simulator.send({ dir, tags: load.tags, periodMs: PERIOD_MS } satisfies ToSimulator)
      const [{ url }] = (await once(simulator, 'message')) as [{ url: string }]
      agent = await spawnAgent(dir, { profile: profile(load), edge: edgeFile(url, port) })
      await Promise.race([wait(SETTLE_MS), agent.ended])
      return await measure({ agent, host, simulator }, seconds)
    } finally {
      await agent?.stop()
      for (const child of [simulator, host]) child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    }
  },
}

const loadOf = (rate: number): Load => ({
  ...{ connections: 1, units: 1, tags: Math.round((rate * PERIOD_MS) / 1000), periodMs: PERIOD_MS },
  ...{ latencyMs: 0, inFlight: 1, badEvery: 0, deadEvery: 0 },
})

interface Running {
  readonly agent: Agent
  readonly host: ChildProcess
  readonly simulator: ChildProcess
}

async function measure({ agent, host, simulator }: Running, seconds: number): Promise<BenchResult> {
  const simulatorPid = simulator.pid ?? 0
  const before = await countsOf(host)
  const [cpu, simulatorCpu, startedAt] = [agent.cpuMicros(), cpuOf(simulatorPid), performance.now()]
  let peakRssMb = 0
  for (let second = 0; second < seconds; second++) {
    await Promise.race([wait(1000), agent.ended])
    peakRssMb = Math.max(peakRssMb, agent.pssMb())
  }
  const tookMicros = (performance.now() - startedAt) * 1000
  const [cpuMicros, simulatorMicros] = [agent.cpuMicros() - cpu, cpuOf(simulatorPid) - simulatorCpu]
  const after = await countsOf(host)
  const compared = after.compared - before.compared
  if (after.wrong > 0) throw new Error(`${after.wrong} values are not what the simulator showed`)
  return {
    changesPerSecond: round((compared * 1e6) / tookMicros, 0),
    cpuMicrosPerChange: round(cpuMicros / Math.max(1, compared), 2),
    coreFraction: round(cpuMicros / tookMicros, 4),
    peakRssMb: round(peakRssMb, 1),
    simulatorCoreFraction: round(simulatorMicros / tookMicros, 4),
    ...{ compared, wrong: after.wrong, duplicated: after.duplicated, bad: after.bad - before.bad },
  }
}

async function countsOf(host: ChildProcess): Promise<HostCounts> {
  host.send({ type: 'count' })
  const [{ counts }] = (await once(host, 'message')) as [{ counts: HostCounts }]
  return counts
}

const text = (en: string) => ({ en, 'zh-CN': en })

const profile = ({ tags }: Load): object => ({
  ...{ profile: PROFILE, version: 1, name: text('Bench floats'), assetClass: 'load', protocol: 'opcua' },
  tags: Array.from({ length: tags }, (_, tag) => ({
    ...{ tag: tagName(tag), name: text(`Float ${tag}`), address: `nsu=${NAMESPACE};s=${tagName(tag)}` },
    ...{ type: 'float32', scan: 'fast' },
  })),
})

const edgeFile = (url: string, mqttPort: number): object => ({
  ...{ version: 1, group: GROUP, edge: EDGE, data: './data', profiles: './profiles' },
  mqtt: { url: `mqtt://127.0.0.1:${mqttPort}` },
  scan: { fast: PERIOD_MS },
  devices: [{ device: deviceName(0, 1), profile: PROFILE, opcua: { url, server: 's7-1500', trust: 'accept-first' } }],
})

const round = (value: number, places: number): number => Math.round(value * 10 ** places) / 10 ** places
