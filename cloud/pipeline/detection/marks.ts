import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { OffsetRange } from './contract.ts'

/** Ranges as they stand in a jsonb column: offsets as text, because they outgrow a JSON number. */
export type StoredRanges = readonly (readonly [first: string, last: string])[]

const stored = (set: RangeSet): StoredRanges => set.ranges.map(({ first, last }) => [String(first), String(last)])

function rangeSet(ranges: StoredRanges): RangeSet {
  const set = new RangeSet()
  for (const [first, last] of ranges) set.add(BigInt(first), BigInt(last))
  return set
}

/** Offsets of an edge's journals: those that were evaluated, and those whose evaluation is committed. */
export class Marks {
  readonly #evaluated: Map<bigint, RangeSet>
  readonly #committed: Map<bigint, RangeSet>
  readonly #moved = new Set<bigint>()
  /** Of journals of which nothing was evaluated: the offset before the first that will come. */
  readonly #begins = new Map<bigint, bigint>()

  /** Goes on from the ranges that were committed before, by epoch. */
  constructor(restored: ReadonlyMap<bigint, StoredRanges>) {
    this.#evaluated = new Map([...restored].map(([epoch, ranges]) => [epoch, rangeSet(ranges)]))
    this.#committed = new Map([...restored].map(([epoch, ranges]) => [epoch, rangeSet(ranges)]))
  }

  /** True when some offset of the range was evaluated before. */
  overlaps({ epoch, first, last }: OffsetRange): boolean {
    const missing = this.#of(epoch).missing(first, last)
    return missing.length !== 1 || missing[0]?.first !== first || missing[0].last !== last
  }

  /** True when the range goes on where the newest one ended, or is the first of its journal as far as is known. */
  isNext({ epoch, first }: OffsetRange): boolean {
    const begin = this.#begins.get(epoch)
    return this.#of(epoch).isNext(first) && (begin === undefined || first <= begin + 1n)
  }

  /** The oldest offset of a journal that the edge still has: what comes ahead of it is not the first. */
  begin(epoch: bigint, first: bigint): void {
    if (this.#of(epoch).isEmpty) this.#begins.set(epoch, first - 1n)
  }

  /** True when nothing is known of this journal, but something of another one. */
  isOther(epoch: bigint): boolean {
    return this.#of(epoch).isEmpty && [...this.#evaluated.values()].some(({ isEmpty }) => !isEmpty)
  }

  isEvaluated(epoch: bigint, offset: bigint): boolean {
    return this.#of(epoch).has(offset)
  }

  /** The newest offset evaluated of a journal, or the one before its first; undefined when neither is known. */
  newest(epoch: bigint): bigint | undefined {
    return this.#of(epoch).ranges.at(-1)?.last ?? this.#begins.get(epoch)
  }

  /** True when every offset of first to last was evaluated. */
  hasAll(epoch: bigint, first: bigint, last: bigint): boolean {
    return this.#of(epoch).hasAll(first, last)
  }

  add({ epoch, first, last }: OffsetRange): void {
    this.#of(epoch).add(first, last)
    this.#begins.delete(epoch)
    this.#moved.add(epoch)
  }

  /** Ranges by epoch that changed since the last call. */
  take(): ReadonlyMap<bigint, StoredRanges> {
    const taken = new Map([...this.#moved].map((epoch) => [epoch, stored(this.#of(epoch))]))
    this.#moved.clear()
    return taken
  }

  committed(taken: ReadonlyMap<bigint, StoredRanges>): void {
    for (const [epoch, ranges] of taken) this.#committed.set(epoch, rangeSet(ranges))
  }

  /** End of the first unbroken committed range from `from` on; `from` - 1 when there is none. */
  end(epoch: bigint, from: bigint): bigint {
    return this.#committed.get(epoch)?.endFrom(from) ?? from - 1n
  }

  #of(epoch: bigint): RangeSet {
    const known = this.#evaluated.get(epoch)
    if (known) return known
    const set = new RangeSet()
    this.#evaluated.set(epoch, set)
    return set
  }
}
