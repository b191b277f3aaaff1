import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { cpuOf, pssOf, threadsOf } from '#tests/bench/process.ts'
import { descendants } from '#tests/support/demo.ts'
import { edgeName, kindOf, PROFILE_KEY, TAGS, tagName } from './plan.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const PASSWORD = 'Bench-Password-1'
export const SECRET = 'bench-edge-secret-0123456789abcdef'
export const PROBE = { group: 'probe', edge: 'p000', device: 'd00', tag: 'pulse', profile: 'probe-block' } as const

/** The cloud as `andon cloud` starts it, with an organisation made for the benchmark. */
export interface BenchCloud {
  readonly url: string
  readonly mqttPort: number
  readonly dataDir: string
  /** Rejects with what the cloud printed when it ends without being told to. */
  readonly ended: Promise<never>
  /** CPU time of all its processes since their start, µs; children that ended are in it. */
  cpuMicros(): number
  /** CPU time by thread of the cloud's own process, and of all others together, µs since their start. */
  threads(): Readonly<Record<string, number>>
  /** Sum of PSS of its processes, MB. */
  pssMb(): number
  /** Ends it as a supervisor does, and waits for that. */
  stop(): Promise<void>
  readonly child: ChildProcess
}

export interface BenchGroup {
  readonly group: string
  readonly edges: number
}

const text = (en: string) => ({ en, 'zh-CN': en })

/** The profile of the load: five alarm definitions per hundred tags; their setpoints are never reached, as in a plant that runs well. */
export function profile(): object {
  const tags = Array.from({ length: TAGS }, (_, tag) => ({
    tag: tagName(tag),
    name: text(`Tag ${tag}`),
    address: kindOf(tag) === 'boolean' ? `coil:${tag}` : `holding:${tag * 4}`,
    type: { float: 'float64', integer: 'int32', boolean: 'bit' }[kindOf(tag)],
    scan: 'fast',
  }))
  const alarms = [0, 30, 40, 60, 90].map((tag) => ({
    alarm: `${tagName(tag)}-high`,
    name: text(`Tag ${tag} high`),
    tag: tagName(tag),
    condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 5000, deadband: 2 }] },
    onDelaySeconds: 3,
    priority: 'low',
  }))
  return {
    profile: PROFILE_KEY,
    version: 1,
    name: text('Ingest block'),
    assetClass: 'load',
    protocol: 'modbus',
    tags,
    alarms,
  }
}

function probe(): object {
  const { profile: key, tag } = PROBE
  return {
    profile: key,
    version: 1,
    name: text('Probe'),
    assetClass: 'probe',
    protocol: 'modbus',
    tags: [{ tag, name: text('Pulse'), address: 'coil:0', type: 'bit', scan: 'fast' }],
    alarms: [
      {
        alarm: 'pulse-on',
        name: text('Pulse is on'),
        tag,
        condition: { kind: 'discrete', abnormal: [true] },
        priority: 'low',
      },
    ],
  }
}

function organisation(groups: readonly BenchGroup[]): object {
  const all = [...groups, { group: PROBE.group, edges: 0 }]
  const edges = all.flatMap(({ group, edges: count }) =>
    Array.from({ length: count }, (_, edge) => ({ group, edge: edgeName(edge), name: `${group} ${edge}` })),
  )
  return {
    version: 1,
    organisation: { key: 'bench', name: text('Bench'), timeZone: 'Asia/Shanghai' },
    edges: [...edges, { group: PROBE.group, edge: PROBE.edge, name: 'Probe' }],
    departments: [{ department: 'plant', name: text('Plant') }],
    people: [
      {
        person: 'admin',
        name: 'Admin',
        account: 'admin',
        department: 'plant',
        roles: ['administrator', 'operator', 'lead'],
      },
    ],
    assets: [{ asset: 'PLANT', name: text('Plant'), kind: 'site' }],
    schedules: [],
  }
}

/** Writes the files and starts the cloud in `dir`; rejects with what it printed when it does not come up. */
export async function startBenchCloud(dir: string, groups: readonly BenchGroup[]): Promise<BenchCloud> {
  const profiles = join(dir, 'profiles')
  const dataDir = join(dir, 'cloud')
  mkdirSync(profiles, { recursive: true })
  writeFileSync(join(profiles, `${PROFILE_KEY}.yaml`), stringify(profile()))
  writeFileSync(join(profiles, `${PROBE.profile}.yaml`), stringify(probe()))
  writeFileSync(join(dir, 'organisation.yaml'), stringify(organisation(groups)))
  const config = { version: 1, profiles, seed: join(dir, 'organisation.yaml'), log: 'warn' }
  writeFileSync(join(dir, 'cloud.yaml'), stringify(config))
  const env = {
    ...process.env,
    ...{ ANDON_DATA: dataDir, ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' },
    ...{ ANDON_DEMO_PASSWORD: PASSWORD, ANDON_EDGE_SECRET: SECRET },
  }
  const child = spawn(process.execPath, ['andon.ts', 'cloud', '--config', join(dir, 'cloud.yaml')], {
    ...{ cwd: root, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (printed = `${printed}${chunk}`.slice(-20_000)))
  const ready = await new Promise<{ url: string; mqttPort: number }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { url: string; mqttPort: number }))
    child.once('exit', (code) => reject(new Error(`the cloud ended with ${code}:\n${printed}`)))
  })
  const pid = child.pid ?? 0
  let isStopping = false
  const ended = new Promise<never>((_, reject) => {
    child.once(
      'exit',
      (code, signal) => isStopping || reject(new Error(`the cloud ended by itself (${signal ?? code}):\n${printed}`)),
    )
  })
  ended.catch(() => undefined)
  return {
    ...ready,
    dataDir,
    child,
    cpuMicros: () => descendants(pid).reduce((sum, one) => sum + cpuOf(one), 0),
    threads: () => ({
      ...threadsOf(pid),
      'other processes': descendants(pid)
        .filter((one) => one !== pid)
        .reduce((sum, one) => sum + cpuOf(one), 0),
    }),
    pssMb: () => descendants(pid).reduce((sum, one) => sum + pssOf(one), 0) / 1024,
    ended,
    stop: () => {
      isStopping = true
      return stop(child, () => printed)
    },
  }
}

function stop(child: ChildProcess, printed: () => string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the cloud ended with ${code}:\n${printed()}`)),
    )
    child.kill('SIGTERM')
  })
}
