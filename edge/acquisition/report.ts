import type { TagSample } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'

/** Decides which samples are worth reporting: a change beyond the deadband, another quality, or a heartbeat. */
export interface Reporter {
  /** True when this sample is to be reported; it is then what the next one is compared with. */
  accept(sample: TagSample): boolean
  /** The last report did not reach the journal: the next sample is reported whatever it says. */
  forget(tagId: number): void
}

/** `deadbands` by tag id, in the tag's unit; a tag that has none reports every change. `heartbeatMs` 0: no heartbeat. */
export function createReporter(deadbands: ReadonlyMap<number, number>, heartbeatMs: number): Reporter {
  const last = new Map<number, TagSample>()
  const isDue = (before: TagSample, sample: TagSample) =>
    heartbeatMs > 0 && sample.sourceAt - before.sourceAt >= heartbeatMs
  return {
    accept(sample) {
      const before = last.get(sample.tagId)
      const deadband = deadbands.get(sample.tagId) ?? 0
      if (before && !hasChanged(before, sample, deadband) && !isDue(before, sample)) return false
      last.set(sample.tagId, sample)
      return true
    },
    forget: (tagId) => {
      last.delete(tagId)
    },
  }
}

function hasChanged(before: TagSample, sample: TagSample, deadband: number): boolean {
  if (before.quality !== sample.quality) return true
  if (typeof before.value === 'number' && typeof sample.value === 'number' && deadband > 0)
    return Math.abs(sample.value - before.value) > deadband
  return before.value !== sample.value
}

/** The deadband of a tag in its own unit; 0 when it has none. */
export function deadbandOf({ deadband, range }: ProfileTag): number {
  if (!deadband) return 0
  if ('absolute' in deadband) return deadband.absolute
  return range ? (Math.abs(range[1] - range[0]) * deadband.percent) / 100 : 0
}
