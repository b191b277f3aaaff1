import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signIn } from '#tests/support/client.ts'
import { type Bench, percentile } from './bench.ts'
import { type BenchCloud, PASSWORD, SECRET, startBenchCloud } from './ingest/cloud.ts'
import type { Order, Report } from './ingest/generator.ts'
import { type Load, TAGS } from './ingest/plan.ts'
import { startProbe } from './ingest/probe.ts'
import { compare, type Sent } from './ingest/verify.ts'

const MANY = { group: 'many', edges: 100, devices: 10, perMessage: 100 } as const
const SINGLE = { group: 'single', edges: 25, devices: 1, perMessage: 1 } as const
/** Offered unless told, a little more than what must be held; what is reached is what history and detection acknowledged. */
const RATE = 1_050_000
const SINGLE_RATE = 26_000
/** A load runs for this long before it is measured: its first acknowledgements come late. */
const WARM_UP_SECONDS = 5
/** Samples that an edge has under way: well below the time after which it sends them again. */
const WINDOW_SECONDS = 2.5
/** The phases after that at full rate take a share of its length, and no longer than these. */
const HALF_SECONDS = 60
const SINGLE_SECONDS = 30

/** Ingest to durable history with alarms evaluated, the load in a process of its own; loss against its ledger. */
export const bench: Bench = {
  name: 'ingest',
  summary: 'values from MQTT to durable history, five alarm definitions per hundred tags',
  seconds: 600,
  run: async ({ seconds, data, say, rate = RATE }) => {
    const dir = data ?? mkdtempSync(join(tmpdir(), 'andon-ingest-'))
    const cloud = await startBenchCloud(dir, [MANY, SINGLE])
    try {
      let kept = {}
      const atEnd = async () => {
        kept = await keepsUp(cloud)
      }
      const full = await phase({ cloud, say, seconds, rate, shape: MANY, atEnd })
      const half = await phase({
        cloud,
        say,
        seconds: Math.min(HALF_SECONDS, seconds * 0.4),
        rate: full.valuesPerSecond / 2,
        shape: MANY,
        more: full,
        probe: true,
      })
      const singleSeconds = Math.min(SINGLE_SECONDS, seconds * 0.2)
      const single = await phase({ cloud, say, seconds: singleSeconds, rate: SINGLE_RATE, shape: SINGLE })
      await cloud.stop()
      say('comparing history with the ledger')
      const found = await compare(cloud.dataDir, [half.sent, single.sent])
      half.generator.disconnect()
      single.generator.disconnect()
      return {
        ...{ valuesPerSecond: full.valuesPerSecond, messagesPerSecond: single.valuesPerSecond, offered: rate },
        ...{
          sustainedSeconds: Math.round(full.seconds),
          leastValuesPerSecond: full.least,
          resent: full.resent,
          ...kept,
        },
        ...{ cpuMicrosPerValue: full.cpuMicros, cpuMicrosPerMessage: single.cpuMicros },
        ...{
          peakRssMb: Math.max(full.peakMb, half.peakMb, single.peakMb),
          generatorCpuMicrosPerValue: full.generatorMicros,
        },
        ...found,
        ...{
          alarmP99Ms: percentile(half.latencies, 0.99),
          alarmP50Ms: percentile(half.latencies, 0.5),
          alarms: half.latencies.length,
        },
        ...{ drainSeconds: full.drainSeconds },
      }
    } finally {
      if (cloud.child.exitCode === null) cloud.child.kill('SIGKILL')
      if (!data) rmSync(dir, { recursive: true, force: true })
    }
  },
}

interface Phase {
  readonly cloud: BenchCloud
  readonly say: (line: string) => void
  readonly seconds: number
  readonly rate: number
  readonly shape: Omit<Load, 'periodMs' | 'baseAt'>
  /** Goes on with the generator of another phase. */
  readonly more?: Phased
  readonly probe?: boolean
  /** Called when all is measured, the load still running. */
  readonly atEnd?: () => Promise<void>
}

interface Phased {
  readonly valuesPerSecond: number
  /** Measured, the warm-up left out. */
  readonly seconds: number
  /** Values/s of the slowest ten seconds. */
  readonly least: number
  /** Messages sent again. */
  readonly resent: number
  /** Of the product, per value. */
  readonly cpuMicros: number
  readonly generatorMicros: number
  readonly peakMb: number
  readonly drainSeconds: number
  readonly latencies: readonly number[]
  readonly sent: Sent
  readonly generator: ChildProcess
}

/** Runs one load, waits until all of it is acknowledged. */
async function phase(given: Phase): Promise<Phased> {
  const { cloud, say, seconds, rate, shape } = given
  const tags = shape.edges * shape.devices * TAGS
  const generator = given.more?.generator ?? fork(fileURLToPath(new URL('ingest/generator.ts', import.meta.url)))
  const order = (one: Order) => void generator.send(one)
  const load: Load = given.more?.sent.load ?? {
    ...shape,
    periodMs: Math.max(1, Math.round((tags * 1000) / rate)),
    baseAt: Date.now(),
  }
  let last: Extract<Report, { type: 'progress' }> | undefined
  const heard = (type: Report['type']) =>
    new Promise<Report>((resolve) => {
      const listen = (report: Report) => {
        if (report.type === type) {
          generator.off('message', listen)
          resolve(report)
        }
      }
      generator.on('message', listen)
    })
  const follow = (report: Report) => {
    if (report.type === 'progress') last = report
  }
  generator.on('message', follow)
  if (!given.more) {
    const window = Math.max(2 * shape.devices * TAGS, Math.ceil((rate * WINDOW_SECONDS) / shape.edges))
    order({ type: 'open', load, port: cloud.mqttPort, secret: SECRET, window })
    await heard('born')
    await known(cloud, shape)
  }
  const latencies: number[] = []
  const probe = given.probe ? await startProbe({ port: cloud.mqttPort, url: cloud.url, latencies }) : undefined
  order({ type: 'rate', valuesPerSecond: rate })
  await pause(WARM_UP_SECONDS)
  await heard('progress')
  const threads = cloud.threads()
  const begin = {
    acknowledged: last?.acknowledged ?? 0,
    cpu: cloud.cpuMicros(),
    at: performance.now(),
    generator: last?.cpuMicros ?? 0,
    resent: last?.resent ?? 0,
  }
  const points: Point[] = []
  let peakMb = 0
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    await Promise.race([heard('progress'), cloud.ended])
    peakMb = Math.max(peakMb, cloud.pssMb())
    points.push({ at: performance.now(), acknowledged: last?.acknowledged ?? 0 })
  }
  const end = {
    acknowledged: last?.acknowledged ?? 0,
    cpu: cloud.cpuMicros(),
    at: performance.now(),
    generator: last?.cpuMicros ?? 0,
  }
  const spent = cloud.threads()
  await given.atEnd?.()
  await probe?.stop()
  const drainAt = performance.now()
  order({ type: 'drain' })
  const drained = (await Promise.race([heard('drained'), cloud.ended])) as Extract<Report, { type: 'drained' }>
  generator.off('message', follow)
  const values = end.acknowledged - begin.acknowledged
  const result = {
    valuesPerSecond: Math.round((values * 1000) / (end.at - begin.at)),
    seconds: (end.at - begin.at) / 1000,
    least: slowest(points),
    resent: (last?.resent ?? 0) - begin.resent,
    cpuMicros: (end.cpu - begin.cpu) / values,
    generatorMicros: (end.generator - begin.generator) / values,
    peakMb: Math.round(peakMb),
    drainSeconds: (performance.now() - drainAt) / 1000,
    latencies,
    sent: { load, samples: drained.samples },
    generator,
  }
  say(
    `${shape.group}: ${result.valuesPerSecond} values/s, ${result.cpuMicros.toFixed(3)} µs CPU a value (generator ${result.generatorMicros.toFixed(3)}), ` +
      `PSS ${result.peakMb} MB, drained in ${result.drainSeconds.toFixed(1)} s, sent again ${result.resent} messages`,
  )
  say(`  µs a value by thread: ${shares(threads, spent, values)}`)
  return result
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

interface Point {
  readonly at: number
  readonly acknowledged: number
}

const SLOWEST_MS = 10_000

/** Values/s of the slowest ten seconds; of all of it when it was shorter. */
function slowest(points: readonly Point[]): number {
  const rate = (from: Point, to: Point) => ((to.acknowledged - from.acknowledged) * 1000) / (to.at - from.at)
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || first === last) return 0
  let least = Number.POSITIVE_INFINITY
  let from = 0
  for (const to of points) {
    while (to.at - (points[from + 1] as Point)?.at >= SLOWEST_MS) from++
    const since = points[from] as Point
    if (to.at - since.at >= SLOWEST_MS) least = Math.min(least, rate(since, to))
  }
  return Math.round(Number.isFinite(least) ? least : rate(first, last))
}

/** Whether sorting keeps up at the end of the full load: what lies unsorted, and the slowest of some tags' last hour, raw. */
async function keepsUp(
  cloud: BenchCloud,
): Promise<{ unsortedSeconds: number; unsortedValues: number; rawHourMs: number }> {
  const rawHourMs = await lastHour(cloud)
  const text = await (await fetch(`${cloud.url}/metrics`)).text()
  const gauge = (name: string) => {
    const found = new RegExp(`^andon_${name} (\\S+)$`, 'm').exec(text)?.[1]
    if (found === undefined) throw new Error(`/metrics does not tell ${name}`)
    return Number(found)
  }
  return {
    unsortedSeconds: gauge('history_unsorted_seconds'),
    unsortedValues: gauge('history_unsorted_values'),
    rawHourMs,
  }
}

function shares(
  begin: Readonly<Record<string, number>>,
  end: Readonly<Record<string, number>>,
  values: number,
): string {
  const spent = Object.entries(end).map(([name, micros]) => [name, (micros - (begin[name] ?? 0)) / values] as const)
  const told = spent.filter(([, micros]) => micros >= 0.005).sort(([, a], [, b]) => b - a)
  return told.map(([name, micros]) => `${name} ${micros.toFixed(3)}`).join(', ')
}

/** Waits until the cloud lists every tag of the load: the first birth of a factory is no part of what is measured. */
async function known(cloud: BenchCloud, shape: Phase['shape']): Promise<void> {
  const admin = await signIn(cloud.url, 'admin', PASSWORD)
  const isKnown = async () => {
    const { items } = await admin.get<{ items: { group: string; tagCount: number }[] }>('/api/edges')
    const edges = items.filter(({ group, tagCount }) => group === shape.group && tagCount >= shape.devices * TAGS)
    return edges.length === shape.edges
  }
  await admin.until('all tags of the load', isKnown, 300_000)
  admin.close()
}

/** The slowest of some tags' last hour, raw, over HTTP, ms. */
async function lastHour(cloud: BenchCloud): Promise<number> {
  const admin = await signIn(cloud.url, 'admin', PASSWORD)
  let slowest = 0
  for (const edge of [0, 37, 99]) {
    const tag = encodeURIComponent(`many/e${String(edge).padStart(3, '0')}/d03/t33`)
    const to = new Date().toISOString()
    const from = new Date(Date.now() - 3_600_000).toISOString()
    const started = performance.now()
    await admin.get(`/api/history/raw?tag=${tag}&from=${from}&to=${to}&limit=10000`)
    slowest = Math.max(slowest, performance.now() - started)
  }
  admin.close()
  return Math.round(slowest)
}
