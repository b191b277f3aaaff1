import { dueOnServer, type ServerFiring } from '#shared/alarms/index.ts'
import type { PointSlot } from './work.ts'

/** Longest sleep of the timer: a wall clock that was set is noticed within it. */
const LONGEST_SLEEP_MS = 60_000

type Due = readonly [PointSlot, ServerFiring]

/** The order in which they would have fired, had somebody looked at each moment; the same after a restart. */
const byTime = ([a, { at: aAt }]: Due, [b, { at: bAt }]: Due) => aAt - bAt || (a.rule.path < b.rule.path ? -1 : 1)

/** Fires what runs on the server's clock: ends of shelvings, re-alarms, acknowledgement time-outs, no-data alarms. */
export class ServerClock {
  readonly #clock: () => number
  readonly #fire: (slot: PointSlot, firing: ServerFiring) => void
  readonly #due = new Map<PointSlot, ServerFiring>()
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(clock: () => number, fire: (slot: PointSlot, firing: ServerFiring) => void) {
    this.#clock = clock
    this.#fire = fire
  }

  /** The point's state changed: its next firing is read anew. */
  watch(slot: PointSlot): void {
    const firing = slot.isRetired ? null : dueOnServer(slot.rule, slot.state)
    if (!firing) {
      this.#due.delete(slot)
      return
    }
    this.#due.set(slot, firing)
    if (firing.at < this.#wakesAt) this.#sleepUntil(firing.at)
  }

  /** The point went to another process. */
  forget(slot: PointSlot): void {
    this.#due.delete(slot)
  }

  /** Fires all that is due by now, each at its own time. */
  check(): void {
    const now = this.#clock()
    const due = [...this.#due].filter(([, firing]) => firing.at <= now).sort(byTime)
    for (const [slot, firing] of due) if (this.#due.get(slot) === firing) this.#fire(slot, firing)
    const next = Math.min(...[...this.#due.values()].map(({ at }) => at), now + LONGEST_SLEEP_MS)
    this.#sleepUntil(next)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #sleepUntil(at: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#wakesAt = at
    const wait = Math.min(LONGEST_SLEEP_MS, Math.max(1, at - this.#clock()))
    this.#timer = setTimeout(() => this.check(), wait)
    this.#timer.unref()
  }
}
