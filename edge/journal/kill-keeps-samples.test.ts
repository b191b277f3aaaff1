import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { openJournal } from './index.ts'

const WRITER = fileURLToPath(new URL('../../tests/support/journal-writer.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'journal-kill-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

/** Lets a process write until so many batches are accepted, kills it, and answers every value it told as accepted. */
async function writeAndKill(batches: number, start: bigint): Promise<bigint[]> {
  const child = spawn(process.execPath, [WRITER, directory, String(start)], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const told: bigint[] = []
  let lines = 0
  const exit = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout! })) {
    told.push(...line.split(' ').map(BigInt))
    lines += 1
    if (lines === batches) child.kill('SIGKILL')
  }
  await exit
  return told
}

describe('a journal whose process is killed', () => {
  it('holds everything that was accepted, once, and covers every jump by a gap', { timeout: 60_000 }, async () => {
    const accepted = new Set<bigint>()
    const batches = [40, 7, 150, 1, 90, 300, 23, 61]
    for (const [round, count] of batches.entries()) {
      for (const value of await writeAndKill(count, BigInt(round) * 1_000_000n)) accepted.add(value)
    }
    const journal = openJournal({ directory, clock: { now: () => Date.now() }, log: silentLog })
    const covered = new RangeSet()
    const held = new Map<bigint, number>()
    let next = 1n
    for (;;) {
      const records = journal.read(next, 100)
      if (records.length === 0) break
      for (const { first, last, samples } of records) {
        expect(covered.missing(first, last)).toEqual([{ first, last }])
        covered.add(first, last)
        for (const { value } of samples) if (typeof value === 'bigint') held.set(value, (held.get(value) ?? 0) + 1)
        next = last + 1n
      }
    }
    for (const record of journal.readUrgent(1n, 1000))
      for (const { value } of record.samples) {
        const gap = JSON.parse(String(value)) as { first: string; last: string; count: number }
        expect(gap.count).toBe(0)
        covered.add(BigInt(gap.first), BigInt(gap.last))
      }
    const newest = journal.newest
    await journal.close()
    expect(accepted.size).toBeGreaterThan(2000)
    expect([...accepted].filter((value) => held.get(value) !== 1)).toEqual([])
    expect([...held].filter(([, times]) => times !== 1)).toEqual([])
    expect(covered.ranges).toEqual([{ first: 1n, last: newest }])
  })
})
