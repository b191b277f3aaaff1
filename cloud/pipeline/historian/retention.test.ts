import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { BatchBuilder } from './batch.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Class 1 keeps values two days, minutes ten, hours for ever; class 0 keeps everything. */
const RETENTION = { 1: { rawMs: 2 * DAY, minuteMs: 10 * DAY } }
const [KEPT, ENDED, TEXT] = [1, 2, 3]

let dir: string
let history: DuckDbHistorian

const open = () => openDuckDbHistorian({ dir, log: silentLog, graceMs: 0, retention: RETENTION })

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-retention-'))
  history = await open()
  await history.classify([
    { tag: ENDED, class: 1 },
    { tag: TEXT, class: 1 },
  ])
})

afterEach(async () => {
  await history.close()
  rmSync(dir, { recursive: true })
})

/** One value a minute for an hour, of a tag that is kept and of two that are not, as one slot. */
async function commitHour(at: number, first: bigint) {
  const batch = new BatchBuilder()
  for (let i = 0; i < 60; i++) {
    for (const tag of [KEPT, ENDED]) batch.add(tag, at + i * 60_000, i, GOOD)
    batch.add(TEXT, at + i * 60_000, `state ${i}`, GOOD)
  }
  batch.addRange({ group: 'g', edge: 'e', epoch: 1n }, first, first + 179n)
  await history.commit(batch.take())
  await history.settle()
}

const raw = async (tag: number, at: number) =>
  (await history.raw({ tag, from: at, to: at + HOUR, limit: 1000, skip: 0 })).at.length

describe('retention by class', () => {
  it('ends what is older than its class keeps, level by level, and tells what went', async () => {
    const now = Math.floor(Date.now() / HOUR) * HOUR
    const [old, middle, young] = [now - 20 * DAY, now - 5 * DAY, now - 2 * HOUR]
    await commitHour(old, 1n)
    await commitHour(middle, 181n)
    await commitHour(young, 361n)
    for (const at of [old, middle, young]) expect(await raw(KEPT, at)).toBe(60)
    expect([await raw(ENDED, old), await raw(ENDED, middle), await raw(ENDED, young)]).toEqual([0, 0, 60])
    expect([await raw(TEXT, middle), await raw(TEXT, young)]).toEqual([0, 60])
    const minutes = (at: number) => history.buckets({ tags: [ENDED], from: at, to: at + HOUR, widthMs: 60_000 })
    expect((await minutes(middle)).count).toHaveLength(60)
    // Of the oldest only the hour is left; it answers for the minutes too, as well as it can.
    expect([...(await minutes(old)).count]).toEqual([60])
    const hours = await history.buckets({ tags: [ENDED], from: old, to: old + HOUR, widthMs: HOUR })
    expect([...hours.sum]).toEqual([(59 * 60) / 2])
    const told = await history.deletions()
    expect(told.map(({ level, class: cls, firstAt, rows }) => ({ level, cls, firstAt, rows }))).toEqual(
      expect.arrayContaining([
        { level: 'raw', cls: 1, firstAt: old, rows: 120 },
        { level: 'raw', cls: 1, firstAt: middle, rows: 120 },
        { level: 'minute', cls: 1, firstAt: old, rows: 120 },
      ]),
    )
    expect(told).toHaveLength(3)
  })

  it('still knows the last value of a tag whose values are gone', async () => {
    const old = Math.floor(Date.now() / HOUR) * HOUR - 20 * DAY
    await commitHour(old, 1n)
    expect(await history.last([ENDED])).toEqual([{ tag: ENDED, sourceAt: old + 59 * 60_000, value: 59, quality: GOOD }])
  })

  it('remembers the classes and what it removed over a restart', async () => {
    await commitHour(Date.now() - 20 * DAY, 1n)
    const told = await history.deletions()
    await history.close()
    history = await open()
    expect(await history.deletions()).toEqual(told)
    await commitHour(Date.now() - 3 * DAY, 181n)
    expect(await history.deletions()).toHaveLength(told.length + 1)
    // Hours of the first, minutes and hours of the second, and all of what is kept for ever.
    expect(readdirSync(join(dir, 'blocks')).filter((name) => name.includes('-1-'))).toHaveLength(3)
  })
})
