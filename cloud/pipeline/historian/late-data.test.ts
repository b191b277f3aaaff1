import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD, type Quality } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { BatchBuilder } from './batch.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'

const HOUR = 3_600_000
const AT = Date.UTC(2026, 0, 5)
const TAGS = [1, 2, 3, 4]
/** Its values are 64-bit integers, which are stored otherwise. */
const WIDE = 4

interface Value {
  readonly tag: number
  readonly at: number
  readonly v: number
  readonly q: Quality
}

let dir: string
let history: DuckDbHistorian
let all: Value[]
let offset: bigint
let seed: number

const random = (below: number) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-late-'))
  history = await openDuckDbHistorian({ dir, log: silentLog, graceMs: 0, mergeBlocks: 3 })
  all = []
  offset = 1n
  seed = 4711
})

afterEach(async () => {
  await history.close()
  rmSync(dir, { recursive: true })
})

/** Commits values that no earlier batch has, spread over `hours` from the hour `from`; a few are bad, a few unread. */
async function commitSome(count: number, from: number, hours: number) {
  const known = new Set(all.map(({ tag, at }) => `${tag}/${at}`))
  const batch = new BatchBuilder()
  for (let i = 0; i < count; i++) {
    const tag = TAGS[random(TAGS.length)] ?? 1
    const at = AT + from * HOUR + random(hours * HOUR)
    if (known.has(`${tag}/${at}`)) continue
    known.add(`${tag}/${at}`)
    const q = ([GOOD, GOOD, GOOD, 64, 0] as const)[random(5)] ?? GOOD
    const v = random(20) === 0 && tag !== WIDE ? Number.NaN : random(1000)
    batch.add(tag, at, Number.isNaN(v) ? null : tag === WIDE ? BigInt(v) : v, q)
    all.push({ tag, at, v, q })
  }
  batch.addRange({ group: 'g', edge: 'e', epoch: 1n }, offset, offset + BigInt(count) - 1n)
  offset += BigInt(count)
  await history.commit(batch.take())
}

/** What a bucket is, said plainly. */
function plainly(from: number, to: number, { origin, widthMs }: { origin: number; widthMs: number }) {
  const inside = all.filter(({ at }) => at >= from && at < to)
  const groups = Map.groupBy(inside, ({ tag, at }) => `${tag}/${Math.floor((at - origin) / widthMs)}`)
  const rows = [...groups.values()].map((group) => {
    const own = group.toSorted((a, b) => a.at - b.at)
    const numbers = own.filter(({ v }) => !Number.isNaN(v))
    const of = (value: number | undefined) => value ?? Number.NaN
    const min = Math.min(...numbers.map(({ v }) => v))
    const max = Math.max(...numbers.map(({ v }) => v))
    return {
      ...{ tag: own[0]?.tag ?? 0, bucket: Math.floor(((own[0]?.at ?? 0) - origin) / widthMs) },
      ...{ first: of(numbers[0]?.v), last: of(numbers.at(-1)?.v) },
      ...{ min: numbers.length ? min : Number.NaN, max: numbers.length ? max : Number.NaN },
      minAt: of(numbers.find(({ v }) => v === min)?.at),
      maxAt: of(numbers.find(({ v }) => v === max)?.at),
      ...{ lastAt: own.at(-1)?.at, count: own.length, numbers: numbers.length },
      sum: numbers.reduce((sum, { v }) => sum + v, 0),
      quality: Math.min(...own.map(({ q }) => q)),
    }
  })
  return rows.toSorted((a, b) => a.tag - b.tag || a.bucket - b.bucket)
}

async function expectExact() {
  const [from, to] = [AT - HOUR + 12_345, AT + 30 * HOUR + 54_321]
  for (const widthMs of [HOUR, 6 * HOUR, 60_000, 22 * 60_000, 977_777]) {
    for (const origin of [Math.floor(from / widthMs) * widthMs, from]) {
      const columns = await history.buckets({ tags: TAGS, from, to, widthMs, origin })
      const told = Array.from(columns.tag, (_, row) =>
        Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[row]])),
      )
      expect(told).toEqual(plainly(from, to, { origin, widthMs }))
    }
  }
  for (const tag of TAGS) {
    const own = all.filter((value) => value.tag === tag).toSorted((a, b) => a.at - b.at)
    const raw = await history.raw({ tag, from: 0, to: AT * 2, limit: 1e6, skip: 0 })
    expect([...raw.at]).toEqual(own.map(({ at }) => at))
    expect([...raw.v]).toEqual(own.map(({ v }) => v))
    expect([...raw.q]).toEqual(own.map(({ q }) => q))
    const page = await history.raw({ tag, from: AT + HOUR, to: AT * 2, limit: 7, skip: 2 })
    expect([...page.at]).toEqual(
      own
        .filter(({ at }) => at >= AT + HOUR)
        .slice(2, 9)
        .map(({ at }) => at),
    )
  }
  for (const before of [AT + 5 * HOUR, AT + 5 * HOUR + 1_234_567, AT * 2]) {
    const found = await history.last(TAGS, before)
    const told = new Map(
      found.map((last) => [
        last.tag,
        [last.sourceAt, last.value === null ? Number.NaN : Number(last.value), last.quality],
      ]),
    )
    for (const tag of TAGS) {
      const own = all.filter((value) => value.tag === tag && value.at < before).toSorted((a, b) => b.at - a.at)[0]
      expect(told.get(tag)).toEqual(own && [own.at, own.v, own.q])
    }
  }
}

describe('history with late values', { timeout: 120_000 }, () => {
  it('answers from roll-ups exactly what the raw values say, in tables, in files and merged', async () => {
    await commitSome(3000, 0, 24)
    await expectExact()
    await history.settle()
    await expectExact()
    // Late ones for old buckets, among them buckets that nothing had filled.
    await commitSome(500, -3, 20)
    await expectExact()
    await history.settle()
    await commitSome(500, 2, 30)
    await history.settle()
    await commitSome(100, 5, 6)
    await expectExact()
    expect(all.length).toBeGreaterThan(4000)
  })
})
