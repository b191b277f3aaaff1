import type { TagSample } from '#edge/model.ts'

/** Which of many numbered things are marked, one bit each. */
export interface Marks {
  add(index: number): void
  has(index: number): boolean
}

function createMarks(): Marks {
  let bits = new Uint8Array(1024)
  return {
    add: (index) => {
      const at = index >> 3
      if (at >= bits.length) {
        const grown = new Uint8Array(Math.max(bits.length * 2, at + 1))
        grown.set(bits)
        bits = grown
      }
      bits[at] = (bits[at] ?? 0) | (1 << (index & 7))
    },
    has: (index) => ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0,
  }
}

/** Numbers of the samples of one tag and interval that stay; −1: none yet. */
interface Interval {
  readonly number: number
  lowest: number
  lowestValue: number
  highest: number
  highestValue: number
  /** First and last without a value: a time in which nothing was known must not vanish. */
  firstBad: number
  lastBad: number
  last: number
}

/**
 * Chooses what stays of a stretch of samples: of each tag and interval the lowest, the highest and the last value, and the
 * first and the last that has none. No extreme is lost, and never more than five samples stay.
 */
export interface Thinner {
  /** Samples in any order of tags, each tag's in the order of its times; `index` counts them all. */
  note(sample: TagSample, index: number): void
  /** The samples that stay, when all were noted. */
  finish(): Marks
}

/** Thins to intervals of so many ms, counted from 1970. */
export function createThinner(intervalMs: number): Thinner {
  const kept = createMarks()
  const open = new Map<number, Interval>()
  return {
    note: (sample, index) => {
      const number = Math.floor(sample.sourceAt / intervalMs)
      let interval = open.get(sample.tagId)
      if (interval?.number !== number) {
        if (interval) keep(kept, interval)
        interval = emptyInterval(number)
        open.set(sample.tagId, interval)
      }
      take(interval, sample, index)
    },
    finish: () => {
      for (const interval of open.values()) keep(kept, interval)
      return kept
    },
  }
}

const emptyInterval = (number: number): Interval => ({
  number,
  lowest: -1,
  lowestValue: Number.POSITIVE_INFINITY,
  highest: -1,
  highestValue: Number.NEGATIVE_INFINITY,
  firstBad: -1,
  lastBad: -1,
  last: -1,
})

function take(interval: Interval, { value, quality }: TagSample, index: number): void {
  interval.last = index
  if (value === null || quality === 0) {
    if (interval.firstBad < 0) interval.firstBad = index
    interval.lastBad = index
    return
  }
  const size = typeof value === 'string' ? Number.NaN : Number(value)
  if (size < interval.lowestValue || interval.lowest < 0) {
    interval.lowest = index
    interval.lowestValue = size
  }
  if (size > interval.highestValue || interval.highest < 0) {
    interval.highest = index
    interval.highestValue = size
  }
}

function keep(kept: Marks, { lowest, highest, firstBad, lastBad, last }: Interval): void {
  for (const index of [lowest, highest, firstBad, lastBad, last]) if (index >= 0) kept.add(index)
}
