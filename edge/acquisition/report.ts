import type { TagSample } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { createTagColumns, type TagColumns } from './tag-columns.ts'

/** Decides which samples are worth reporting: a change beyond the deadband, another quality, or a heartbeat. */
export interface Reporter {
  /** True when this sample is to be reported; it is then what the next one is compared with. */
  accept(sample: TagSample): boolean
  /** The last report did not reach the journal: the next sample is reported whatever it says. */
  forget(tagId: number): void
}

/** `deadbands` of every tag by id, in the tag's unit; 0 reports every change. `heartbeatMs` 0: no heartbeat. */
export function createReporter(deadbands: ReadonlyMap<number, number>, heartbeatMs: number): Reporter {
  const last = createTagColumns([...deadbands.keys()])
  const bands = [...deadbands.values()].some((band) => band > 0) ? deadbands : new Map<number, number>()
  const isDue = ({ tagId, sourceAt }: TagSample) => heartbeatMs > 0 && sourceAt - last.sourceAtOf(tagId) >= heartbeatMs
  return {
    accept(sample) {
      if (last.has(sample.tagId) && !hasChanged(last, sample, bands.get(sample.tagId) ?? 0) && !isDue(sample))
        return false
      last.set(sample)
      return true
    },
    forget: last.delete,
  }
}

function hasChanged(last: TagColumns, sample: TagSample, deadband: number): boolean {
  if (deadband === 0 || last.qualityOf(sample.tagId) !== sample.quality) return !last.isSame(sample)
  const difference = Math.abs(Number(sample.value) - last.numberOf(sample.tagId))
  return Number.isNaN(difference) || typeof sample.value !== 'number' ? !last.isSame(sample) : difference > deadband
}

/** The deadband of a tag in its own unit; 0 when it has none. */
export function deadbandOf({ deadband, range }: ProfileTag): number {
  if (!deadband) return 0
  if ('absolute' in deadband) return deadband.absolute
  return range ? (Math.abs(range[1] - range[0]) * deadband.percent) / 100 : 0
}
