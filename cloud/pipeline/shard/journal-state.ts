import { type OffsetRange, RangeSet } from '#shared/sparkplug/range-set.ts'
import type { EdgeRef } from '../contract.ts'

/** A journal among those of all edges. */
export interface JournalName extends EdgeRef {
  readonly epoch: bigint
}

/** What the host knows of one journal (one epoch) of an edge: which offsets it has, and which of them are on disk. */
export class JournalState {
  readonly epoch: bigint
  /** What history calls it; one object for as long as the journal is known. */
  readonly name: JournalName
  /** Oldest offset that the edge still waits for, as its last NBIRTH said. */
  first = 1n
  /** Newest offset that the edge has accepted, as far as anybody told. */
  newest = 0n
  /** Committed in history. */
  readonly committed: RangeSet
  /** Committed, or on the way to it: a sample that is in here is not taken again. */
  #taken: RangeSet

  constructor(name: JournalName, committed = new RangeSet()) {
    this.name = name
    this.epoch = name.epoch
    this.committed = committed
    this.#taken = RangeSet.parse(committed.serialise())
  }

  /** True when the sample at this offset is in history or on the way. */
  has(offset: bigint): boolean {
    return this.#taken.has(offset)
  }

  /** Offsets of first to last that are not here. */
  missing(first: bigint, last: bigint): OffsetRange[] {
    return last < first ? [] : this.#taken.missing(first, last)
  }

  /** Notes that offsets are on the way to history. */
  take(first: bigint, last: bigint): void {
    this.#taken.add(first, last)
    if (last > this.newest) this.newest = last
  }

  /** Notes that offsets are on disk. */
  commit(ranges: RangeSet): void {
    this.committed.merge(ranges)
  }

  /** Forgets what was on the way: a commit failed, and `committed` is what history says now. */
  rollBack(committed: RangeSet): void {
    this.committed.merge(committed)
    this.#taken = RangeSet.parse(this.committed.serialise())
  }

  /** End of the unbroken committed range that starts at the oldest unacknowledged offset; `first` − 1 when it is missing. */
  committedEnd(): bigint {
    return this.committed.endFrom(this.first)
  }
}
