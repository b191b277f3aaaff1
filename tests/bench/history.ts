import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDbHistorian, openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Bench, type BenchOptions, type BenchResult, percentile } from './bench.ts'
import { committer, peakRssMb, productCpu, round } from './history/feed.ts'
import { fill, START_AT, TAGS } from './history/fill.ts'
import { mix } from './history/mix.ts'

const DAY_MS = 86_400_000
/** From this length on 30 days are measured, else one. */
const FULL_SECONDS = 600
/** Half of the rate that ingest must reach; written beside the queries of the full form. */
const RATE_BESIDE = 500_000
const POINTS = 2000

/** The full form makes data for so many times its length at most, then measures the whole days that there are. */
const FILL_FACTOR = 4

/**
 * What history costs and how fast it answers: 1,000 tags at 1 Hz over 24 h or, from 600 s on, over 30 days. With `--data` a
 * later run goes on with the data where an earlier one stopped.
 */
export const bench: Bench = {
  name: 'history',
  summary: 'bytes a value and time of answers, 1,000 tags at 1 Hz',
  seconds: FULL_SECONDS,
  run: async (options) => {
    const isFull = options.seconds >= FULL_SECONDS
    const wantedDays = isFull ? 30 : 1
    const kept = options.data && join(options.data, `history-${wantedDays}d`)
    if (kept) mkdirSync(kept, { recursive: true })
    const dir = kept ?? mkdtempSync(join(tmpdir(), 'andon-history-bench-'))
    const historian = await openDuckDbHistorian({ dir, log: silentLog, graceMs: 1000 })
    try {
      const untilMs = isFull ? FILL_FACTOR * options.seconds * 1000 : Number.POSITIVE_INFINITY
      const filled = await fill(historian, { days: wantedDays, dir, untilMs }, options)
      const days = Math.floor(Number(filled.values) / (TAGS * 86_400))
      if (days < 1) throw new Error('Not one day of data was made; give it more seconds')
      const load = isFull ? writeBeside(historian) : undefined
      const answers = await measure(historian, days, options)
      return { ...filled, spanDays: days, ...answers, ...(await load?.()), peakRssMb: peakRssMb() }
    } finally {
      await historian.close()
      if (!kept) rmSync(dir, { recursive: true })
    }
  },
}

async function measure(historian: DuckDbHistorian, days: number, { seconds, say }: BenchOptions): Promise<BenchResult> {
  const endAt = START_AT + days * DAY_MS
  const dayFrom = endAt - DAY_MS
  const all = Array.from({ length: TAGS }, (_, tag) => tag + 1)
  const [raw, month, hourly] = [timer(), timer(), timer()]
  const widthMs = Math.ceil((days * DAY_MS) / POINTS / 60_000) * 60_000
  let compared = 0
  const until = performance.now() + Math.min(seconds, 60) * 1000
  for (let i = 0; i < 5 || (performance.now() < until && i < 400); i++) {
    const tag = 1 + ((i * 37) % TAGS)
    const day = await timed(raw, () => historian.raw({ tag, from: dayFrom, to: endAt, limit: 100_000, skip: 0 }))
    if (day.at.length !== 86_400) throw new Error(`A day of tag ${tag} has ${day.at.length} values, not 86,400`)
    const points = await timed(month, () => historian.buckets({ tags: [tag], from: START_AT, to: endAt, widthMs }))
    compared += day.at.length + points.count.reduce((sum, count) => sum + count, 0)
    if (i % 5 > 0) continue
    const hours = await timed(hourly, () =>
      historian.buckets({ tags: all, from: dayFrom, to: endAt, widthMs: 3_600_000 }),
    )
    compared += hours.count.reduce((sum, count) => sum + count, 0)
    if (hours.tag.length !== TAGS * 24) throw new Error(`${hours.tag.length} hours, not ${TAGS * 24}`)
  }
  say(`${raw.ms.length} days of raw values, ${hourly.ms.length} times the hourly means of all tags`)
  return {
    ...{ rawDayP95Ms: raw.at(0.95), rawDayP50Ms: raw.at(0.5), rawDayCpuMs: raw.cpuMs() },
    ...{
      monthDownsampledP95Ms: month.at(0.95),
      monthDownsampledP50Ms: month.at(0.5),
      monthDownsampledCpuMs: month.cpuMs(),
    },
    ...{
      hourlyRollupMs: hourly.at(0.95),
      hourlyRollupP50Ms: hourly.at(0.5),
      hourlyRollupCpuMs: hourly.cpuMs(),
      compared,
    },
  }
}

interface Timer {
  readonly ms: number[]
  cpu: number
  at(share: number): number
  /** CPU of one answer, all threads but the asking one; what is written beside counts too. */
  cpuMs(): number
}

function timer(): Timer {
  const own: Timer = {
    ms: [],
    cpu: 0,
    at: (share) => round(percentile(own.ms, share)),
    cpuMs: () => round(own.cpu / 1000 / own.ms.length),
  }
  return own
}

async function timed<T>(into: Timer, work: () => Promise<T>): Promise<T> {
  const [before, cpuAt] = [performance.now(), productCpu()]
  const result = await work()
  into.ms.push(performance.now() - before)
  into.cpu += productCpu() - cpuAt
  return result
}

/** Writes other tags at half speed until it is told to stop; tells the rate that it reached. */
function writeBeside(historian: DuckDbHistorian): () => Promise<BenchResult> {
  const commit = committer(historian)
  const values = mix({ tags: 100_000, firstTag: 1_000_001, periodMs: 200, startAt: START_AT + 60 * DAY_MS })
  const startedAt = performance.now()
  let isOver = false
  let sent = 0
  const run = async () => {
    while (!isOver) {
      const wait = startedAt + (sent / RATE_BESIDE) * 1000 - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      await commit(values.next(RATE_BESIDE / 5))
      sent += RATE_BESIDE / 5
    }
  }
  const running = run()
  return async () => {
    isOver = true
    await running
    return { valuesPerSecondBeside: Math.round(sent / ((performance.now() - startedAt) / 1000)) }
  }
}
