import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD, UNCERTAIN } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { BatchBuilder } from './batch.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'
import { HistoryCommitError, HistoryTimeoutError, type StoredGap } from './historian.ts'

const AT = Date.UTC(2026, 0, 5)
const JOURNAL = { group: 'g', edge: 'e', epoch: 2n ** 63n + 7n }
const GAP: StoredGap = {
  ...JOURNAL,
  id: '0a000000-0000-8000-8000-000000000001',
  device: null,
  first: 11n,
  last: 20n,
  count: 10n,
  cause: 'disk-full',
  firstTime: AT,
  lastTime: AT + 10,
  recordedAt: AT + 20,
}

const PATIENT = { timeout: 15_000 }

let dir: string
let history: DuckDbHistorian

const open = (extra = {}) => openDuckDbHistorian({ dir, log: silentLog, graceMs: 0, ...extra })

/** Commits `count` values of a tag, one a second from AT, value = index. */
async function commitRamp(tag: number, count: number, first = 1n) {
  const batch = new BatchBuilder()
  for (let i = 0; i < count; i++) batch.add(tag, AT + i * 1000, i, GOOD)
  batch.addRange(JOURNAL, first, first + BigInt(count) - 1n)
  await history.commit(batch.take())
}

/** Writes another format into the closed history, as another version of the program would. */
async function writeFormat(format: number): Promise<void> {
  const instance = await DuckDBInstance.create(join(dir, 'history.duckdb'))
  const connection = await instance.connect()
  await connection.run(`UPDATE format SET version = ${format}`)
  connection.closeSync()
  instance.closeSync()
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-history-'))
  history = await open()
})

afterEach(async () => {
  await history.close()
  rmSync(dir, { recursive: true })
})

describe('a historian', () => {
  it('gives back what was committed, in time order', async () => {
    await commitRamp(1, 5000)
    const { at, v, q } = await history.raw({ tag: 1, from: AT + 1000, to: AT + 4000, limit: 10, skip: 1 })
    expect([...at]).toEqual([AT + 2000, AT + 3000])
    expect([...v]).toEqual([2, 3])
    expect([...q]).toEqual([GOOD, GOOD])
  })

  it('keeps texts, 64-bit integers, booleans and unread values exactly', async () => {
    const batch = new BatchBuilder()
    batch.add(1, AT, 'running', GOOD)
    batch.add(2, AT, -(2n ** 63n), GOOD)
    batch.add(2, AT + 1, 2n ** 64n - 1n, GOOD)
    batch.add(3, AT, true, GOOD)
    batch.add(4, AT, null, 0)
    await history.commit(batch.take())
    const raw = (tag: number) => history.raw({ tag, from: AT, to: AT + 10, limit: 10, skip: 0 })
    expect((await raw(1)).text).toEqual(['running'])
    expect(await raw(2)).toMatchObject({ wide: [-(2n ** 63n), null], text: [null, '18446744073709551615'] })
    expect([...(await raw(3)).v]).toEqual([1])
    expect([...(await raw(4)).v]).toEqual([Number.NaN])
    const last = await history.last([1, 2, 3, 4, 5])
    expect(last.sort((a, b) => a.tag - b.tag).map(({ tag, value, quality }) => [tag, value, quality])).toEqual([
      [1, 'running', GOOD],
      [2, '18446744073709551615', GOOD],
      [3, 1, GOOD],
      [4, null, 0],
    ])
  })

  it('answers buckets that keep every extreme and the worst quality', async () => {
    const batch = new BatchBuilder()
    for (const [ms, value] of [
      [0, 5],
      [100, -3],
      [200, 9],
      [900, 4],
      [1500, 7],
    ] as const)
      batch.add(1, AT + ms, value, GOOD)
    batch.add(1, AT + 300, null, 0)
    batch.add(1, AT + 1600, 8, UNCERTAIN)
    batch.add(2, AT + 2500, 1n, GOOD)
    await history.commit(batch.take())
    const columns = await history.buckets({ tags: [1, 2], from: AT, to: AT + 3000, widthMs: 1000 })
    const rows = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, [...column]]))
    expect(rows).toEqual({
      tag: [1, 1, 2],
      bucket: [0, 1, 2],
      first: [5, 7, 1],
      min: [-3, 7, 1],
      max: [9, 8, 1],
      last: [4, 8, 1],
      minAt: [AT + 100, AT + 1500, AT + 2500],
      maxAt: [AT + 200, AT + 1600, AT + 2500],
      lastAt: [AT + 900, AT + 1600, AT + 2500],
      count: [5, 2, 1],
      numbers: [4, 2, 1],
      sum: [15, 15, 1],
      quality: [0, UNCERTAIN, GOOD],
    })
  })

  it('tells the value before a time, for charts that hold it until the next', async () => {
    await commitRamp(1, 10)
    await commitRamp(2, 1, 11n)
    const lastUntil = (at: number) =>
      history.last([1, 2], at).then((found) => found.map((last) => [last.tag, last.value]))
    expect(await lastUntil(AT)).toEqual([])
    expect(await lastUntil(AT + 5000)).toEqual(
      expect.arrayContaining([
        [1, 4],
        [2, 0],
      ]),
    )
    await history.settle()
    expect(await lastUntil(AT + 5001)).toEqual(
      expect.arrayContaining([
        [1, 5],
        [2, 0],
      ]),
    )
  })

  it('merges ranges and keeps them over a restart', async () => {
    await commitRamp(1, 10, 1n)
    await commitRamp(1, 5, 21n)
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-10,21-25' }])
    await commitRamp(1, 10, 11n)
    await history.close()
    history = await open()
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-25' }])
  })

  it('stores a gap with its range, and a resent gap once', async () => {
    for (let i = 0; i < 2; i++) {
      const batch = new BatchBuilder()
      batch.addGap(GAP)
      batch.addRange(JOURNAL, GAP.first, GAP.last)
      await history.commit(batch.take())
    }
    expect(await history.gaps()).toEqual([GAP])
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '11-20' }])
  })

  it('stores nothing of a batch that fails, and goes on', async () => {
    const batch = new BatchBuilder()
    batch.add(1, AT, 1, GOOD)
    batch.addRange(JOURNAL, 1n, 1n)
    const broken = { ...batch.take(), marks: [{ ...JOURNAL, epoch: 2n ** 65n, ranges: '1-1' }] }
    await expect(history.commit(broken)).rejects.toThrow(HistoryCommitError)
    expect(await history.marks()).toEqual([])
    expect((await history.raw({ tag: 1, from: 0, to: AT * 2, limit: 10, skip: 0 })).at).toHaveLength(0)
    await commitRamp(1, 3)
    expect(await history.status()).toMatchObject({ hotRows: 3 })
  })
})

describe('the embedded history', () => {
  it('reads the same from files as from tables, and writes on meanwhile', async () => {
    await commitRamp(1, 3000)
    await commitRamp(2, 10, 3001n)
    const query = { tags: [1, 2], from: AT, to: AT + 3_000_000, widthMs: 100_000 }
    const before = await history.buckets(query)
    await history.settle()
    expect(await history.status()).toMatchObject({ hotRows: 0, fileRows: 3010, files: 3 })
    expect(await history.buckets(query)).toEqual(before)
    await commitRamp(3, 5, 4000n)
    await history.close()
    history = await open()
    expect(await history.buckets(query)).toEqual(before)
    expect(await history.status()).toMatchObject({ hotRows: 5, fileRows: 3010, files: 3 })
    expect((await history.last([1, 3])).map((last) => last.value).sort()).toEqual([2999, 4])
  })

  it('merges the files of slots and unlinks the old ones', async () => {
    await history.close()
    history = await open({ mergeBlocks: 3 })
    for (let i = 0; i < 3; i++) {
      await commitRamp(i, 100, BigInt(i * 100 + 1))
      await history.settle()
    }
    expect(await history.status()).toMatchObject({ hotRows: 0, fileRows: 300, files: 3 })
    expect((await history.raw({ tag: 1, from: AT, to: AT + 1e6, limit: 1000, skip: 0 })).at).toHaveLength(100)
    await history.close()
    expect(readdirSync(join(dir, 'blocks'))).toHaveLength(3)
    history = await open()
  })

  it('seals a slot by its rows without being asked', async () => {
    await history.close()
    history = await open({ slotRows: 100 })
    await commitRamp(1, 150)
    await expect.poll(async () => (await history.status()).fileRows, PATIENT).toBe(150)
  })

  it('lets a commit wait for one slot to be sorted when too many wait, and loses nothing', async () => {
    await history.close()
    history = await open({ slotRows: 10, waitingSlots: 1 })
    for (let tag = 1; tag <= 12; tag++) {
      await commitRamp(tag, 10, BigInt(tag * 10 - 9))
      const { hotRows } = await history.status()
      expect(hotRows).toBeLessThanOrEqual(20)
    }
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-120' }])
    await history.settle()
    expect(await history.status()).toMatchObject({ hotRows: 0, fileRows: 120 })
  })

  it('removes what a crash left beside the named files', async () => {
    await history.close()
    writeFileSync(join(dir, 'blocks', '00000099-0-n.parquet'), 'left')
    writeFileSync(join(dir, 'blocks', '00000098-0-n.parquet.tmp'), 'left')
    history = await open()
    expect(readdirSync(join(dir, 'blocks'))).toEqual([])
  })

  it('refuses to start without a file that it names', async () => {
    await commitRamp(1, 10)
    await history.settle()
    await history.close()
    const name = readdirSync(join(dir, 'blocks')).find((file) => file.endsWith('-n.parquet'))
    const path = join(dir, 'blocks', name ?? '')
    renameSync(path, join(dir, 'aside'))
    await expect(open()).rejects.toThrow(`History files are missing in ${join(dir, 'blocks')}: ${name}`)
    renameSync(join(dir, 'aside'), path)
    history = await open()
  })

  it('refuses a folder of another format, tells what to do, and leaves it as it was', async () => {
    await commitRamp(1, 10)
    await history.close()
    await writeFormat(3)
    await expect(open()).rejects.toThrow(
      new RegExp(
        `The history in ${dir} is of format 3, this Andon reads 2; start the Andon that wrote it, or begin anew`,
      ),
    )
    await writeFormat(2)
    history = await open()
    expect((await history.raw({ tag: 1, from: AT, to: AT + 1e6, limit: 100, skip: 0 })).at).toHaveLength(10)
  })

  it('stops a query at its time limit and answers the next', async () => {
    await commitRamp(1, 200_000)
    await history.close()
    history = await open({ queryLimitMs: 1 })
    const slow = history.buckets({ tags: [1], from: AT, to: AT + 2e8, widthMs: 1 })
    await expect(slow).rejects.toThrow(HistoryTimeoutError)
    await expect(history.marks()).resolves.toHaveLength(1)
  })

  it('tells of a disk that runs full, and takes nothing before it would be too late', async () => {
    await history.close()
    history = await open({ lowSpaceBytes: 2 ** 60 })
    expect(history.faults()).toEqual([expect.stringMatching(/^History takes nothing more: \d+ MB are free/)])
    await expect(commitRamp(1, 10)).rejects.toThrow(HistoryCommitError)
    await history.close()
    history = await open()
    expect(history.faults()).toEqual([])
    await commitRamp(1, 10)
    expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-10' }])
  })
})
