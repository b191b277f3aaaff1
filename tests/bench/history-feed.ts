import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDbHistorian, openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Bench, type BenchOptions, type BenchResult, percentile } from './bench.ts'
import { committer, peakRssMb, productCpu, round } from './history/feed.ts'
import { mix } from './history/mix.ts'

const TAGS = 100_000
const RATE = 1_000_000
const COMMITS_A_SECOND = 5

/** The historian alone at a million values a second: what a value costs, and whether sorting and merging keep up. */
export const bench: Bench = {
  name: 'history-feed',
  summary: 'the historian alone at 1,000,000 values/s of 100,000 tags',
  seconds: 600,
  run: async (options) => {
    const dir = mkdtempSync(join(options.data ?? tmpdir(), 'andon-history-feed-'))
    const historian = await openDuckDbHistorian({ dir, log: silentLog, graceMs: 5000 })
    try {
      return await feed(historian, options)
    } finally {
      await historian.close()
      rmSync(dir, { recursive: true })
    }
  },
}

async function feed(historian: DuckDbHistorian, { seconds, say, rate = RATE }: BenchOptions): Promise<BenchResult> {
  const commit = committer(historian)
  const values = mix({ tags: TAGS, firstTag: 1, periodMs: (TAGS / rate) * 1000, startAt: Date.UTC(2026, 0, 5) })
  const commitMs: number[] = []
  const besideMs: number[] = []
  let queries: ReturnType<typeof queryBeside> | undefined
  const [cpuAt, startedAt] = [productCpu(), performance.now()]
  let sent = 0
  let cpuMicrosPerValue = Number.NaN
  while (performance.now() - startedAt < seconds * 1000) {
    const columns = values.next(rate / COMMITS_A_SECOND)
    const wait = startedAt + (sent / rate) * 1000 - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const before = performance.now()
    await commit(columns)
    const isBeside = queries !== undefined
    ;(isBeside ? besideMs : commitMs).push(performance.now() - before)
    if (!queries && before - startedAt > (seconds * 1000) / 2) {
      cpuMicrosPerValue = (productCpu() - cpuAt) / (sent + columns.count)
      queries = queryBeside(historian, () => values.at)
    }
    sent += columns.count
    if (sent % (rate * 10) === 0) say(`${sent / 1e6} M values, ${JSON.stringify(await historian.status())}`)
  }
  const answered = await queries?.()
  const wallSeconds = (performance.now() - startedAt) / 1000
  const status = await historian.status()
  const rawHourMs: number[] = []
  for (let i = 0; i < 20; i++) {
    const before = performance.now()
    await historian.raw({ tag: 1 + i * 997, from: values.at - 3_600_000, to: values.at + 1000, limit: 1e6, skip: 0 })
    rawHourMs.push(performance.now() - before)
  }
  return {
    ...{
      values: sent,
      valuesPerSecond: Math.round(sent / wallSeconds),
      cpuMicrosPerValue: round(cpuMicrosPerValue, 3),
    },
    ...{ unsortedRows: status.hotRows, unsortedSeconds: round(status.hotRows / rate), files: status.files },
    ...{ commitP50Ms: round(percentile(commitMs, 0.5)), commitP95Ms: round(percentile(commitMs, 0.95)) },
    ...{ commitBesideQueriesP95Ms: round(percentile(besideMs, 0.95)), ...answered },
    ...{ rawLastHourP95Ms: round(percentile(rawHourMs, 0.95)), peakRssMb: peakRssMb() },
    bytesPerValue: round((status.sizeBytes ?? 0) / status.fileRows, 2),
  }
}

/** Asks heavy questions one after the other, two at a time, until it is told to stop; tells how many were answered. */
function queryBeside(historian: DuckDbHistorian, now: () => number): () => Promise<BenchResult> {
  const tags = Array.from({ length: 100 }, (_, i) => 1 + i * 997)
  let [answered, stopped, isOver] = [0, 0, false]
  const ask = async () => {
    while (!isOver) {
      const query = { tags, from: now() - 3_600_000, to: now(), widthMs: 10_000 }
      await historian.buckets(query).then(
        () => (answered += 1),
        () => (stopped += 1),
      )
    }
  }
  const running = Promise.all([ask(), ask()])
  return async () => {
    isOver = true
    await running
    return { queriesBeside: answered, queriesStopped: stopped }
  }
}
