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
