import type { TagSample } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { createSwingingDoor, type SwingingDoor } from './swinging-door.ts'
import { createTagColumns, type TagColumns } from './tag-columns.ts'

/** How much a tag must change to be reported. */
export interface Band {
  /** In the tag's unit; 0 reports every change. */
  readonly size: number
  /** Corners of the signal are kept, rather than steps of the size. */
  readonly isSwingingDoor: boolean
}

/** Decides which samples are worth reporting: a change beyond the deadband, another quality, or a heartbeat. */
export interface Reporter {
  /** Adds what is to be reported now to a list: this sample, perhaps one before it, or nothing. */
  accept(sample: TagSample, reported: TagSample[]): void
  /** The last report did not reach the journal: the next sample is reported whatever it says. */
  forget(tagId: number): void
}

/** `bands` of every tag by id. `heartbeatMs` 0: no heartbeat. */
export function createReporter(bands: ReadonlyMap<number, Band>, heartbeatMs: number): Reporter {
  const last = createTagColumns([...bands.keys()])
  const sizes = new Map([...bands].flatMap(([id, { size }]) => (size > 0 ? [[id, size]] : [])))
  const doors = new Map(
    [...bands].flatMap(([id, { size, isSwingingDoor }]) => (isSwingingDoor ? [[id, createSwingingDoor(size)]] : [])),
  )
  // A clock that was set back makes it due as well.
  const isDue = ({ tagId, sourceAt }: TagSample) =>
    heartbeatMs > 0 && Math.abs(sourceAt - last.sourceAtOf(tagId)) >= heartbeatMs
  return {
    accept(sample, reported) {
      const door = doors.size > 0 ? doors.get(sample.tagId) : undefined
      if (door) return takeThrough(door, { sample, reported, last, isDue: isDue(sample) })
      if (last.has(sample.tagId) && !hasChanged(last, sample, sizes.get(sample.tagId) ?? 0) && !isDue(sample)) return
      last.set(sample)
      reported.push(sample)
    },
    forget: (tagId) => {
      last.delete(tagId)
      doors.get(tagId)?.forget()
    },
  }
}

interface Passing {
  readonly sample: TagSample
  readonly reported: TagSample[]
  readonly last: TagColumns
  readonly isDue: boolean
}

/** What is no number has no line: only its changes are reported. */
function takeThrough(door: SwingingDoor, { sample, reported, last, isDue }: Passing): void {
  if (typeof sample.value !== 'number' && last.isSame(sample) && !isDue) return
  const due = door.take(sample, isDue)
  if (due.length > 0) last.set(sample)
  reported.push(...due)
}

function hasChanged(last: TagColumns, sample: TagSample, deadband: number): boolean {
  if (deadband === 0 || last.qualityOf(sample.tagId) !== sample.quality) return !last.isSame(sample)
  const difference = Math.abs(Number(sample.value) - last.numberOf(sample.tagId))
  return Number.isNaN(difference) || typeof sample.value !== 'number' ? !last.isSame(sample) : difference > deadband
}

/** The deadband of a tag in its own unit. */
export function bandOf({ deadband, range }: ProfileTag): Band {
  if (!deadband) return { size: 0, isSwingingDoor: false }
  const { swingingDoor: isSwingingDoor = false } = deadband
  if ('absolute' in deadband) return { size: deadband.absolute, isSwingingDoor }
  return { size: range ? (Math.abs(range[1] - range[0]) * deadband.percent) / 100 : 0, isSwingingDoor }
}
