import type { TagSample } from '#edge/model.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import type { JournalRecord } from './journal.ts'

/**
 * Samples that stay between two gap records. The host frees the journal up to a gap only when it has all that stayed
 * before it, so few may be on their way at once.
 */
const KEPT_PER_GAP = 4000

export interface ThinningOptions {
  readonly gapTag: number
  /** Gateway time in ms. */
  readonly now: number
  /** What the host has needs no more telling. */
  readonly after: bigint
  /** Takes the records that stay, in the order of their offsets. */
  readonly put: (record: JournalRecord) => void
}

/** Leaves samples out of records, in the order of offsets, and covers them by gap records. */
export interface Thinning {
  /** A record of samples, or of alarm events and gaps, which stay. `isKept` tells of sample k. */
  take(record: JournalRecord, isKept: (k: number) => boolean): void
  end(): void
  readonly leftOut: number
}

export function createThinning(options: ThinningOptions): Thinning {
  return new GapWriter(options)
}

/**
 * A gap record takes the offset of the last sample that it covers, so that it stands behind all that stayed before it and
 * the file says everything by itself. What stays behind that sample belongs to the next gap.
 */
class GapWriter implements Thinning {
  leftOut = 0
  readonly #options: ThinningOptions
  /** What stays and was not put yet. */
  #kept: JournalRecord[] = []
  #keptCount = 0
  #first = 0n
  #last = 0n
  #next = 0n
  #count = 0
  #firstTime = 0
  #lastTime = 0

  constructor(options: ThinningOptions) {
    this.#options = options
  }

  take(record: JournalRecord, isKept: (k: number) => boolean): void {
    if (record.first !== this.#next || record.device === undefined) this.end()
    if (record.device !== undefined) this.#split(record, isKept)
    else if (record.last > this.#options.after) this.#options.put(record)
    this.#next = record.last + 1n
  }

  end(): void {
    this.#tell()
    for (const record of this.#kept.splice(0)) this.#options.put(record)
    this.#keptCount = 0
  }

  #split(record: JournalRecord, isKept: (k: number) => boolean): void {
    let part: Part = { samples: [], offsets: [] }
    const endPart = () => {
      this.#keep(record, part)
      part = { samples: [], offsets: [] }
    }
    for (const [k, sample] of record.samples.entries()) {
      const offset = record.offsets?.[k] ?? record.first + BigInt(k)
      if (offset <= this.#options.after) continue
      if (isKept(k)) {
        part.samples.push(sample)
        part.offsets.push(offset)
        continue
      }
      this.#leaveOut(offset, sample.sourceAt)
      if (this.#keptCount + part.samples.length < KEPT_PER_GAP) continue
      endPart()
      this.#tell()
    }
    endPart()
  }

  #keep(record: JournalRecord, { samples, offsets }: Part): void {
    const [first, last] = [offsets[0], offsets.at(-1)]
    if (first === undefined || last === undefined) return
    this.#kept.push({ ...record, first, last, samples, offsets })
    this.#keptCount += samples.length
  }

  #leaveOut(offset: bigint, sourceAt: number): void {
    const isFirst = this.#count === 0
    if (isFirst) this.#first = offset
    this.#firstTime = isFirst ? sourceAt : Math.min(this.#firstTime, sourceAt)
    this.#lastTime = isFirst ? sourceAt : Math.max(this.#lastTime, sourceAt)
    this.#last = offset
    this.#count += 1
  }

  /** Puts what stays before the last sample left out, then the gap record in its place. */
  #tell(): void {
    if (this.#count === 0) return
    const kept = this.#kept.splice(0)
    this.#keptCount = 0
    for (const record of kept) {
      const [before, behind] = splitAt(record, this.#last)
      if (before) this.#options.put(before)
      if (behind) this.#keep(behind, behind)
    }
    this.#options.put(this.#gapRecord(this.#first))
    this.leftOut += this.#count
    this.#count = 0
  }

  #gapRecord(first: bigint): JournalRecord {
    const range = { first: String(first), last: String(this.#last), count: this.#count }
    const times = { firstTime: this.#firstTime, lastTime: this.#lastTime }
    const value = JSON.stringify({ ...range, cause: 'thinned', ...times })
    const { gapTag, now } = this.#options
    return {
      first: this.#last,
      last: this.#last,
      class: 'backfill',
      device: undefined,
      samples: [{ tagId: gapTag, sourceAt: now, value, quality: GOOD }],
    }
  }
}

interface Part {
  readonly samples: TagSample[]
  readonly offsets: bigint[]
}

/** The samples of a record before an offset, and those behind it. */
function splitAt(
  record: JournalRecord,
  offset: bigint,
): [JournalRecord | undefined, (JournalRecord & Part) | undefined] {
  const offsets = [...(record.offsets ?? [])]
  const at = offsets.findIndex((own) => own > offset)
  if (at === 0) return [undefined, partOf(record, offsets, 0, offsets.length)]
  if (at < 0) return [record, undefined]
  return [partOf(record, offsets, 0, at), partOf(record, offsets, at, offsets.length)]
}

function partOf(record: JournalRecord, offsets: readonly bigint[], from: number, to: number): JournalRecord & Part {
  const own = offsets.slice(from, to)
  const [first, last] = [own[0] ?? 0n, own.at(-1) ?? 0n]
  return { ...record, first, last, samples: record.samples.slice(from, to), offsets: own }
}
