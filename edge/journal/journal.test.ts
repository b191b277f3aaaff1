import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import { GapRecord } from '#shared/contracts/gap.ts'
import { silentLog } from '#shared/log/log.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { packBlock, unpackBlock } from './block-codec.ts'
import { type Journal, type JournalConfig, type JournalRecord, openJournal } from './index.ts'
import { packSamples, unpackSamples } from './record-codec.ts'

let directory: string
let now: number
const opened: Journal[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'journal-'))
  now = 1_800_000_000_000
})
afterEach(async () => {
  for (const journal of opened.splice(0)) await journal.close()
  rmSync(directory, { recursive: true })
})

function open(config: Partial<JournalConfig> = {}): Journal {
  const journal = openJournal({
    directory,
    config: { commitSpacingMs: 0, ballastMb: 0, minFreeMb: 0, ...config },
    clock: { now: () => now },
    log: silentLog,
  })
  opened.push(journal)
  return journal
}

const all = (journal: Journal): JournalRecord[] => journal.read(1n, 100_000)
const valuesOf = (journal: Journal) => all(journal).flatMap(({ samples }) => samples.map(({ value }) => value))
const sample = (tagId: number, value: TagSample['value'], sourceAt = now, quality: 192 | 64 | 0 = 192): TagSample => ({
  tagId,
  sourceAt,
  value,
  quality,
})
/** Gap records stand among alarm events; those of a thinned backlog where it is thin. */
const isGap = ({ class: kind, device }: JournalRecord) => kind === 'gap' || (kind === 'backfill' && !device)
const gapsOf = (journal: Journal) =>
  all(journal)
    .filter(isGap)
    .flatMap(({ samples }) => samples.map(({ value }) => Value.Parse(GapRecord, JSON.parse(String(value)))))

describe('a journal', () => {
  it('gives one offset per sample from 1 on, in source time order, one device a record', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'double')
    const b = journal.tagId('b', 'x', 'double')
    const accepted = await journal.append([sample(a, 2, now + 5), sample(b, 3, now), sample(a, 1, now)])
    expect(accepted).toEqual({ first: 1n, last: 3n })
    const records = all(journal)
    expect(records.map(({ device, first, last }) => [device, first, last])).toEqual([
      ['b', 1n, 1n],
      ['a', 2n, 3n],
    ])
    expect(records[1]?.samples.map(({ value }) => value)).toEqual([1, 2])
    expect(journal.newest).toBe(3n)
  })

  it('commits what gathers together, alarm events and gaps first', async () => {
    const journal = open({ commitSpacingMs: 20 })
    const seen: string[][] = []
    journal.onCommit((records) => seen.push(records.map((record) => record.class)))
    const a = journal.tagId('a', 'x', 'double')
    const live = journal.append([sample(a, 1)])
    await Promise.all([live, journal.appendAlarmEvent('{"a":1}', now), journal.appendAlarmEvent('{"b":1}', now)])
    expect(seen).toEqual([['alarm', 'live']])
    expect(journal.readUrgent(1n, 10).map(({ samples }) => samples.map(({ value }) => value))).toEqual([
      ['{"a":1}', '{"b":1}'],
    ])
  })

  it('goes on after a clean stop with the next offset, the same epoch and the same tag numbers', async () => {
    const first = open()
    const tag = first.tagId('a', 'x', 'int32')
    await first.append([sample(tag, 1)])
    first.acknowledge(1n)
    await first.close()
    const second = open()
    expect(second.epoch).toBe(first.epoch)
    expect(second.acknowledged).toBe(1n)
    expect(second.tagId('a', 'x', 'int32')).toBe(tag)
    expect(second.tagId('a', 'x', 'int64')).not.toBe(tag)
    now += 1
    expect(await second.append([sample(tag, 2)])).toEqual({ first: 2n, last: 2n })
    expect(valuesOf(second)).toEqual([1, 2])
  })

  it('refuses a second process', () => {
    open()
    expect(() => open()).toThrow(/does another edge agent use it/)
  })

  it('counts bdSeq on disk and wraps it', async () => {
    const journal = open()
    expect(journal.nextBdSeq()).toBe(0)
    for (let i = 1; i < 256; i++) expect(journal.nextBdSeq()).toBe(i)
    await journal.close()
    expect(open().nextBdSeq()).toBe(0)
  })
})

describe('the identity of a sample', () => {
  it('lets the later of one tag and millisecond replace the earlier in one commit', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'int32')
    await Promise.all([journal.append([sample(a, 1)]), journal.append([sample(a, 2)])])
    expect(valuesOf(journal)).toEqual([2])
    expect(journal.status().counters.replaced).toBe(1)
  })

  it('moves a different sample of a journaled millisecond on by 1 ms and drops an equal one', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'int32')
    await journal.append([sample(a, 1)])
    await journal.append([sample(a, 1)])
    await journal.append([sample(a, 2)])
    await journal.append([sample(a, 3)])
    await journal.append([sample(a, 4, now + 1)])
    const times = all(journal).flatMap(({ samples }) => samples.map(({ sourceAt, value }) => [sourceAt - now, value]))
    expect(times).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ])
    expect(journal.status().counters).toMatchObject({ repeated: 1, shifted: 3 })
  })

  it('is remembered over a restart', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'int32')
    await journal.append([sample(a, 1)])
    await journal.close()
    const again = open()
    await again.append([sample(a, 1)])
    await again.append([sample(a, 2)])
    expect(valuesOf(again)).toEqual([1, 2])
    expect(again.status().counters).toMatchObject({ repeated: 1, shifted: 1 })
  })
})

describe('what a journal takes', () => {
  it('gives a live sample more than 2 s off gateway time, as uncertain; back-fill keeps its time', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'int32')
    const b = journal.tagId('b', 'x', 'int32')
    await journal.append([sample(a, 1, now - 2001)])
    await journal.append([sample(b, 1, now - 60_000)], 'backfill')
    expect(all(journal).flatMap(({ samples }) => samples)).toEqual([sample(a, 1, now, 64), sample(b, 1, now - 60_000)])
    expect(journal.status().counters.retimed).toBe(1)
  })

  it('turns a value that does not fit its type into a bad one without a value', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'int8')
    await journal.append([sample(a, 300)])
    expect(all(journal)[0]?.samples).toEqual([sample(a, null, now, 0)])
    expect(journal.status().counters.mistyped).toBe(1)
  })
})

describe('gateway time that was set', () => {
  it('becomes a gap in time, which covers its own offset alone', async () => {
    let monotonic = 0
    const journal = openJournal({
      directory,
      config: { commitSpacingMs: 0, ballastMb: 0 },
      clock: { now: () => now, monotonic: () => monotonic },
      log: silentLog,
    })
    opened.push(journal)
    const a = journal.tagId('a', 'x', 'int32')
    await journal.append([sample(a, 1)])
    now += 1000
    monotonic += 1000
    await journal.append([sample(a, 2)])
    expect(gapsOf(journal)).toEqual([])
    now += 60_000
    await journal.append([sample(a, 3)])
    expect(gapsOf(journal)).toEqual([
      { first: '3', last: '3', count: 0, cause: 'clock-jump', firstTime: now - 60_000, lastTime: now },
    ])
    expect(valuesOf(journal).filter((value) => typeof value === 'number')).toEqual([1, 2, 3])
  })
})

describe('a box whose clock was not set when it began', () => {
  it('collects all the same, calls its samples uncertain, and gives them up for no age', async () => {
    now = 3_600_000
    let monotonic = 0
    const clock = { now: () => now, monotonic: () => monotonic }
    const config = { commitSpacingMs: 0, ballastMb: 0, minFreeMb: 0, segmentMinutes: 1 / 60, maxAgeHours: 1 }
    const journal = openJournal({ directory, config, clock, log: silentLog })
    opened.push(journal)
    const a = journal.tagId('a', 'x', 'int32')
    for (let i = 0; i < 5; i++) {
      await journal.append([sample(a, i)])
      now += 1000
      monotonic += 1000
    }
    expect(journal.status()).toMatchObject({ isTimeBelieved: false, counters: { unsynchronised: 5 } })
    now += 1_800_000_000_000
    for (let i = 5; i < 8; i++) {
      await journal.append([sample(a, i)])
      await new Promise(setImmediate)
      now += 6000
      monotonic += 6000
    }
    const samples = all(journal).flatMap((record) => (record.device ? record.samples : []))
    expect(samples.map(({ value, quality }) => [value, quality])).toEqual([
      ...[0, 1, 2, 3, 4].map((value) => [value, 64]),
      ...[5, 6, 7].map((value) => [value, 192]),
    ])
    expect(gapsOf(journal)).toMatchObject([{ cause: 'clock-jump', firstTime: 3_605_000 }])
    expect(journal.status().isTimeBelieved).toBe(true)
  })
})

describe('the space of a journal', () => {
  const fill = async (journal: Journal, tag: number, commits: number) => {
    for (let i = 0; i < commits; i++) {
      now += 1000
      const samples = Array.from({ length: 500 }, (_, k) => sample(tag, Math.random(), now + k))
      await journal.append(samples, 'backfill')
    }
  }
  const files = () => readdirSync(directory).filter((name) => /^segment-.*\.db$/.test(name)).length

  it('is freed by whole segments, on acknowledgement alone', async () => {
    const journal = open({ segmentMinutes: 1 / 60 })
    const a = journal.tagId('a', 'x', 'double')
    await fill(journal, a, 10)
    expect(files()).toBe(10)
    expect(journal.status()).toMatchObject({ depth: 5000, segments: 10 })
    journal.acknowledge(2250n)
    expect(files()).toBe(6)
    expect(journal.status().depth).toBe(2750)
    journal.acknowledge(5000n)
    expect(files()).toBe(1)
    expect(journal.status()).toMatchObject({ depth: 0, oldestAt: undefined })
  })

  it.each([
    ['thins the oldest samples at the limit of size', 60, 'thinned'],
    ['gives the oldest samples up where thinning is off', 0, 'disk-limit'],
  ])('%s, in gaps that are told, and never an alarm event', async (_, thinSeconds, cause) => {
    const journal = open({ maxMb: 1, segmentMb: 1, thinSeconds })
    const a = journal.tagId('a', 'x', 'double')
    await journal.appendAlarmEvent('{"kept":true}', now)
    journal.acknowledge(1n)
    await fill(journal, a, 3)
    await journal.appendAlarmEvent('{"kept":2}', now)
    await fill(journal, a, 400)
    expect(journal.status().sizeBytes).toBeLessThan(1.6 * 1024 * 1024)
    const covered = new RangeSet()
    const gaps = gapsOf(journal)
    for (const { first, last } of gaps) covered.add(BigInt(first), BigInt(last))
    for (const record of all(journal)) {
      if (record.offsets) for (const offset of record.offsets) covered.add(offset, offset)
      else covered.add(record.first, record.last)
    }
    expect(covered.endFrom(2n)).toBe(journal.newest)
    const { thinned, discarded } = journal.status().counters
    expect([thinned > 0, discarded > 0]).toEqual([cause === 'thinned', cause === 'disk-limit'])
    const counted = gaps.reduce((sum, { count }) => sum + count, 0)
    const left = all(journal).reduce(
      (sum, record) => sum + (record.class === 'backfill' && record.device ? record.samples.length : 0),
      0,
    )
    expect(counted + left).toBe(403 * 500)
    expect(gaps.every(({ firstTime, lastTime }) => firstTime! <= lastTime!)).toBe(true)
    expect(new Set(gaps.map((each) => each.cause))).toEqual(new Set([cause]))
    expect(journal.readUrgent(2n, 1)[0]?.samples[0]?.value).toBe('{"kept":2}')
    await journal.close()
    expect(all(open()).length).toBeGreaterThan(0)
  })

  it('gives up what thinning does not make smaller, and counts in one gap what an earlier thinning left out', async () => {
    const journal = open({ maxMb: 1, segmentMb: 1, thinSeconds: 2 })
    const tags = Array.from({ length: 1000 }, (_, i) => journal.tagId('a', `tag-${i}`, 'double'))
    for (let i = 0; i < 400; i++) {
      now += 250
      await journal.append(
        tags.map((tag) => sample(tag, Math.random())),
        'backfill',
      )
    }
    const { thinned, discarded } = journal.status().counters
    const counted = gapsOf(journal).reduce((sum, { count }) => sum + count, 0)
    const left = all(journal).reduce((sum, { device, samples }) => sum + (device ? samples.length : 0), 0)
    expect([thinned > 0, discarded > 0, counted + left]).toEqual([true, true, 400_000])
  })

  it('packs closed segments smaller, and what is read stays the same', async () => {
    const journal = open()
    const tags = Array.from({ length: 500 }, (_, i) => journal.tagId(`device-${i % 3}`, `tag-${i}`, 'double'))
    for (let i = 0; i < 100; i++) {
      now += 100
      await journal.append(tags.map((tag) => sample(tag, tag + Math.round(Math.random() * 100) / 100)))
    }
    const before = all(journal)
    const { sizeBytes } = journal.status()
    now += 600_000
    await journal.append([sample(tags[0]!, 1)])
    await expect.poll(() => journal.status().counters.repacked, { timeout: 15_000 }).toBe(1)
    expect(all(journal).slice(0, before.length)).toEqual(before)
    expect(journal.status().sizeBytes).toBeLessThan(sizeBytes)
    await journal.close()
    expect(all(open()).slice(0, before.length)).toEqual(before)
  })

  it('gives up samples older than the limit of age', async () => {
    const journal = open({ segmentMinutes: 1 / 60, maxAgeHours: 1 })
    const a = journal.tagId('a', 'x', 'double')
    await fill(journal, a, 3)
    now += 2 * 3_600_000
    await fill(journal, a, 8)
    await new Promise(setImmediate)
    expect(gapsOf(journal)[0]).toMatchObject({ cause: 'age-limit', first: '1', last: '500', count: 500 })
  })
})

describe('damage', () => {
  it('is not what a kill leaves behind while a segment is being made', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'double')
    await journal.append([sample(a, 1)])
    await journal.close()
    writeFileSync(join(directory, `segment-${'2'.padStart(20, '0')}.db`), '')
    const again = open()
    expect(gapsOf(again)).toEqual([])
    now += 1
    expect(await again.append([sample(a, 2)])).toEqual({ first: 2n, last: 2n })
  })

  it('of one record becomes a gap, the others stay', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'double')
    for (let i = 0; i < 3; i++) await journal.append([sample(a, i, now + i)])
    await journal.close()
    const file = readdirSync(directory).find((name) => name.startsWith('segment-'))!
    const db = new DatabaseSync(join(directory, file))
    db.exec("UPDATE records SET data = x'0102' WHERE first = 2")
    db.close()
    const again = open()
    expect(valuesOf(again)).toEqual([0, 2])
    await new Promise<void>((resolve) => again.onCommit(() => resolve()))
    expect(gapsOf(again)).toMatchObject([{ cause: 'corrupt', first: '2', last: '2', count: 1 }])
  })

  it('of a whole file becomes a gap, and the file is kept aside', async () => {
    const journal = open({ segmentMinutes: 1 / 60 })
    const a = journal.tagId('a', 'x', 'double')
    for (let i = 0; i < 3; i++, now += 1000) await journal.append([sample(a, i, now)])
    await journal.close()
    const file = readdirSync(directory)
      .filter((name) => name.startsWith('segment-'))
      .sort()[1]!
    rmSync(join(directory, file))
    writeFileSync(join(directory, file), 'this is no database, not by far')
    const again = open()
    expect(gapsOf(again)).toMatchObject([{ cause: 'corrupt', first: '2', last: '2', count: 1 }])
    expect(valuesOf(again).filter((value) => typeof value === 'number')).toEqual([0, 2])
    expect(readdirSync(directory)).toContain(`${file}.damaged`)
  })
})

function writeVersion(version: number): void {
  const db = new DatabaseSync(join(directory, 'journal.db'))
  db.prepare("UPDATE meta SET value = ? WHERE key = 'version'").run(String(version))
  db.close()
}

describe('a journal of another version', () => {
  it('is refused with what opens it and what another directory would lose, and stays as it is', async () => {
    const journal = open()
    await journal.append([sample(journal.tagId('a', 'x', 'double'), 7)])
    await journal.close()
    writeVersion(3)
    expect(open).toThrow(
      `The journal in ${directory} is of version 3, this program reads version 2. Start a newer Andon, which wrote it, ` +
        "until its page shows 0 samples waiting for the cloud; or name another 'data' in edge.yaml: values that the cloud " +
        'has not acknowledged stay in the old directory and do not reach it.',
    )
    writeVersion(0)
    expect(open).toThrow('Start an older Andon')
    writeVersion(2)
    const again = open()
    expect([again.epoch, valuesOf(again)]).toEqual([journal.epoch, [7]])
  })
})

describe('a segment of version 1', () => {
  it('is read as it is', async () => {
    const journal = open()
    const a = journal.tagId('a', 'x', 'double')
    await journal.append([sample(a, 1), sample(a, 2, now + 1)])
    await journal.append([sample(a, 3, now + 2)])
    await journal.close()
    const file = readdirSync(directory).find((name) => name.startsWith('segment-'))!
    const db = new DatabaseSync(join(directory, file))
    db.exec('ALTER TABLE records DROP COLUMN last; ALTER TABLE summary RENAME COLUMN form TO reduced')
    const rewrite = db.prepare('UPDATE records SET data = ?, crc = ? WHERE first = ?')
    const put = (first: number, samples: TagSample[]) => {
      const data = packSamples(samples)
      rewrite.run(data, crc32(data, first * 31 + samples.length * 7), first)
    }
    put(1, [sample(a, 1), sample(a, 2, now + 1)])
    put(3, [sample(a, 3, now + 2)])
    db.close()
    writeVersion(1)
    const again = open()
    expect(valuesOf(again)).toEqual([1, 2, 3])
    now += 3
    expect(await again.append([sample(a, 4)])).toEqual({ first: 4n, last: 4n })
    expect(again.read(2n, 1)[0]).toMatchObject({ first: 1n, last: 2n })
  })
})

describe('a packed record', () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
  )
  const samples = fc
    .array(
      fc.record({
        tagId: fc.integer({ min: 1, max: 1_000_000 }),
        sourceAt: fc.integer({ min: 0, max: 4e12 }),
        value,
        quality: fc.constantFrom(192 as const, 64 as const, 0 as const),
      }),
      { maxLength: 60 },
    )
    .map((list) => list.toSorted((a, b) => a.sourceAt - b.sourceAt))

  it('comes back as it went', () => {
    fc.assert(
      fc.property(samples, (list) => {
        expect(unpackSamples(packSamples(list))).toEqual(list)
      }),
      { numRuns: 500 },
    )
  })

  const block = fc
    .array(fc.record({ samples: samples.filter((list) => list.length > 0), isLive: fc.boolean(), step: fc.nat(3) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => {
      let next = 77n
      return parts.map(({ samples: list, isLive }) => {
        const first = next
        next += BigInt(list.length)
        return { class: isLive ? ('live' as const) : ('backfill' as const), first, samples: list }
      })
    })

  it.each(['arrival', 'by-tag'] as const)('comes back from a block in the order %s as it went', (order) => {
    fc.assert(
      fc.property(block, (records) => {
        expect(unpackBlock(77n, packBlock(records, order))).toEqual(records)
      }),
      { numRuns: 300 },
    )
  })

  it.each(['arrival', 'by-tag'] as const)('keeps the offsets of a thinned block in the order %s', (order) => {
    const steps = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 500, maxLength: 500 })
    fc.assert(
      fc.property(block, steps, (records, gaps) => {
        let offset = 76n
        let i = 0
        const thinned = records.map((record) => {
          const offsets = record.samples.map(() => (offset += BigInt(gaps[i++ % gaps.length]!)))
          return { ...record, first: offsets[0]!, offsets }
        })
        expect(unpackBlock(thinned[0]!.first, packBlock(thinned, order))).toEqual(thinned)
      }),
      { numRuns: 100 },
    )
  })

  it('of a decimal number comes back as the very same number, double or of 32 bits', () => {
    const number = fc
      .tuple(fc.integer(), fc.integer({ min: 0, max: 7 }), fc.boolean())
      .map(([whole, k, isSingle]) => (isSingle ? Math.fround(whole / 10 ** k) : whole / 10 ** k))
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), (values) => {
        const list = values.map((value, i) => sample(1 + (i % 3), value, 1000 + i))
        const records = [{ class: 'live' as const, first: 1n, samples: list }]
        const back = unpackBlock(1n, packBlock(records, 'by-tag'))[0]!.samples.map(({ value }) => value)
        expect(back.every((value, i) => Object.is(value, values[i]))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
