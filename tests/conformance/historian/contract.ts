import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchBuilder, type HistoryBatch } from '#cloud/pipeline/historian/batch.ts'
import type { BucketColumns, BucketRequest, Historian, StoredGap } from '#cloud/pipeline/historian/historian.ts'
import type { TagLabels } from '#cloud/pipeline/historian/influx/labels.ts'
import { historyReader } from '#cloud/pipeline/historian/reader.ts'
import { BAD, GOOD, type Quality, type Scalar, type ScalarType, UNCERTAIN } from '#shared/contracts/sample.ts'

/** What a contract run needs of an adapter. Values of one bench stay in one store, so that tests share its start. */
export interface HistorianBench {
  open(): Promise<Historian>
  /** `kill -9` of the server behind the adapter, and its next start; absent where there is none. */
  readonly server?: { kill(): Promise<void>; start(): Promise<void> }
  close(): Promise<void>
}

export interface Keeps {
  readonly text: boolean
  readonly wide: boolean
}

export const GROUP = 'works'
const EDGE = { group: GROUP, edge: 'line 1' }
const AT = Date.UTC(2026, 0, 5)
const DAY_MS = 86_400_000

/** Names as plants have them: with spaces, signs, other scripts. */
export const labelsOf = (key: number): TagLabels => ({
  ...EDGE,
  device: `Press, ${key % 3}`,
  tag: `Zone=${key} "T" \\ 温度 (1|2).*`,
})

interface Value {
  readonly tag: number
  readonly at: number
  readonly value: Scalar
  readonly quality: Quality
}

let nextTag = 1
let nextEpoch = 1n
/** Tags and a journal that no other test uses. */
const newTags = (count: number) => Array.from({ length: count }, () => nextTag++)
const newJournal = () => ({ ...EDGE, epoch: 2n ** 63n + nextEpoch++ })
type Journal = ReturnType<typeof newJournal>

function batchOf(values: readonly Value[], journal?: Journal, first = 1n): HistoryBatch {
  const builder = new BatchBuilder()
  for (const { tag, at, value, quality } of values) builder.add(tag, at, value, quality)
  if (journal) builder.addRange(journal, first, first + BigInt(values.length) - 1n)
  return builder.take()
}

const ramp = (tag: number, count: number, from = AT): Value[] =>
  Array.from({ length: count }, (_, i) => ({ tag, at: from + i * 1000, value: i, quality: GOOD }))

const all = { from: 0, to: AT * 2, limit: 1e6, skip: 0 }
const plain = (columns: BucketColumns) => rowsOf(columns).map((row) => ({ ...row }))

function rowsOf(columns: BucketColumns): Record<string, number>[] {
  const names = Object.keys(columns) as (keyof BucketColumns)[]
  return Array.from(columns.tag, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i] as number])))
}

/** Every promise of the port, for one adapter. */
export function historianContract(name: string, start: () => Promise<HistorianBench>, keeps: Keeps): void {
  describe(`${name} as a historian`, { timeout: 60_000 }, () => {
    let bench: HistorianBench
    let history: Historian

    beforeAll(async () => {
      bench = await start()
      history = await bench.open()
    }, 60_000)
    afterAll(async () => {
      await history?.close()
      await bench?.close()
    })
    const reopen = async () => {
      await history.close()
      history = await bench.open()
    }
    const marksOf = async ({ epoch }: Journal) =>
      (await history.marks()).filter((mark) => mark.epoch === epoch).map((mark) => mark.ranges)

    it('gives back what was committed, in time order, a page at a time', async () => {
      const [tag = 0] = newTags(1)
      await history.commit(batchOf(ramp(tag, 5000)))
      const { at, v, q } = await history.raw({ tag, from: AT + 1000, to: AT + 4000, limit: 10, skip: 1 })
      expect([...at]).toEqual([AT + 2000, AT + 3000])
      expect([...v]).toEqual([2, 3])
      expect([...q]).toEqual([GOOD, GOOD])
      const page = await history.raw({ tag, from: AT, to: AT + DAY_MS, limit: 2000, skip: 0 })
      expect(page.at).toHaveLength(2000)
      expect(page.v[1999]).toBe(1999)
      expect((await history.raw({ ...all, tag })).at).toHaveLength(5000)
      expect((await history.raw({ ...all, tag: nextTag + 1000 })).at).toHaveLength(0)
    })

    it('stores values that are sent again once', async () => {
      const [tag = 0, other = 0] = newTags(2)
      const journal = newJournal()
      const values = [...ramp(tag, 1000), ...ramp(other, 10)]
      for (let i = 0; i < 3; i++) {
        if (bench.server) await history.commit(batchOf(values, journal))
        else if (i === 0) await history.commit(batchOf(values, journal))
      }
      expect((await history.raw({ ...all, tag })).at).toHaveLength(1000)
      const buckets = await history.buckets({ tags: [tag, other], from: AT, to: AT + 1_000_000, widthMs: 1_000_000 })
      expect([...buckets.count]).toEqual([1000, 10])
      expect([...buckets.sum]).toEqual([499_500, 45])
      expect(await marksOf(journal)).toEqual(['1-1010'])
    })

    it('takes late and old values into their places', async () => {
      const [tag = 0] = newTags(1)
      const offsets = [0, 5, -1, -300 * DAY_MS, 3, -40 * DAY_MS, 2 * DAY_MS]
      for (const offset of offsets) {
        await history.commit(batchOf([{ tag, at: AT + offset, value: offset, quality: GOOD }]))
      }
      const { at, v } = await history.raw({ ...all, tag })
      const sorted = [...offsets].sort((a, b) => a - b)
      expect([...at]).toEqual(sorted.map((offset) => AT + offset))
      expect([...v]).toEqual(sorted)
      expect(await history.last([tag])).toMatchObject([{ tag, sourceAt: AT + 2 * DAY_MS }])
    })

    it('keeps the quality of every value, and values that could not be read', async () => {
      const [tag = 0] = newTags(1)
      const values: Value[] = [
        { tag, at: AT, value: 1, quality: GOOD },
        { tag, at: AT + 1, value: null, quality: BAD },
        { tag, at: AT + 2, value: -0.25, quality: UNCERTAIN },
        { tag, at: AT + 3, value: true, quality: GOOD },
      ]
      await history.commit(batchOf(values))
      const { v, q } = await history.raw({ ...all, tag })
      expect([...v]).toEqual([1, Number.NaN, -0.25, 1])
      expect([...q]).toEqual([GOOD, BAD, UNCERTAIN, GOOD])
    })

    it(`keeps ${keeps.text ? '' : 'no '}texts${keeps.wide ? ' and all' : ', and not all'} digits of wide integers`, async () => {
      const [text = 0, wide = 0] = newTags(2)
      const texts = ['running', 'a "b" \\ c,d = e\nf', '42', '']
      const numbers = [7n, -(2n ** 63n), 2n ** 53n + 1n, 2n ** 64n - 1n]
      await history.commit(
        batchOf([
          ...texts.map((value, i) => ({ tag: text, at: AT + i, value, quality: GOOD })),
          ...numbers.map((value, i) => ({ tag: wide, at: AT + i, value, quality: GOOD })),
        ]),
      )
      const types: Record<string, { key: number; type: ScalarType }> = {
        text: { key: text, type: 'string' },
        wide: { key: wide, type: 'uint64' },
      }
      const reader = historyReader({
        historian: history,
        find: (path) => types[path],
        gaps: async () => [],
        retention: async () => [],
      })
      const read = async (path: string) => (await reader.raw({ path, from: AT, to: AT + 10, limit: 10 })).value
      expect(await read('text')).toEqual(keeps.text ? texts : [null, null, null, null])
      const found = await read('wide')
      if (keeps.wide) expect(found).toEqual(numbers)
      else expect(found.map(Number)).toEqual([7, -(2 ** 63), 2 ** 53, 2 ** 64].map((n) => expect.closeTo(n, -8)))
    })

    it('answers buckets as a plain reckoning does', async () => {
      const [least = 0] = newTags(1)
      const sample = fc.record({
        tag: fc.constantFrom(0, 1, 2),
        offset: fc.integer({ min: 0, max: 20_000 }),
        value: fc.option(
          fc.integer({ min: -4000, max: 4000 }).map((n) => n / 4),
          { freq: 6 },
        ),
        quality: fc.constantFrom(GOOD, UNCERTAIN, BAD),
      })
      const question = fc.record({
        from: fc.integer({ min: -3000, max: 12_000 }),
        length: fc.integer({ min: 1, max: 15_000 }),
        widthMs: fc.integer({ min: 40, max: 7000 }),
        before: fc.option(fc.integer({ min: 0, max: 9000 }), { nil: undefined }),
      })
      let round = 0
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(sample, { selector: (s) => `${s.tag}/${s.offset}`, maxLength: 60 }),
          fc.array(question, { minLength: 1, maxLength: 3 }),
          async (samples, questions) => {
            const tags = newTags(3)
            const from = AT + round++ * 60_000
            const values = samples.map(({ tag, offset, value, quality }) => ({
              ...{ tag: tags[tag] ?? least, at: from + offset, value, quality },
            }))
            await history.commit(batchOf(values))
            for (const { length, widthMs, before, ...asked } of questions) {
              const start = from + asked.from
              const origin = before === undefined ? {} : { origin: start - before }
              const request = { tags, from: start, to: start + length, widthMs, ...origin }
              expectBuckets(await history.buckets(request), values, request)
            }
          },
        ),
        { numRuns: 12 },
      )
    })

    it('tells the newest value of each tag, and the newest before a time', async () => {
      const [tag = 0, other = 0, none = 0] = newTags(3)
      await history.commit(batchOf([...ramp(tag, 10), { tag: other, at: AT, value: null, quality: BAD }]))
      const newest = async (before?: number) =>
        (await history.last([none, other, tag], before))
          .sort((a, b) => a.tag - b.tag)
          .map((last) => [last.tag, last.sourceAt, last.value, last.quality])
      expect(await newest()).toEqual([
        [tag, AT + 9000, 9, GOOD],
        [other, AT, null, BAD],
      ])
      expect(await newest(AT + 5000)).toEqual([
        [tag, AT + 4000, 4, GOOD],
        [other, AT, null, BAD],
      ])
      expect(await newest(AT)).toEqual([])
    })

    it('merges ranges, stores a gap once, and keeps both over a restart', async () => {
      const journal = newJournal()
      const [tag = 0] = newTags(1)
      const gap: StoredGap = {
        ...journal,
        ...{ id: `0a000000-0000-8000-8000-${String(tag).padStart(12, '0')}`, device: null, cause: 'disk-full' },
        ...{ first: 11n, last: 2n ** 64n - 1n, count: 10n, firstTime: AT + 0.5, lastTime: null, recordedAt: AT },
      }
      await history.commit(batchOf(ramp(tag, 10), journal))
      for (let i = 0; i < 2; i++) {
        const builder = new BatchBuilder()
        builder.addGap({ ...gap, firstTime: AT })
        builder.addRange(journal, gap.first, gap.last)
        await history.commit(builder.take())
      }
      await reopen()
      expect(await marksOf(journal)).toEqual([`1-${2n ** 64n - 1n}`])
      const gaps = (await history.gaps()).filter(({ id }) => id === gap.id)
      expect(gaps).toEqual([{ ...gap, firstTime: AT }])
      expect((await history.raw({ ...all, tag })).at).toHaveLength(10)
    })

    it('acknowledges nothing of a batch that cannot be stored, and goes on', async () => {
      const journal = newJournal()
      const [tag = 0] = newTags(1)
      const broken = { ...batchOf(ramp(tag, 3), journal), marks: [{ ...journal, epoch: 2n ** 70n, ranges: '1-3' }] }
      await expect(history.commit(broken)).rejects.toMatchObject({ name: 'HistoryCommitError' })
      expect((await history.marks()).some((mark) => mark.epoch === 2n ** 70n)).toBe(false)
      await history.commit(batchOf(ramp(tag, 3), journal))
      expect(await marksOf(journal)).toEqual(['1-3'])
      expect((await history.raw({ ...all, tag })).at).toHaveLength(3)
    })

    it('keeps what it confirmed over kill -9 of its server, and doubles nothing of what it did not', async (context) => {
      const { server } = bench
      if (!server) {
        await context.annotate('The embedded store has a test of its own: kill-loses-nothing.test.ts')
        return
      }
      const journal = newJournal()
      const tags = newTags(8)
      const ledger: Value[] = []
      let rejected = 0
      for (let round = 0; round < 4; round++) {
        const values = tags.flatMap((tag) => ramp(tag, 4000, AT + round * 4_000_000))
        const first = BigInt(ledger.length) + 1n
        ledger.push(...values)
        const commit = history.commit(batchOf(values, journal, first))
        // Round 0 is confirmed and killed at once; the others die at another moment of the commit each.
        const outcome = commit.then(
          () => true,
          () => false,
        )
        if (round === 0) await outcome
        else await new Promise((resolve) => setTimeout(resolve, round * 40))
        await server.kill()
        const isConfirmed = await outcome
        await server.start()
        const whole = `1-${ledger.length}`
        if (isConfirmed) expect(await marksOf(journal)).toEqual([whole])
        else {
          rejected += 1
          expect(await marksOf(journal)).toEqual([`1-${Number(first) - 1}`])
          await history.commit(batchOf(values, journal, first))
          expect(await marksOf(journal)).toEqual([whole])
        }
      }
      for (const tag of tags) {
        const wanted = ledger.filter((value) => value.tag === tag).map((value) => value.value)
        // What is confirmed is safe at once; an engine may take a moment longer to show it.
        await expect
          .poll(async () => (await history.raw({ ...all, tag })).v.length, { timeout: 5000 })
          .toBe(wanted.length)
        expect([...(await history.raw({ ...all, tag })).v]).toEqual(wanted)
      }
      expect(rejected).toBeGreaterThan(0)
    })

    it('rejects while its server is away, and takes commits again when it is back', async (context) => {
      const { server } = bench
      if (!server) {
        await context.annotate('The embedded store has no server')
        return
      }
      const journal = newJournal()
      const [tag = 0] = newTags(1)
      await server.kill()
      await expect(history.commit(batchOf(ramp(tag, 5), journal))).rejects.toMatchObject({ name: 'HistoryCommitError' })
      expect(await marksOf(journal)).toEqual([])
      await server.start()
      await history.commit(batchOf(ramp(tag, 5), journal))
      expect((await history.raw({ ...all, tag })).at).toHaveLength(5)
      expect(await marksOf(journal)).toEqual(['1-5'])
    })
  })
}

/** Compares answered buckets with values that are gone through one by one. */
function expectBuckets(found: BucketColumns, values: readonly Value[], request: BucketRequest): void {
  const { from, to, widthMs, origin = from } = request
  const groups = new Map<string, Value[]>()
  const asked = values.filter(({ at }) => at >= from && at < to)
  for (const value of asked.sort((a, b) => a.tag - b.tag || a.at - b.at)) {
    const id = `${value.tag}/${Math.floor((value.at - origin) / widthMs)}`
    groups.set(id, [...(groups.get(id) ?? []), value])
  }
  const rows = plain(found)
  const wanted = [...groups].map(([id, group]) => reckon(id, group))
  expect(rows.map(({ minAt: _, maxAt: __, ...row }) => row)).toEqual(wanted.map(({ row }) => row))
  rows.forEach((row, i) => {
    // Of equal extremes any may be the one; NaN where there is no number.
    expect(wanted[i]?.minTimes.includes(row.minAt ?? 0)).toBe(true)
    expect(wanted[i]?.maxTimes.includes(row.maxAt ?? 0)).toBe(true)
  })
}

function reckon(id: string, group: readonly Value[]) {
  const [tag = 0, bucket = 0] = id.split('/').map(Number)
  const numbers = group.filter((value) => value.value !== null).map(({ at, value }) => ({ at, v: Number(value) }))
  const v = numbers.map((number) => number.v)
  const none = numbers.length === 0
  const [min, max] = none ? [Number.NaN, Number.NaN] : [Math.min(...v), Math.max(...v)]
  const timesOf = (wanted: number) =>
    none ? [Number.NaN] : numbers.filter((number) => number.v === wanted).map((number) => number.at)
  const row = {
    ...{ tag, bucket, min, max, first: v[0] ?? Number.NaN, last: v.at(-1) ?? Number.NaN },
    ...{ lastAt: group.at(-1)?.at, count: group.length, numbers: v.length, sum: v.reduce((a, b) => a + b, 0) },
    quality: Math.min(...group.map((value) => value.quality)),
  }
  return { row, minTimes: timesOf(min), maxTimes: timesOf(max) }
}
