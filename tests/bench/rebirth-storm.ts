import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { hashGeneratedSecret } from '#cloud/pipeline/broker/secret.ts'
import { type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { type Bench, type BenchResult, percentile } from './bench.ts'
import { GROUP, LIVE_EDGES, STORM_EDGES, TAGS, type Task } from './rebirth-storm/plan.ts'

const QUIET_MS = 3000
const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))
const GENERATOR = fileURLToPath(new URL('rebirth-storm/generator.ts', import.meta.url))

/** 1,000 edges born at once: for the first time, after a cut of all connections, after a restart of the host; others stream. */
export const bench: Bench = {
  name: 'rebirth-storm',
  summary: '1,000 edges born at once while others stream',
  seconds: 30,
  run: async ({ say }) => {
    const database = await startTestDatabase()
    const dir = mkdtempSync(join(tmpdir(), 'andon-storm-'))
    const children: ChildProcess[] = []
    try {
      return await run({ database, dir, say, children })
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await database.close()
      rmSync(dir, { recursive: true })
    }
  },
}

interface Run {
  readonly database: TestDatabase
  readonly dir: string
  readonly say: (line: string) => void
  readonly children: ChildProcess[]
}

async function run({ database, dir, say, children }: Run): Promise<BenchResult> {
  const org = await database.newOrg()
  let asked = 0
  const start = (port: number) =>
    startPipeline({
      ...{ db: database.db, dataDir: dir, profilesDir: PROFILES, clock: Date.now, log: silentLog },
      mqtt: { host: '127.0.0.1', port },
      metrics: {
        count: (name, by) => {
          if (name === 'rebirths_asked_total') asked += by
        },
        gauge: () => undefined,
      },
    })
  let pipeline = await start(0)
  const { port } = pipeline.mqtt
  await registerEdges(pipeline, org)
  const latencies: number[] = []
  const listen = () => listenToLive(pipeline, latencies)
  const generator = (role: Task['role'], edges: number) => {
    const child = fork(GENERATOR)
    child.send({ role, port, edges } satisfies Task)
    children.push(child)
    return child
  }
  generator('live', LIVE_EDGES)
  listen()
  while (latencies.length < 200) await wait(50)
  const figures: Record<string, number> = {}
  const measure = async (name: string, cause: () => Promise<void> | void) => {
    latencies.length = 0
    const [beganAt, began, cpu] = [Date.now(), performance.now(), process.cpuUsage()]
    await cause()
    await settled(pipeline, org, beganAt)
    figures[`${name}Ms`] = Math.round(performance.now() - began)
    const used = process.cpuUsage(cpu)
    figures[`${name}CpuMs`] = Math.round((used.user + used.system) / 1000)
    figures[`${name}LiveP50Ms`] = percentile(latencies, 0.5)
    figures[`${name}LiveP99Ms`] = percentile(latencies, 0.99)
    say(`${name}: settled after ${figures[`${name}Ms`]} ms`)
    await wait(QUIET_MS / 3)
  }
  latencies.length = 0
  await wait(QUIET_MS)
  figures.quietLiveP99Ms = percentile(latencies, 0.99)
  let storm: ChildProcess | undefined
  await measure('firstBirths', () => {
    storm = generator('storm', STORM_EDGES)
  })
  const before = asked
  await measure('reconnect', () => void storm?.send('cut'))
  await measure('hostRestart', async () => {
    const closing = performance.now()
    await pipeline.close()
    figures.closeMs = Math.round(performance.now() - closing)
    const starting = performance.now()
    pipeline = await start(port)
    figures.startMs = Math.round(performance.now() - starting)
    listen()
  })
  for (const child of children) {
    child.kill()
    await once(child, 'exit')
  }
  await pipeline.close()
  return {
    ...{ edges: STORM_EDGES, tags: STORM_EDGES * TAGS, liveEdges: LIVE_EDGES, ...figures },
    rebirthsAsked: asked - before,
    settledWithinMs: Math.max(figures.firstBirthsMs ?? 0, figures.reconnectMs ?? 0, figures.hostRestartMs ?? 0),
  }
}

async function registerEdges(pipeline: Pipeline, org: string): Promise<void> {
  const secretHash = hashGeneratedSecret('right')
  const named = (role: string, count: number) => Array.from({ length: count }, (_, i) => `${role}-${i}`)
  for (const edge of [...named('storm', STORM_EDGES), ...named('live', LIVE_EDGES)]) {
    await pipeline.registerEdge({ org, group: GROUP, edge, secretHash })
  }
}

/** Live values carry the time at which they were sent. */
function listenToLive(pipeline: Pipeline, latencies: number[]): void {
  const newest = new Map<string, number>()
  const paths = Array.from({ length: LIVE_EDGES }, (_, i) => `${GROUP}/live-${i}/meter/tag-0`)
  pipeline.live.subscribe(paths, (values) => {
    for (const { path, sourceAt, value } of values) {
      // Also told when an edge is fresh again, with the value of before.
      if (value !== sourceAt || sourceAt === null || sourceAt <= (newest.get(path) ?? 0)) continue
      newest.set(path, sourceAt)
      latencies.push(Date.now() - sourceAt)
    }
  })
}

/** Every edge of the storm lives, and its device was born since. An edge that says nothing more is stale after 3 s. */
async function settled(pipeline: Pipeline, org: string, since: number): Promise<void> {
  for (;;) {
    const [all, devices] = [await pipeline.edges(org), await pipeline.devices(org)]
    const alive = all.filter(({ edge, status }) => edge.startsWith('storm') && ['online', 'stale'].includes(status))
    const born = devices.filter(({ edge, status, bornAt }) => {
      return edge.startsWith('storm') && status !== 'offline' && bornAt !== null && bornAt >= since
    })
    if (alive.length === STORM_EDGES && born.length === STORM_EDGES) return
    await wait(100)
  }
}
