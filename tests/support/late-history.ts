import type { DetectionEdge, LateHistory, OffsetRange } from '#cloud/pipeline/detection/index.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'

/** A value as history keeps it. */
export interface KeptSample {
  readonly path: string
  readonly at: number
  readonly value: Scalar
  readonly quality: Quality
}

/** Stored values in memory, for tests that run detection without the rest of the pipeline. */
export interface MemoryHistory extends LateHistory {
  keep(edge: Pick<DetectionEdge, 'group' | 'edge'>, range: OffsetRange, samples: readonly KeptSample[]): void
}

/** A history that is empty. */
export function memoryHistory(): MemoryHistory {
  const ranges = new Map<string, RangeSet>()
  const values = new Map<string, Map<number, KeptSample>>()
  const keyOf = ({ group, edge }: Pick<DetectionEdge, 'group' | 'edge'>, epoch: bigint) => `${group}/${edge}/${epoch}`
  return {
    keep(edge, { epoch, first, last }, samples) {
      const key = keyOf(edge, epoch)
      const set = ranges.get(key) ?? new RangeSet()
      set.add(first, last)
      ranges.set(key, set)
      for (const sample of samples) {
        const tag = values.get(sample.path) ?? new Map<number, KeptSample>()
        tag.set(sample.at, sample)
        values.set(sample.path, tag)
      }
    },
    hasAll: (edge, { epoch, first, last }) => ranges.get(keyOf(edge, epoch))?.hasAll(first, last) ?? false,
    async read({ path, from, to, limit }) {
      const found = [...(values.get(path)?.values() ?? [])].filter(({ at }) => at >= from && at < to)
      return found.sort((a, b) => a.at - b.at).slice(0, limit)
    },
  }
}
