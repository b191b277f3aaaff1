import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type Journal, JournalFullError, type JournalRecord, openJournal } from '#edge/journal/index.ts'
import type { TagSample } from '#edge/model.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import { silentLog } from '#shared/log/log.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'

const disk = mkdtempSync(join(tmpdir(), 'full-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'andon-test', disk])
const isMounted = mounted.status === 0

afterAll(() => {
  if (isMounted) spawnSync('umount', ['-l', disk])
  rmdirSync(disk)
})

/** Only root may mount a disk of its own; without one nothing here could be said of a full disk. */
describe.skipIf(!isMounted)(`a full disk${isMounted ? '' : ' (needs the right to mount a tmpfs)'}`, () => {
  const directory = join(disk, 'journal')
  const ballast = join(directory, 'ballast')
  const stranger = join(disk, 'stranger')
  let journal: Journal
  let at = Date.now() - 86_400_000
  const accepted = { samples: 0, alarms: [] as string[] }

  const open = (config: { minFreeMb?: number; thinSeconds?: number } = {}) => {
    const fixed = { commitSpacingMs: 0, ballastMb: 4, segmentMb: 2, minFreeMb: 0, thinSeconds: 0, ...config }
    journal = openJournal({ directory, config: fixed, clock: { now: () => Date.now() }, log: silentLog })
    return journal
  }
  afterEach(async () => {
    await journal.close()
    rmSync(directory, { recursive: true })
    rmSync(stranger, { force: true })
    Object.assign(accepted, { samples: 0, alarms: [] })
  })

  /** Fills what is left of the disk, as the log of some other program would. */
  function fillDisk(): void {
    const handle = openSync(stranger, 'w')
    const block = Buffer.alloc(64 * 1024)
    try {
      for (;;) if (writeSync(handle, block) < block.length) return
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
    } finally {
      closeSync(handle)
    }
  }

  async function append(tag: number): Promise<boolean> {
    const samples = Array.from({ length: 1000 }, (_, k): TagSample => {
      return { tagId: tag, sourceAt: at + k, value: Math.random(), quality: 192 }
    })
    try {
      await journal.append(samples, 'backfill')
    } catch (error) {
      expect(error).toBeInstanceOf(JournalFullError)
      return false
    }
    at += 1000
    accepted.samples += samples.length
    return true
  }
  async function alarm(): Promise<void> {
    const text = JSON.stringify({ alarm: accepted.alarms.length })
    await journal.appendAlarmEvent(text, Date.now())
    accepted.alarms.push(text)
  }

  /** All that was accepted is there or in a gap that says how many are missing; every alarm event is there. */
  function expectAccounted(): void {
    const records: JournalRecord[] = journal.read(1n, 100_000)
    const covered = new RangeSet()
    for (const { first, last, offsets } of records) {
      for (const offset of offsets ?? []) covered.add(offset, offset)
      if (!offsets) covered.add(first, last)
    }
    const texts = records.flatMap(({ device, samples }) => (device ? [] : samples.map(({ value }) => String(value))))
    const gaps = texts.filter((text) => text.includes('"cause"')).map((text) => JSON.parse(text) as GapRecord)
    for (const { first, last } of gaps) covered.add(BigInt(first), BigInt(last))
    const held = records.reduce((sum, { device, samples }) => sum + (device ? samples.length : 0), 0)
    const given = gaps.reduce((sum, { count }) => sum + count, 0)
    expect(held + given).toBe(accepted.samples)
    expect(covered.ranges).toEqual([{ first: 1n, last: journal.newest }])
    expect(texts.filter((text) => text.includes('"alarm"'))).toEqual(accepted.alarms)
  }

  it('costs the ballast first, then the oldest samples as a gap, and no alarm event', async () => {
    const tag = open().tagId('meter-1', 'power', 'double')
    const steps: string[] = []
    const look = () => {
      const seen = `${existsSync(ballast) ? 'ballast' : 'no ballast'}, ${journal.status().counters.discarded > 0 ? 'gap' : 'no gap'}`
      if (steps.at(-1) !== seen) steps.push(seen)
    }
    for (let i = 0; i < 6000 && steps.length < 2; i++) {
      expect(await append(tag)).toBe(true)
      if (i % 50 === 0) await alarm()
      look()
    }
    for (let i = 0; i < 300; i++) expect(await append(tag)).toBe(true)
    expect(steps[0]).toBe('ballast, no gap')
    expect(journal.status().counters.discarded).toBeGreaterThan(0)
    expectAccounted()
  })

  it('that somebody else filled refuses samples and says so, and takes them again when there is room', async () => {
    const tag = open().tagId('meter-1', 'power', 'double')
    for (let i = 0; i < 500; i++) expect(await append(tag)).toBe(true)
    await alarm()
    let refused = 0
    for (let i = 0; i < 3000 && refused < 3; i++) {
      fillDisk()
      if (!(await append(tag))) refused += 1
    }
    expect(refused).toBe(3)
    rmSync(stranger)
    await alarm()
    for (let i = 0; i < 200; i++) expect(await append(tag)).toBe(true)
    expectAccounted()
    await journal.close()
    open()
    expect(existsSync(ballast)).toBe(true)
    expectAccounted()
  })

  it('is not reached where the disk may not get scarce: the oldest samples are thinned before', async () => {
    const tag = open({ minFreeMb: 8, thinSeconds: 60 }).tagId('meter-1', 'power', 'double')
    for (let i = 0; i < 3000 && journal.status().counters.thinned === 0; i++) expect(await append(tag)).toBe(true)
    await alarm()
    expect(journal.status().counters).toMatchObject({ discarded: 0, thinned: expect.any(Number) })
    expect(existsSync(ballast)).toBe(true)
    expectAccounted()
  })
})
