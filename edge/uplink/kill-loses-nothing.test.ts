import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WireHost } from '#tests/support/wire-host.ts'

const WRITER = fileURLToPath(new URL('../../tests/support/uplink-writer.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'uplink-kill-'))
const children: ChildProcess[] = []
const host = new WireHost('plant', 'line-1')
beforeAll(() => host.start())
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await host.stop()
  rmSync(directory, { recursive: true })
})

/** Lets an edge write, does something to it after so many batches, and answers every value it told as accepted. */
async function run(batches: number, start: bigint, then: (child: ChildProcess) => unknown): Promise<bigint[]> {
  const args = [WRITER, directory, host.url, String(start)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const exit = once(child, 'exit')
  const told: bigint[] = []
  let lines = 0
  for await (const line of createInterface({ input: child.stdout! })) {
    told.push(...line.split(' ').map(BigInt))
    lines += 1
    if (lines === batches) void then(child)
  }
  await exit
  return told
}

describe('an edge that is killed, with a link that is cut and data that is lost', () => {
  it('brings every accepted value to the host, under one offset', { timeout: 90_000 }, async () => {
    const accepted: bigint[] = []
    const kill = (child: ChildProcess) => child.kill('SIGKILL')
    for (const [round, batches] of [50, 5, 120, 30, 80].entries()) {
      if (round === 2) host.cut()
      if (round === 3) host.loseNext = 10
      accepted.push(...(await run(batches, BigInt(round) * 1_000_000n, kill)))
    }
    host.loseNext = 0
    const last = await run(20, 9_000_000n, async (child) => {
      await host.until(() => host.committed.ranges.length === 1 && host.committed.has(1n))
      child.kill('SIGKILL')
    })
    const received = new Map<string, number>()
    for (const { metric } of host.samples.values()) {
      if (metric.long_value === undefined) continue
      received.set(metric.long_value, (received.get(metric.long_value) ?? 0) + 1)
    }
    expect(accepted.length).toBeGreaterThan(800)
    expect(last.length).toBeGreaterThan(0)
    expect(accepted.filter((value) => received.get(String(value)) !== 1)).toEqual([])
    expect([...received].filter(([, times]) => times !== 1)).toEqual([])
  })
})
