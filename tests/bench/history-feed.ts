import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
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
  run: (options) => feed(options),
}

async function feed({ seconds, data, say, rate = RATE }: BenchOptions): Promise<BenchResult> {
  const dir = mkdtempSync(join(data ?? tmpdir(), 'andon-history-feed-'))
  const historian = await openDuckDbHistorian({ dir, log: silentLog, graceMs: 5000 })
  const commit = committer(historian)
  const values = mix({ tags: TAGS, firstTag: 1, periodMs: (TAGS / rate) * 1000, startAt: Date.UTC(2026, 0, 5) })
  const commitMs: number[] = []
  const [cpuAt, startedAt] = [productCpu(), performance.now()]
  let sent = 0
  while (performance.now() - startedAt < seconds * 1000) {
    const columns = values.next(rate / COMMITS_A_SECOND)
    const wait = startedAt + (sent / rate) * 1000 - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const before = performance.now()
    await commit(columns)
    commitMs.push(performance.now() - before)
    sent += columns.count
    if (sent % (rate * 10) === 0) say(`${sent / 1e6} M values, ${JSON.stringify(await historian.status())}`)
  }
  const wallSeconds = (performance.now() - startedAt) / 1000
  const status = await historian.status()
  const rawHourMs: number[] = []
  for (let i = 0; i < 20; i++) {
    const before = performance.now()
    await historian.raw({ tag: 1 + i * 997, from: values.at - 3_600_000, to: values.at + 1000, limit: 1e6, skip: 0 })
    rawHourMs.push(performance.now() - before)
  }
  const cpuMicrosPerValue = (productCpu() - cpuAt) / sent
  await historian.close()
  rmSync(dir, { recursive: true })
  return {
    ...{
      values: sent,
      valuesPerSecond: Math.round(sent / wallSeconds),
      cpuMicrosPerValue: round(cpuMicrosPerValue, 3),
    },
    ...{ unsortedRows: status.hotRows, unsortedSeconds: round(status.hotRows / rate), files: status.files },
    ...{ commitP50Ms: round(percentile(commitMs, 0.5)), commitP95Ms: round(percentile(commitMs, 0.95)) },
    ...{ rawLastHourP95Ms: round(percentile(rawHourMs, 0.95)), peakRssMb: peakRssMb() },
    bytesPerValue: round((status.sizeBytes ?? 0) / status.fileRows, 2),
  }
}
