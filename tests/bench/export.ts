import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { type ExportQuery, exportRows } from '#cloud/pipeline/historian/export.ts'
import { historyReader } from '#cloud/pipeline/historian/reader.ts'
import type { HistoryReader } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { round } from './history/feed.ts'
import { fill, START_AT, TAGS } from './history/fill.ts'

const DAY_S = 86_400
/** From this length on the bench is a whole day of values. */
const WHOLE_S = 60
/** What one batch of the filling holds, so that it ends where the export does. */
const STEP_S = 200
/** 43 million values: some 2 GB as CSV. */
const EXPORTED = 500
const pathOf = (tag: number) => `module-factory/line-1/device-${tag}/value`

/** Seconds of history that a run of this length exports: all of a day, or a part of it. */
const spanOf = (seconds: number) => Math.max(1, Math.round((DAY_S * Math.min(1, seconds / WHOLE_S)) / STEP_S)) * STEP_S

/** An export of 2 GB: how fast, how much memory, and how long it holds the thread that tells alarms. */
export const bench: Bench = {
  name: 'export',
  summary: 'a day of 500 tags at 1 Hz (under 60 s a part of it) as CSV and Parquet: rate, memory, turns of the thread',
  seconds: WHOLE_S,
  run: async (options) => {
    const spanS = spanOf(options.seconds)
    const dir = mkdtempSync(join(options.data ?? tmpdir(), 'andon-bench-export-'))
    const historian = await openDuckDbHistorian({ dir: join(dir, 'history'), log: silentLog, graceMs: 1000 })
    try {
      const filling = { days: spanS / DAY_S, dir: join(dir, 'history'), untilMs: Number.POSITIVE_INFINITY }
      await fill(historian, filling, options)
      const keys = new Map(Array.from({ length: TAGS }, (_, i) => [pathOf(i + 1), i + 1]))
      const find = (path: string) => ({ key: keys.get(path) ?? 0, type: 'double' as const })
      const reader = historyReader({ historian, find, gaps: async () => [], retention: async () => [] })
      const csv = await measure(reader, { dir, format: 'csv', spanS }, options)
      return {
        hours: round(spanS / 3600, 2),
        csv,
        parquet: await measure(reader, { dir, format: 'parquet', spanS }, options),
      }
    } finally {
      await historian.close()
      rmSync(dir, { recursive: true })
    }
  },
}

interface Wanted {
  readonly dir: string
  readonly format: ExportQuery['format']
  readonly spanS: number
}

async function measure(
  reader: HistoryReader,
  { dir, format, spanS }: Wanted,
  { say }: BenchOptions,
): Promise<BenchResult> {
  const paths = Array.from({ length: EXPORTED }, (_, i) => pathOf(i + 1))
  const query = { paths, from: START_AT, to: START_AT + spanS * 1000, format }
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const beforeMb = process.memoryUsage.rss() / 2 ** 20
  let [bytes, rows, peakMb] = [0, 0, 0]
  delay.enable()
  const startedAt = performance.now()
  for await (const piece of exportRows(reader, query, dir)) {
    bytes += piece.bytes.length
    rows = piece.rows
    peakMb = Math.max(peakMb, process.memoryUsage.rss() / 2 ** 20)
    await nextTurn()
  }
  const seconds = (performance.now() - startedAt) / 1000
  delay.disable()
  if (rows !== EXPORTED * spanS) throw new Error(`${rows} values were exported, not ${EXPORTED * spanS}`)
  say(`${format}: ${round(bytes / 1e6)} MB after ${round(seconds)} s`)
  return {
    ...{
      values: rows,
      sizeMb: round(bytes / 1e6),
      seconds: round(seconds),
      valuesPerSecond: Math.round(rows / seconds),
    },
    ...{ rssBeforeMb: round(beforeMb), peakRssMb: round(peakMb) },
    ...{ threadHeldP99Ms: round(delay.percentile(99) / 1e6), threadHeldMaxMs: round(delay.max / 1e6) },
  }
}
