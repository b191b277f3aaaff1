import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { BatchBuilder } from './batch.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'
import { gaugeHistory } from './gauges.ts'

let dir: string
let history: DuckDbHistorian

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-gauges-'))
  history = await openDuckDbHistorian({ dir, log: silentLog })
})

afterEach(async () => {
  await history.close()
  rmSync(dir, { recursive: true })
})

describe('the gauges of history', () => {
  it('tell what waits to be sorted, and since when', async () => {
    const told = new Map<string, number>()
    const batch = new BatchBuilder()
    for (let i = 0; i < 3; i++) batch.add(1, Date.now() + i, i, GOOD)
    await history.commit(batch.take())
    const stop = gaugeHistory({
      historian: history,
      metrics: { count: () => undefined, gauge: (name, value) => void told.set(name, value) },
      clock: () => Date.now() + 60_000,
      everyMs: 10,
    })
    await expect.poll(() => told.get('history_unsorted_values'), { timeout: 10_000 }).toBe(3)
    expect(told.get('history_unsorted_seconds')).toBeGreaterThanOrEqual(60)
    await history.settle()
    await expect.poll(() => told.get('history_sorted_values'), { timeout: 10_000 }).toBe(3)
    expect(told.get('history_unsorted_values')).toBe(0)
    stop()
  })
})
