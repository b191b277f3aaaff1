import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { cpuOf, pssOf } from '#tests/bench/process.ts'
import { descendants } from '#tests/support/demo.ts'
import { deviceName, EDGE, GROUP, type Load, REGISTER_LIMIT, SETPOINT, tagName } from './plan.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const PROFILE = 'bench-floats'
const text = (en: string) => ({ en, 'zh-CN': en })

/** The edge agent as `andon edge` starts it. */
export interface Agent {
  /** Rejects with what it printed when it ends without being told to. */
  readonly ended: Promise<never>
  cpuMicros(): number
  pssMb(): number
  /** A figure of its metrics, summed over all labels. */
  metric(name: string): Promise<number>
  stop(): Promise<void>
}

/** Starts an agent that reads the units of a load. */
export function startAgent(
  dir: string,
  load: Load,
  to: { readonly ports: readonly number[]; readonly mqttPort: number },
): Promise<Agent> {
  return spawnAgent(dir, { profile: profile(load), edge: edgeFile(load, to) })
}

/** Writes the files and starts the agent in `dir`; rejects with what it printed when it does not come up. */
export async function spawnAgent(
  dir: string,
  files: { readonly profile: object; readonly edge: object },
): Promise<Agent> {
  mkdirSync(join(dir, 'profiles'), { recursive: true })
  writeFileSync(join(dir, 'profiles', `${PROFILE}.yaml`), stringify(files.profile))
  writeFileSync(join(dir, 'edge.yaml'), stringify(files.edge))
  const options = process.env.ANDON_BENCH_NODE_OPTIONS?.split(' ') ?? []
  const child = spawn(process.execPath, [...options, 'andon.ts', 'edge', '--config', join(dir, 'edge.yaml')], {
    ...{ cwd: root, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    env: { ...process.env, ANDON_EDGE_PORT: '0' },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (printed = `${printed}${chunk}`.slice(-20_000)))
  const { pageUrl } = await readyOf(child, () => printed)
  let isStopping = false
  const ended = new Promise<never>((_, reject) => {
    child.once(
      'exit',
      (code, signal) => isStopping || reject(new Error(`the edge ended (${signal ?? code}):\n${printed}`)),
    )
  })
  ended.catch(() => undefined)
  const pids = () => descendants(child.pid ?? 0)
  return {
    ended,
    cpuMicros: () => pids().reduce((sum, pid) => sum + cpuOf(pid), 0),
    pssMb: () => pids().reduce((sum, pid) => sum + pssOf(pid), 0) / 1024,
    metric: (name) => metricOf({ pageUrl, dir }, name),
    stop: async () => {
      isStopping = true
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

function readyOf(child: ChildProcess, printed: () => string): Promise<{ pageUrl: string }> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as { pageUrl: string }))
    child.once('exit', (code) => reject(new Error(`the edge ended with ${code}:\n${printed()}`)))
  })
}

async function metricOf({ pageUrl, dir }: { pageUrl: string; dir: string }, name: string): Promise<number> {
  const authorization = `Bearer ${readFileSync(join(dir, 'data', 'status-token'), 'utf8').trim()}`
  const answer = await fetch(new URL('/metrics', pageUrl), { headers: { authorization } })
  if (!answer.ok) throw new Error(`The edge's metrics answer ${answer.status}`)
  const lines = (await answer.text()).split('\n').filter((line) => new RegExp(`^andon_edge_${name}[ {]`).test(line))
  if (lines.length === 0) throw new Error(`The edge has no metric ${name}`)
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Read seldom and reported never, so that it is no load of its own. */
const setpoint = ({ tags }: Load): object => ({
  ...{ tag: SETPOINT, name: text('Setpoint'), address: `holding:${tags * 2}`, type: 'float32', scan: 'slow' },
  ...{ deadband: { absolute: 1e9 }, writable: true, write: { everySeconds: 0 } },
})

const profile = (load: Load): object => ({
  profile: PROFILE,
  version: 1,
  name: text('Bench floats'),
  assetClass: 'load',
  protocol: 'modbus',
  modbus: { maxBlock: REGISTER_LIMIT },
  tags: [
    ...Array.from({ length: load.tags }, (_, tag) => ({
      ...{ tag: tagName(tag), name: text(`Float ${tag}`), address: `holding:${tag * 2}`, type: 'float32' },
    })),
    ...(load.writesPerSecond ? [setpoint(load)] : []),
  ],
})

function edgeFile(load: Load, { ports, mqttPort }: { ports: readonly number[]; mqttPort: number }): object {
  const devices = ports.flatMap((port, connection) =>
    Array.from({ length: load.units }, (_, unit) => ({
      device: deviceName(connection, unit + 1),
      profile: PROFILE,
      modbus: { host: '127.0.0.1', port, unit: unit + 1, ...(load.inFlight > 1 ? { inFlight: load.inFlight } : {}) },
    })),
  )
  return {
    ...{ version: 1, group: GROUP, edge: EDGE, data: './data', profiles: './profiles' },
    mqtt: { url: `mqtt://127.0.0.1:${mqttPort}` },
    devices,
  }
}
