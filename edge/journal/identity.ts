import type { TagSample } from '#edge/model.ts'
import type { JournalCounters } from './journal.ts'

/** Counters while they count. */
export type Counting = { -readonly [K in keyof JournalCounters]: number }

interface LastSample {
  /** Source time as it was read, and as it was journaled. */
  readonly readAt: number
  readonly at: number
  readonly value: TagSample['value']
  readonly quality: TagSample['quality']
}

/**
 * Keeps the identity of a point: no tag has two samples of one millisecond. In one commit the later sample replaces the
 * earlier; against the tag's last journaled sample a different one moves on by 1 ms and an equal one is dropped.
 */
export interface Identity {
  /** The samples of one commit that are to be journaled, each with its final source time. Then confirm() or forget(). */
  admit(samples: readonly TagSample[], counters: Counting): TagSample[]
  /** What was admitted is on disk. */
  confirm(): void
  /** What was admitted is not on disk. */
  forget(): void
  /** Tells what an earlier run journaled last; older than known is ignored. */
  remember(sample: TagSample): void
}

export function createIdentity(): Identity {
  const last = new Map<number, LastSample>()
  const admitted = new Map<number, LastSample>()
  return {
    admit: (samples, counters) => {
      const kept: TagSample[] = []
      for (const sample of latestOfEach(samples, counters)) {
        const placed = place(sample, admitted.get(sample.tagId) ?? last.get(sample.tagId), counters)
        if (!placed) continue
        kept.push(placed)
        const { tagId, sourceAt: at, value, quality } = placed
        admitted.set(tagId, { readAt: sample.sourceAt, at, value, quality })
      }
      return kept
    },
    confirm: () => {
      for (const [tagId, sample] of admitted) last.set(tagId, sample)
      admitted.clear()
    },
    forget: () => admitted.clear(),
    remember: ({ tagId, sourceAt: at, value, quality }) => {
      if (!last.has(tagId)) last.set(tagId, { readAt: at, at, value, quality })
    },
  }
}

/** Of samples of one tag and millisecond only the last, all in source time order. */
function latestOfEach(samples: readonly TagSample[], counters: Counting): TagSample[] {
  const byTag = new Map<number, TagSample[]>()
  for (const sample of samples) {
    const own = byTag.get(sample.tagId)
    if (!own) byTag.set(sample.tagId, [sample])
    else insert(own, sample, counters)
  }
  return [...byTag.values()].flat().sort((a, b) => a.sourceAt - b.sourceAt)
}

function insert(own: TagSample[], sample: TagSample, counters: Counting): void {
  const at = own.findLastIndex((other) => other.sourceAt <= sample.sourceAt)
  if (own[at]?.sourceAt === sample.sourceAt) {
    own[at] = sample
    counters.replaced += 1
    return
  }
  own.splice(at + 1, 0, sample)
}

function place(sample: TagSample, last: LastSample | undefined, counters: Counting): TagSample | undefined {
  if (!last || sample.sourceAt > last.at || sample.sourceAt < last.readAt) return sample
  if (Object.is(sample.value, last.value) && sample.quality === last.quality) {
    counters.repeated += 1
    return undefined
  }
  counters.shifted += 1
  return { ...sample, sourceAt: last.at + 1 }
}
