import type { TagSample } from '#edge/model.ts'

/**
 * Keeps of a signal only the corners: between two samples that it reports, a straight line is nowhere further than the
 * deviation from any sample that was read (E. H. Bristol, 1990, in the form that aims at real samples).
 */
export interface SwingingDoor {
  /**
   * The samples that are now due, in the order of time. The one that broke out is reported at once, so that no alarm waits
   * for the next scan; before it the last one that still lay on the line. `isDue`: report this sample in any case.
   */
  take(sample: TagSample, isDue: boolean): readonly TagSample[]
  /** The next sample is reported whatever it says. */
  forget(): void
}

interface Door {
  /** Reported last; where the line begins. */
  readonly hinge: TagSample
  /** Steepest and flattest line from the hinge that passes every sample since within the deviation. */
  readonly steepest: number
  readonly flattest: number
  /** The last sample on the line, not reported. */
  readonly held: TagSample | undefined
}

/** A door for one tag; the deviation in the tag's unit. */
export function createSwingingDoor(deviation: number): SwingingDoor {
  let door: Door | undefined
  return {
    take: (sample, isDue) => {
      const before = door
      const widened = before && !isDue && pass(before, sample, deviation)
      if (widened) {
        door = widened
        return []
      }
      door = openAt(sample)
      const isNeeded = before?.held && !isOnLine(before, sample)
      return isNeeded && before?.held ? [before.held, sample] : [sample]
    },
    forget: () => {
      door = undefined
    },
  }
}

const openAt = (hinge: TagSample): Door => ({
  hinge,
  steepest: Number.POSITIVE_INFINITY,
  flattest: Number.NEGATIVE_INFINITY,
  held: undefined,
})

/** The door with a sample that lies on the line; undefined when it does not, or cannot be compared. */
function pass(door: Door, sample: TagSample, deviation: number): Door | undefined {
  const slope = slopeTo(door, sample, 0)
  if (!isWithin(door, slope)) return undefined
  return {
    hinge: door.hinge,
    steepest: Math.min(door.steepest, slopeTo(door, sample, deviation)),
    flattest: Math.max(door.flattest, slopeTo(door, sample, -deviation)),
    held: sample,
  }
}

/** True when the line to this sample passes all before it: then nothing before it needs to be reported. */
const isOnLine = (door: Door, sample: TagSample): boolean => isWithin(door, slopeTo(door, sample, 0))

const isWithin = ({ steepest, flattest }: Door, slope: number): boolean => slope <= steepest && slope >= flattest

/** Slope from the hinge to a sample moved by so much; NaN, which is within nothing, when there is none. */
function slopeTo({ hinge }: Door, { value, quality, sourceAt }: TagSample, by: number): number {
  if (typeof value !== 'number' || typeof hinge.value !== 'number') return Number.NaN
  const elapsed = sourceAt - hinge.sourceAt
  return elapsed > 0 && quality === hinge.quality ? (value + by - hinge.value) / elapsed : Number.NaN
}
