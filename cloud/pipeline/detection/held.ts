import type { Quality } from '#shared/contracts/sample.ts'
import type { DetectionBatch, DetectionColumns, DetectionSample, OffsetRange } from './contract.ts'

/**
 * What came ahead of missing offsets waits this long for them, by the edge's clock: an edge sends again what nobody acknowledges
 * after 5 s, and what it sends comes in order, however late this process hears it.
 */
export const HOLD_MS = 10_000
/** Most that one message moves that clock: an edge sends every second, and its clock may be set. */
const STEP_MS = 2000
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
  #heardAt: number | undefined
  /** Time that the edge has let pass since something waits. */
  #waitedMs = 0
  #messages = 0
  #isInVain = false
  #timer: NodeJS.Timeout | undefined

  /** `over` is called when nothing has come for as long as waiting makes sense. */
  constructor(over: () => void) {
    this.#over = over
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** Takes one more. */
  add(batch: HeldBatch): void {
    if (this.isEmpty) this.#begin()
    this.#messages++
    const place = this.#batches.findLastIndex(({ range }) => range.first <= batch.range.first)
    this.#batches.splice(place + 1, 0, batch)
    this.#samples += batch.samples.length
  }

  /** A message came, sent at that time. */
  heard(sentAt: number): void {
    if (this.isEmpty) return
    this.#messages++
    this.#timer?.refresh()
    this.#waitedMs += Math.min(STEP_MS, Math.max(0, sentAt - (this.#heardAt ?? sentAt)))
    this.#heardAt = sentAt
  }

  /** Keeps the sending time of a live payload for later; false when nothing waits. */
  note(sentAt: number): boolean {
    if (this.isEmpty) return false
    this.sentAt = Math.max(this.sentAt ?? sentAt, sentAt)
    return true
  }

  /** True when waiting longer would cost more than it brings. */
  get isOver(): boolean {
    return !this.isEmpty && (this.#isInVain || this.#waitedMs >= HOLD_MS || this.#samples >= MOST_HELD)
  }

  /** Nothing more is waited for. */
  giveUp(): void {
    this.#isInVain = true
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

  #begin(): void {
    this.sentAt = undefined
    this.#heardAt = undefined
    this.#waitedMs = 0
    this.#isInVain = false
    this.#timer = setTimeout(() => this.#looksForMore(), HOLD_MS)
    this.#timer.unref()
  }

  /** A process that stood still has not been told nothing, it has not listened: what lies in the socket comes before the answer. */
  #looksForMore(): void {
    const known = this.#messages
    setImmediate(() => {
      if (this.isEmpty) return
      if (known === this.#messages) this.#over()
      else this.#timer?.refresh()
    }).unref()
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
