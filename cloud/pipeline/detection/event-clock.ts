import type { AcceptedOffsets, OffsetRange } from './contract.ts'
import { HOLD_MS } from './held.ts'

/** After historical samples, more of them may still follow for this long. */
const BACKLOG_PAUSE_MS = 2000

/** What the event clock waits for. */
type Owed = OffsetRange | 'whatever was missed'

/**
 * The event clock of an edge: how far its signals are known. A heartbeat says nothing of them while samples that were accepted
 * before it have not come: moved by it, a delay would end although its return is on the way.
 */
export class EventClock {
  #at: number | null
  #backlogAt = Number.NEGATIVE_INFINITY
  #owed: Owed | undefined
  /** Until when they are waited for, by the edge's clock; undefined until the event clock could move. */
  #owedUntil: number | undefined

  constructor(at: number | null) {
    this.#at = at
  }

  get at(): number | null {
    return this.#at
  }

  /** The edge tells up to where it has accepted samples; `evaluated` is how far they have come. */
  owes({ epoch, newest }: AcceptedOffsets, evaluated: bigint): void {
    this.#owed = newest > evaluated ? { epoch, first: evaluated + 1n, last: newest } : undefined
    this.#owedUntil = undefined
  }

  /** Messages may have been lost on the way: the next samples show whether something is missing before them. */
  mayHaveMissed(): void {
    this.#owed ??= 'whatever was missed'
    this.#owedUntil = undefined
  }

  /** Samples were judged. */
  passed(isEvaluated: (range: OffsetRange) => boolean): void {
    if (this.#owed === undefined) return
    if (this.#owed === 'whatever was missed' || isEvaluated(this.#owed)) this.#owed = undefined
    this.#owedUntil = undefined
  }

  /** Historical samples came, sent at that time. */
  backlog(sentAt: number): void {
    this.#backlogAt = Math.max(this.#backlogAt, sentAt)
  }

  /** True when samples from before that time of sending are still on their way. */
  isAhead(sentAt: number): boolean {
    if (sentAt - this.#backlogAt < BACKLOG_PAUSE_MS) return true
    if (this.#owed === undefined) return false
    this.#owedUntil ??= sentAt + HOLD_MS
    if (sentAt < this.#owedUntil) return true
    this.#owed = undefined
    return false
  }

  /** Moves it on; it never goes back. */
  move(at: number): void {
    this.#at = Math.max(this.#at ?? at, at)
  }
}
