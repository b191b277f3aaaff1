import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'
import type { RangeMark } from './historian.ts'
import { startWriter, type WriterOptions } from './writer.ts'

const JOURNAL = { group: 'g', edge: 'e', epoch: 1n }
const BROKEN = { ...JOURNAL, epoch: 2n ** 65n }

const PATIENT = { timeout: 15_000 }

let dir: string
let history: DuckDbHistorian

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-writer-'))
  history = await openDuckDbHistorian({ dir, log: silentLog })
})

afterEach(async () => {
  await history.close()
  rmSync(dir, { recursive: true })
})

function start(extra: Partial<WriterOptions> = {}) {
  const commits: number[] = []
  const lost: (readonly RangeMark[])[] = []
  const holds: boolean[] = []
  const writer = startWriter({
    historian: history,
    log: silentLog,
    metrics: { count: () => undefined, gauge: () => undefined },
    spacingMs: 50,
    maxWaiting: 1000,
    onCommitted: (batch) => commits.push(batch.numbers.count),
    onLost: (marks) => lost.push(marks),
    onHold: (isHeld) => holds.push(isHeld),
    ...extra,
  })
  const add = (offset: number) => {
    writer.batch.add(1, offset, offset, GOOD)
    writer.batch.addRange(JOURNAL, BigInt(offset), BigInt(offset))
    writer.changed()
  }
  return { writer, commits, lost, holds, add }
}

describe('a history writer', () => {
  it('commits in groups: what comes during a commit goes with the next', async () => {
    const { writer, commits, add } = start()
    for (let i = 1; i <= 5; i++) add(i)
    await expect.poll(() => commits, PATIENT).toEqual([5])
    for (let i = 6; i <= 8; i++) add(i)
    await expect.poll(() => commits, PATIENT).toEqual([5, 3])
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-8' }])
    await writer.close()
  })

  it('commits what waits when it is closed', async () => {
    const { writer, add } = start({ spacingMs: 60_000 })
    add(1)
    await writer.close()
    add(2)
    expect(writer.isOpen).toBe(false)
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-1' }])
  })

  it('takes no more than may wait', async () => {
    const { writer, add } = start({ maxWaiting: 3 })
    for (let i = 1; i <= 3; i++) add(i)
    expect(writer.isOpen).toBe(false)
    await expect.poll(() => writer.isOpen, PATIENT).toBe(true)
    await writer.close()
  })

  it('has edges wait from half of what may wait until a commit has ended', async () => {
    const { writer, holds, add } = start({ maxWaiting: 4 })
    add(1)
    expect(holds).toEqual([])
    add(2)
    expect(holds).toEqual([true])
    await expect.poll(() => holds, PATIENT).toEqual([true, false])
    await writer.close()
  })

  it('lets edges go on when a commit fails, because alarms do not wait for history', async () => {
    const { writer, holds, lost } = start({ maxWaiting: 2, spacingMs: 0 })
    writer.batch.add(1, 1, 1, GOOD)
    writer.batch.addRange(BROKEN, 1n, 1n)
    writer.changed()
    await expect.poll(() => lost.length, PATIENT).toBe(1)
    expect(holds).toEqual([true, false])
    await writer.close()
  })

  it('tells what history has after a failed commit, forgets what was gathered since, and goes on', async () => {
    const { writer, commits, lost, add } = start({ spacingMs: 0 })
    add(1)
    await expect.poll(() => commits, PATIENT).toEqual([1])
    writer.batch.addRange(BROKEN, 1n, 1n)
    add(2)
    await expect.poll(() => writer.isOpen, PATIENT).toBe(false)
    expect(writer.isFailing).toBe(true)
    add(3)
    await expect.poll(() => lost, PATIENT).toEqual([[{ ...JOURNAL, ranges: '1-1' }]])
    expect(writer.batch.isEmpty).toBe(true)
    add(2)
    await expect.poll(() => commits, PATIENT).toEqual([1, 1])
    expect(writer.isFailing).toBe(false)
    expect([...(await history.raw({ tag: 1, from: 0, to: 10, limit: 10, skip: 0 })).v]).toEqual([1, 2])
    await writer.close()
  })
})
