import type { OffsetRange } from './contract.ts'
import type { Gaps } from './gaps.ts'
import type { Marks } from './marks.ts'
import type { Points } from './points.ts'
import type { PointSlot } from './work.ts'

/** Offsets that will never carry samples; of one device where that is known. */
interface Hole extends OffsetRange {
  readonly device: string | undefined
}

export interface MissingOptions {
  readonly points: Points
  readonly marks: Marks
  readonly gaps: Gaps
  /** ms since 1970 */
  readonly clock: () => number
}

/** Name of a point's tag among those of its edge. */
export const tagOf = ({ device, rule }: PointSlot) => `${device}/${rule.definition.tag}`

const isOf = (slot: PointSlot, device: string | undefined) => device === undefined || slot.device === device

/** Begins delays anew (T23) where samples are missing for good, in the order of their offsets. */
export class Missing {
  readonly #options: MissingOptions
  #ahead: Hole[] = []

  constructor(options: MissingOptions) {
    this.#options = options
  }

  /**
   * Offsets are closed without samples. What lies ahead waits for its turn: an edge sends gap records before its backlog. What lies
   * behind concerns the tags that have not gone on after it.
   */
  close(range: OffsetRange, device: string | undefined): void {
    const { marks, gaps } = this.#options
    const { epoch, first, last } = range
    if (marks.hasAll(epoch, first, last)) return
    const newest = marks.newest(epoch) ?? first
    if (first > newest + 1n) this.#ahead.push({ ...range, device })
    else if (last > newest) this.#breakOff((slot) => isOf(slot, device))
    else this.#breakOff((slot) => isOf(slot, device) && gaps.lacks(range, tagOf(slot)))
  }

  /** Samples of a range are about to be judged. */
  until({ epoch, first }: OffsetRange): void {
    if (this.#ahead.length === 0) return
    const isPast = (hole: Hole) => hole.epoch === epoch && hole.first <= first
    for (const { device } of this.#ahead.filter(isPast)) this.#breakOff((slot) => isOf(slot, device))
    this.#ahead = this.#ahead.filter((hole) => !isPast(hole))
  }

  /** Another journal begins: what the last one held is not known. */
  all(): void {
    this.#breakOff(() => true)
  }

  #breakOff(isMeant: (slot: PointSlot) => boolean): void {
    const { points, clock } = this.#options
    for (const slot of points.all()) if (isMeant(slot)) points.feed(slot, { kind: 'gap', at: clock() })
  }
}
