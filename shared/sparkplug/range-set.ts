/** A run of offsets, both ends included. */
export interface OffsetRange {
  readonly first: bigint
  readonly last: bigint
}

/**
 * A set of offsets kept as merged, sorted ranges: what a host has committed, or what an edge has yet to send. Adding at
 * the end, the usual case, is constant time.
 */
export class RangeSet {
  #ranges: OffsetRange[] = []

  /** The ranges in order; no two of them touch. */
  get ranges(): readonly OffsetRange[] {
    return this.#ranges
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  /** Adds offsets first to last. @throws RangeError when last < first. */
  add(first: bigint, last: bigint): void {
    if (last < first) throw new RangeError(`Range ${first} to ${last} is empty`)
    const end = this.#ranges.at(-1)
    if (end && first === end.last + 1n) {
      this.#ranges[this.#ranges.length - 1] = { first: end.first, last }
      return
    }
    const from = this.#lowest((range) => range.last + 1n >= first)
    let to = from
    let merged: OffsetRange = { first, last }
    for (let range = this.#ranges[to]; range && range.first <= merged.last + 1n; range = this.#ranges[++to]) {
      merged = { first: min(range.first, merged.first), last: max(range.last, merged.last) }
    }
    this.#ranges.splice(from, to - from, merged)
  }

  /** Takes offsets first to last out, where they are in. */
  remove(first: bigint, last: bigint): void {
    const from = this.#lowest((range) => range.last >= first)
    const left: OffsetRange[] = []
    let to = from
    for (let range = this.#ranges[to]; range && range.first <= last; range = this.#ranges[++to]) {
      if (range.first < first) left.push({ first: range.first, last: first - 1n })
      if (range.last > last) left.push({ first: last + 1n, last: range.last })
    }
    this.#ranges.splice(from, to - from, ...left)
  }

  has(offset: bigint): boolean {
    const range = this.#ranges[this.#lowest((candidate) => candidate.last >= offset)]
    return range !== undefined && range.first <= offset
  }

  /** True when `offset` comes right after the greatest that is in, or none is. */
  isNext(offset: bigint): boolean {
    const end = this.#ranges.at(-1)
    return end === undefined || offset === end.last + 1n
  }

  /** True when every offset of first to last is in. */
  hasAll(first: bigint, last: bigint): boolean {
    const range = this.#ranges[this.#lowest((candidate) => candidate.last >= first)]
    return range !== undefined && range.first <= first && range.last >= last
  }

  /** What of first to last is not in. */
  missing(first: bigint, last: bigint): OffsetRange[] {
    if (this.#isBeyond(first)) return last < first ? [] : [{ first, last }]
    const holes: OffsetRange[] = []
    let next = first
    for (let i = this.#lowest((range) => range.last >= first); next <= last; i++) {
      const range = this.#ranges[i]
      if (!range || range.first > last) break
      if (range.first > next) holes.push({ first: next, last: range.first - 1n })
      next = range.last + 1n
    }
    if (next <= last) holes.push({ first: next, last })
    return holes
  }

  /** End of the range that holds `offset`, that is, what may be acknowledged when all before it is; offset − 1 when it is not in. */
  endFrom(offset: bigint): bigint {
    const range = this.#ranges[this.#lowest((candidate) => candidate.last >= offset)]
    return range !== undefined && range.first <= offset ? range.last : offset - 1n
  }

  /** Adds all of another set. */
  merge(other: RangeSet): void {
    for (const range of other.ranges) this.add(range.first, range.last)
  }

  /** As text, `1-5,9-12`; empty for the empty set. */
  serialise(): string {
    return this.#ranges.map((range) => `${range.first}-${range.last}`).join(',')
  }

  /** Reads what serialise() wrote. @throws RangeError on any other text. */
  static parse(text: string): RangeSet {
    const set = new RangeSet()
    for (const part of text === '' ? [] : text.split(',')) {
      const match = /^(\d{1,20})-(\d{1,20})$/.exec(part)
      if (!match?.[1] || !match[2]) throw new RangeError(`"${part}" is not a range of offsets`)
      set.add(BigInt(match[1]), BigInt(match[2]))
    }
    return set
  }

  #isBeyond(offset: bigint): boolean {
    const end = this.#ranges.at(-1)
    return end === undefined || offset > end.last
  }

  /** Index of the first range that fulfils a condition which holds for all ranges after it too. */
  #lowest(holds: (range: OffsetRange) => boolean): number {
    const end = this.#ranges.at(-1)
    if (end && !holds(end)) return this.#ranges.length
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      const range = this.#ranges[middle]
      if (range && holds(range)) high = middle
      else low = middle + 1
    }
    return low
  }
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
