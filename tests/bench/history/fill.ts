import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import type { BenchOptions, BenchResult } from '../bench.ts'
import { committer, productCpu, round } from './feed.ts'
import { mix } from './mix.ts'

export const TAGS = 1000
export const START_AT = Date.UTC(2026, 0, 1)
const BATCH = 200_000

export interface Filling {
  readonly days: number
  readonly dir: string
  /** From now on; then it stops where it is. */
  readonly untilMs: number
}

/** Makes the data through the product's own commits, from where an earlier run left it; then sorts and merges what is open. */
export async function fill(
  historian: DuckDbHistorian,
  { days, dir, untilMs }: Filling,
  { say }: BenchOptions,
): Promise<BenchResult> {
  const wanted = TAGS * 86_400 * days
  const before = await historian.status()
  const there = before.fileRows + before.hotRows
  const values = mix({ tags: TAGS, firstTag: 1, periodMs: 1000, startAt: START_AT })
  const behind = there < wanted ? there : 0
  for (let skipped = 0; skipped < behind; skipped += BATCH) values.next(Math.min(BATCH, behind - skipped))
  const commit = committer(historian, BigInt(there) + 1n)
  const [cpuAt, startedAt] = [productCpu(), performance.now()]
  let sent = there
  for (; sent < wanted && performance.now() - startedAt < untilMs; sent += BATCH) {
    await commit(values.next(BATCH))
    if (sent % (BATCH * 50) === 0) say(`${(sent / 1e6).toFixed(0)} of ${wanted / 1e6} M values`)
  }
  await historian.settle()
  const made = sent - there
  const [cpu, wallMs] = [productCpu() - cpuAt, performance.now() - startedAt]
  const { fileRows, sizeBytes = 0, files } = await historian.status()
  return {
    ...{ values: fileRows, bytesPerValue: round((sizeBytes + manifestBytes(dir)) / fileRows, 3), files },
    ...(made > 0
      ? { cpuMicrosPerValue: round(cpu / made, 3), valuesPerSecond: Math.round((made / wallMs) * 1000) }
      : {}),
  }
}

/** The database beside the files: manifest, ranges, gaps and what is not yet sorted. */
const manifestBytes = (dir: string): number =>
  readdirSync(dir)
    .filter((name) => name.startsWith('history.duckdb'))
    .reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
