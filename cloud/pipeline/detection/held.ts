import type { Quality } from '#shared/contracts/sample.ts'
import type { DetectionBatch, DetectionColumns, DetectionSample, OffsetRange } from './contract.ts'

/** What came ahead of missing offsets waits this long for them; an edge sends again what nobody acknowledges after 5 s. */
export const HOLD_MS = 10_000
/** Most samples that wait. */
const MOST_HELD = 100_000

/** Samples of a journal, with their offsets. */
export type HeldBatch = DetectionBatch & { readonly range: OffsetRange }

/**
 * Samples of one edge that came ahead of missing offsets, as after every take-over: what nobody heard comes again within
 * seconds, and judged in order it gives the alarms that it would have given.
 */
export class Held {
  /** Sending time of the newest live payload since something waits. */
  sentAt: number | undefined
  readonly #over: () => void
  #batches: HeldBatch[] = []
  #samples = 0
  #since = 0
  #timer: NodeJS.Timeout | undefined

  /** `over` is called when nothing has come for as long as waiting makes sense. */
  constructor(over: () => void) {
    this.#over = over
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Takes one more; `now` is server time. */
  add(batch: HeldBatch, now: number): void {
    if (this.isEmpty) this.#begin(now)
    const place = this.#batches.findLastIndex(({ range }) => range.first <= batch.range.first)
    this.#batches.splice(place + 1, 0, batch)
    this.#samples += batch.samples.length
  }

  /** Keeps the sending time of a live payload for later; false when nothing waits. */
  note(sentAt: number): boolean {
    if (this.isEmpty) return false
    this.sentAt = Math.max(this.sentAt ?? sentAt, sentAt)
    return true
  }

  /** True when waiting longer would cost more than it brings. */
  isOver(now: number): boolean {
    return !this.isEmpty && (now - this.#since >= HOLD_MS || this.#samples >= MOST_HELD)
  }

  /** Takes out the one with the lowest offsets when it is due. */
  next(isDue: (range: OffsetRange) => boolean): HeldBatch | undefined {
    const [first] = this.#batches
    if (!first || !isDue(first.range)) return undefined
    this.#batches.shift()
    this.#samples -= first.samples.length
    if (this.isEmpty) clearTimeout(this.#timer)
    return first
  }

  #begin(now: number): void {
    this.#since = now
    this.sentAt = undefined
    this.#timer = setTimeout(this.#over, HOLD_MS)
    this.#timer.unref()
  }
}

/** The watched samples of columns, which their owner fills anew for the next payload. */
export function copyOf({ data, tags }: DetectionColumns, range: OffsetRange): HeldBatch {
  const samples: DetectionSample[] = []
  for (let i = 0; i < data.count; i++) {
    const tag = tags.watch[data.slot[i] as number] as number
    if (tag < 0) continue
    const [sourceAt, quality] = [data.ts[i] as number, data.q[i] as Quality]
    samples.push({ tag, sourceAt, quality, value: tags.scalarAt(data, i), offset: range.first + BigInt(i) })
  }
  return { samples, range }
}
