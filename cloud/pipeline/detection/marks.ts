import type { OffsetRange } from './contract.ts'
import { holds, type Ranges, touches, unbrokenEnd, withRange } from './ranges.ts'

/** Offsets of an edge's journals: those that were evaluated, and those whose evaluation is committed. */
export interface Marks {
  /** True when some offset of the range was evaluated before. */
  overlaps(range: OffsetRange): boolean
  isEvaluated(epoch: bigint, offset: bigint): boolean
  add(range: OffsetRange): void
  /** Ranges by epoch that changed since the last call. */
  take(): ReadonlyMap<bigint, Ranges>
  committed(taken: ReadonlyMap<bigint, Ranges>): void
  /** End of the first unbroken committed range from `from` on; `from` - 1 when there is none. */
  end(epoch: bigint, from: bigint): bigint
}

/** Goes on from the ranges that were committed before. */
export function createMarks(restored: ReadonlyMap<bigint, Ranges>): Marks {
  const evaluated = new Map(restored)
  const committed = new Map(restored)
  const moved = new Set<bigint>()
  const of = (ranges: ReadonlyMap<bigint, Ranges>, epoch: bigint) => ranges.get(epoch) ?? []
  return {
    overlaps: ({ epoch, first, last }) => touches(of(evaluated, epoch), first, last),
    isEvaluated: (epoch, offset) => holds(of(evaluated, epoch), offset),
    add({ epoch, first, last }) {
      evaluated.set(epoch, withRange(of(evaluated, epoch), first, last))
      moved.add(epoch)
    },
    take() {
      const taken = new Map([...moved].map((epoch) => [epoch, of(evaluated, epoch)]))
      moved.clear()
      return taken
    },
    committed(taken) {
      for (const [epoch, ranges] of taken) committed.set(epoch, ranges)
    },
    end: (epoch, from) => unbrokenEnd(of(committed, epoch), from),
  }
}
