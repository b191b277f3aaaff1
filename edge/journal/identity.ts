import type { TagSample } from '#edge/model.ts'
import { mapped } from './conform.ts'
import type { JournalCounters } from './journal.ts'
import { LastSamples } from './last-samples.ts'

/** Counters while they count. */
export type Counting = { -readonly [K in keyof JournalCounters]: number }

/**
 * Keeps the identity of a point: no tag has two samples of one millisecond. In one commit the later sample replaces the
 * earlier; against the tag's last journaled sample a different one moves on by 1 ms and an equal one is dropped.
 */
export interface Identity {
  /** The samples of one commit that are to be journaled, each with its final source time. Then confirm() or forget(). */
  admit(samples: readonly TagSample[], counters: Counting): readonly TagSample[]
  /** What was admitted is on disk. */
  confirm(): void
  /** What was admitted is not on disk. */
  forget(): void
  /** Tells what an earlier run journaled last; older than known is ignored. */
  remember(sample: TagSample): void
}

export function createIdentity(): Identity {
  return new TagIdentity()
}

/** Tags are numbered from 1 on without holes, so that lists by number do for every sample what a Map does slower. */
class TagIdentity implements Identity {
  readonly #last = new LastSamples()
  /** Number of the commit that a tag last had a sample in. */
  readonly #commit: number[] = []
  #commits = 0
  #admitted: (readonly TagSample[])[] = []
  /** Source times as they were read, of samples admitted that were moved on. */
  readonly #moved = new Map<TagSample, number>()

  admit(samples: readonly TagSample[], counters: Counting): readonly TagSample[] {
    const repeated = this.#repeatedTags(samples)
    const admitted = repeated
      ? this.#admitWithRepeated(samples, repeated, counters)
      : mapped(samples, (sample) => this.#placeAfterLast(sample, counters))
    this.#admitted.push(admitted)
    return admitted
  }

  confirm(): void {
    const moved = this.#moved
    for (const samples of this.#admitted)
      for (const sample of samples)
        this.#last.set(sample, (moved.size > 0 ? moved.get(sample) : undefined) ?? sample.sourceAt)
    this.forget()
  }

  forget(): void {
    this.#admitted = []
    this.#moved.clear()
    this.#commits += 1
  }

  remember(sample: TagSample): void {
    if (Number.isNaN(this.#last.sourceAt(sample.tagId))) this.#last.set(sample, sample.sourceAt)
  }

  /** Tags with more than one sample in this commit; undefined when there is none. */
  #repeatedTags(samples: readonly TagSample[]): Set<number> | undefined {
    let repeated: Set<number> | undefined
    const mark = this.#commits + 1
    for (const { tagId } of samples) {
      if (this.#commit[tagId] === mark) {
        repeated ??= new Set()
        repeated.add(tagId)
      }
      this.#commit[tagId] = mark
    }
    return repeated
  }

  #admitWithRepeated(samples: readonly TagSample[], repeated: ReadonlySet<number>, counters: Counting): TagSample[] {
    const once = samples.filter(({ tagId }) => !repeated.has(tagId))
    const admitted = once.flatMap((sample) => this.#placeAfterLast(sample, counters) ?? [])
    const often = samples.filter(({ tagId }) => repeated.has(tagId))
    const latest = this.#admittedBefore(often)
    for (const sample of latestOfEach(often, counters)) {
      const before = latest.get(sample.tagId)
      const placed = before ? this.#placeAfter(sample, before, counters) : this.#placeAfterLast(sample, counters)
      if (!placed) continue
      latest.set(sample.tagId, placed)
      admitted.push(placed)
    }
    return admitted
  }

  /** What another class of this commit has of these samples' tags. */
  #admittedBefore(samples: readonly TagSample[]): Map<number, TagSample> {
    const latest = new Map<number, TagSample>()
    if (this.#admitted.length === 0) return latest
    const wanted = new Set(samples.map(({ tagId }) => tagId))
    for (const before of this.#admitted)
      for (const sample of before) if (wanted.has(sample.tagId)) latest.set(sample.tagId, sample)
    return latest
  }

  #placeAfterLast(sample: TagSample, counters: Counting): TagSample | undefined {
    const last = this.#last
    const lastAt = last.sourceAt(sample.tagId)
    // No sample of the tag yet: nothing is at most NaN.
    if (!(sample.sourceAt <= lastAt) || sample.sourceAt < last.readAt(sample.tagId)) return sample
    return this.#moveOn(sample, { lastAt, isSame: last.isSame(sample) }, counters)
  }

  #placeAfter(sample: TagSample, before: TagSample, counters: Counting): TagSample | undefined {
    const { sourceAt: lastAt, value, quality } = before
    const readAt = this.#moved.get(before) ?? lastAt
    if (sample.sourceAt > lastAt || sample.sourceAt < readAt) return sample
    return this.#moveOn(
      sample,
      { lastAt, isSame: Object.is(sample.value, value) && sample.quality === quality },
      counters,
    )
  }

  #moveOn(
    sample: TagSample,
    { lastAt, isSame }: { readonly lastAt: number; readonly isSame: boolean },
    counters: Counting,
  ): TagSample | undefined {
    if (isSame) {
      counters.repeated += 1
      return undefined
    }
    counters.shifted += 1
    const moved = { ...sample, sourceAt: lastAt + 1 }
    this.#moved.set(moved, sample.sourceAt)
    return moved
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
