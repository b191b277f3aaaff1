import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'

const PROGRAM = fileURLToPath(new URL('../../../tests/support/history-writer.ts', import.meta.url))

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'andon-history-kill-'))
})

afterEach(() => rmSync(dir, { recursive: true }))

/** Starts the writing program; `until` resolves with the line that fits. */
function startWriting(slotRows: number, command = process.execPath, before: readonly string[] = []) {
  const child = spawn(command, [...before, PROGRAM, dir, String(slotRows)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const wake = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const check of wake) check()
  })
  const until = (fits: (lines: readonly string[]) => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!fits(lines)) return
        wake.delete(check)
        resolve()
      }
      wake.add(check)
      check()
    })
  return { child, lines, until }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Compares what is stored with the mark: every number up to it once, nothing beyond. Returns the mark. */
async function expectExact(): Promise<number> {
  const history = await openDuckDbHistorian({ dir, log: silentLog })
  try {
    const [mark] = await history.marks()
    const end = Number(mark?.ranges.split('-')[1] ?? 0)
    const seen = new Uint8Array(end + 1)
    for (let tag = 0; tag < 7; tag++) {
      const { v } = await history.raw({ tag, from: 0, to: 1e12, limit: 1e9, skip: 0 })
      for (const value of v) seen[value] = (seen[value] ?? 0) + 1
    }
    expect(seen.subarray(1).every((count) => count === 1)).toBe(true)
    await expectRollUpsOf(history, end)
    expect(await history.last([7])).toEqual(end === 0 ? [] : [expect.objectContaining({ value: `text ${end - 499}` })])
    return end
  } finally {
    await history.close()
  }
}

/** Roll-ups are made and merged beside the values, so they must tell the same: the number and the sum of 1 to `end`. */
async function expectRollUpsOf(history: DuckDbHistorian, end: number): Promise<void> {
  const tags = [0, 1, 2, 3, 4, 5, 6]
  for (const widthMs of [60_000, 3_600_000]) {
    const { count, sum } = await history.buckets({ tags, from: 0, to: 3_600_000_000, widthMs })
    const total = (column: Float64Array) => column.reduce((all, value) => all + value, 0)
    expect([total(count), total(sum)]).toEqual([end, (end * (end + 1)) / 2])
  }
}

/** Programs start slowly on a busy machine. */
const PATIENCE = { timeout: 120_000 }

describe('the embedded history under kill -9', PATIENCE, () => {
  it('holds what it confirmed, and nothing twice, also between sorting and merging', async () => {
    let compared = 0
    for (let round = 0; round < 5; round++) {
      const { child, lines, until } = startWriting(5000)
      // A different number of commits each time, so that kills fall into appends, seals, sorts and merges.
      await until((all) => all.length >= 5 + round * 7)
      await kill(child)
      const confirmed = Number(lines.at(-1))
      compared = await expectExact()
      expect(compared).toBeGreaterThanOrEqual(confirmed)
    }
    expect(compared).toBeGreaterThan(25_000)
    const history = await openDuckDbHistorian({ dir, log: silentLog })
    // A slot has 5,000 rows: what is bigger was merged.
    expect((await history.status()).fileRows).toBeGreaterThan(15_000)
    await history.close()
  })
})

describe('the embedded history beside another process', PATIENCE, () => {
  it('refuses to open what the other has open', async () => {
    const { child, until } = startWriting(5000)
    await until((all) => all.length > 2)
    await expect(openDuckDbHistorian({ dir, log: silentLog })).rejects.toThrow('is open in another process')
    await kill(child)
    await expectExact()
  })
})

describe('the embedded history on a full disk', PATIENCE, () => {
  it('confirms nothing, opens again when there is space, and goes on exactly', async () => {
    const { child, lines, until } = startWriting(1e9, 'prlimit', ['--fsize=1000000:unlimited', process.execPath])
    await until((all) => all.some((line) => line.startsWith('failed')))
    const failedAt = lines.length
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
    await until((all) => all.slice(failedAt).filter((line) => !line.startsWith('failed')).length > 10)
    await kill(child)
    await expectExact()
  })
})
