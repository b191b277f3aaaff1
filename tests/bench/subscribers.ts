import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Client, signIn } from '#tests/support/client.ts'
import { type Bench, type BenchOptions, type BenchResult, percentile } from './bench.ts'
import { type BenchCloud, PASSWORD, startBenchCloud } from './ingest/cloud.ts'
import { startProbe } from './ingest/probe.ts'
import { startEdges } from './subscribers/edges.ts'
import { CLIENTS, EDGES, GROUP, type Order, type Report, TAGS, WATCHED } from './subscribers/plan.ts'

/** One alarm changes once in this time; every client hears of it. */
const ALARM_EVERY_MS = 1000
const ASK_EVERY_MS = 100
const SETTLE_MS = 5000

/** 10,000 browsers on one stream, each with ten live values a second, while alarms change and others ask. */
export const bench: Bench = {
  name: 'subscribers',
  summary: '10,000 WebSocket clients with ten live values a second each',
  seconds: 60,
  run: async (options) => {
    const dir = mkdtempSync(join(tmpdir(), 'andon-bench-subscribers-'))
    const cloud = await startBenchCloud(dir, [{ group: GROUP, edges: EDGES }])
    const clients = fork(fileURLToPath(new URL('subscribers/clients.ts', import.meta.url)))
    try {
      return await measure(cloud, clients, options)
    } finally {
      clients.kill('SIGKILL')
      await cloud.stop()
      rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
    }
  },
}

async function measure(cloud: BenchCloud, clients: ChildProcess, options: BenchOptions): Promise<BenchResult> {
  const { seconds, say } = options
  const heard = <K extends Report['kind']>(kind: K) =>
    new Promise<Extract<Report, { kind: K }>>((resolve) => {
      clients.on('message', (report: Report) => {
        if (report.kind === kind) resolve(report as Extract<Report, { kind: K }>)
      })
    })
  const order = (one: Order) => void clients.send(one)
  const stopEdges = await startEdges(cloud.mqttPort)
  const person = await signIn(cloud.url, 'admin', PASSWORD)
  const beforeMb = cloud.pssMb()
  const opening = performance.now()
  order({ kind: 'open', url: cloud.url, cookie: person.cookie })
  const { failed } = await Promise.race([heard('opened'), cloud.ended])
  if (failed > 0) throw new Error(`${failed} of ${CLIENTS} clients could not connect`)
  const connectSeconds = (performance.now() - opening) / 1000
  say(`${CLIENTS} clients are connected after ${Math.round(connectSeconds)} s`)
  const latencies: number[] = []
  // Connected last, so that it stands behind all others.
  const probe = await startProbe({ port: cloud.mqttPort, url: cloud.url, latencies, everyMs: ALARM_EVERY_MS })
  await wait(SETTLE_MS)
  latencies.length = 0
  order({ kind: 'begin' })
  const [cpuAt, startedAt, asking] = [cloud.cpuMicros(), performance.now(), askBeside(person)]
  let peakMb = 0
  while (performance.now() - startedAt < seconds * 1000) {
    await Promise.race([wait(1000), cloud.ended])
    peakMb = Math.max(peakMb, cloud.pssMb())
  }
  order({ kind: 'end' })
  const wallSeconds = (performance.now() - startedAt) / 1000
  const cpu = cloud.cpuMicros() - cpuAt
  const [seen, requestMs] = [await heard('seen'), await asking()]
  await probe.stop()
  await stopEdges()
  person.close()
  return {
    ...{ clients: CLIENTS, tags: EDGES * TAGS, watchedEach: WATCHED, connectSeconds: round(connectSeconds) },
    ...{ valuesPerSecond: Math.round(seen.values / wallSeconds), p50Ms: seen.valueP50Ms, p99Ms: seen.valueP99Ms },
    ...{ messagesPerSecond: Math.round(seen.messages / wallSeconds), lostClients: seen.lost },
    ...{ cpuMicrosPerUpdate: round(cpu / seen.values), coreFraction: round(cpu / 1e6 / wallSeconds) },
    ...{ clientsCoreFraction: round(seen.cpuMicros / 1e6 / wallSeconds) },
    ...{ peakRssMb: Math.round(peakMb), kbPerClient: round(((peakMb - beforeMb) * 1024) / CLIENTS) },
    ...{ alarmsHeard: seen.alarms, alarmP50Ms: seen.alarmP50Ms, alarmP99Ms: seen.alarmP99Ms },
    ...{ lastClientAlarmP99Ms: round(percentile(latencies, 0.99)), requestP99Ms: round(percentile(requestMs, 0.99)) },
  }
}

const round = (value: number): number => Math.round(value * 100) / 100

/** Asks a small question again and again; tells how long each took, in ms. */
function askBeside(person: Client): () => Promise<readonly number[]> {
  const took: number[] = []
  let isOver = false
  const run = async () => {
    while (!isOver) {
      const before = performance.now()
      await person.get('/api/session')
      took.push(performance.now() - before)
      await wait(ASK_EVERY_MS)
    }
  }
  const running = run()
  return async () => {
    isOver = true
    await running
    return took
  }
}
