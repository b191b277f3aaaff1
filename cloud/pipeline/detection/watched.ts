import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Machine } from './machine.ts'
import type { PointSlot } from './work.ts'

/** One tag that something watches; its position is the number by which its samples come. */
export interface WatchedTag {
  readonly device: string
  readonly name: string
  points: readonly PointSlot[]
  machine: Machine | undefined
  newestAt: number
  /** See Gaps.generation. */
  notedAt: number
}

/** A device whose tags are watched. */
export interface WatchedDevice {
  isDead: boolean
  profile: DeviceProfile | undefined
  machine: Machine | undefined
}

/**
 * Time up to which every point of a tag, and its machine, has seen its samples; each knows by itself what it saw beyond. They
 * may differ after a restart, because they are not committed at one moment.
 */
export function leastSeen({ points, machine }: WatchedTag): number {
  const seen = points.map(({ valueAt }) => valueAt)
  if (machine) seen.push(machine.memory()?.valueAt ?? null)
  return seen.length === 0 ? Number.NEGATIVE_INFINITY : Math.min(...seen.map((at) => at ?? Number.NEGATIVE_INFINITY))
}

/** The tags of an edge that something watches, by number and by name. */
export class WatchList {
  readonly #tags: WatchedTag[] = []
  readonly #numbers = new Map<string, number>()

  all(): Iterable<WatchedTag> {
    return this.#tags
  }

  at(number: number): WatchedTag | undefined {
    return this.#tags[number]
  }

  /** -1 when nothing watches it. */
  number(device: string, tag: string): number {
    return this.#numbers.get(`${device}/${tag}`) ?? -1
  }

  /** The tag, which is watched from now on. */
  of(device: string, tag: string): WatchedTag {
    const known = this.#tags[this.number(device, tag)]
    if (known) return known
    const watched: WatchedTag = {
      ...{ device, name: tag, points: [], machine: undefined },
      ...{ newestAt: Number.NEGATIVE_INFINITY, notedAt: 0 },
    }
    this.#numbers.set(`${device}/${tag}`, this.#tags.length)
    this.#tags.push(watched)
    return watched
  }

  /** Nothing watches the tags of the device any more; they keep their numbers. */
  forget(device: string): void {
    for (const tag of this.#tags) if (tag.device === device) Object.assign(tag, { points: [], machine: undefined })
  }
}
