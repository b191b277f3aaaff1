import type { JournalRecord } from '#edge/journal/journal.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'

/** What was sent in this connection and is not acknowledged: a record, or the records of a moment that went ahead. */
interface Sent {
  readonly first: bigint
  readonly last: bigint
  readonly count: number
  readonly sentAt: number
  readonly isResend: boolean
  /** It went ahead of backlog, so that no acknowledgement can reach it before that: it takes no room in the window. */
  readonly isAhead: boolean
}

export interface DeliveryLimits {
  readonly resendAfterMs: number
  /** Most samples sent and not acknowledged. */
  readonly windowSamples: number
}

const MOST_RESENDS_AT_ONCE = 1024
/** Live data that goes ahead of hours of backlog is kept in the book as one entry a moment. */
const MOMENT_MS = 1000

/**
 * What was sent, what waits and what must be sent again. Every offset above the acknowledged one is in exactly one place:
 * sent, or in the backlog. Times come in, nothing is read or written here.
 */
export interface Delivery {
  /** A new connection: nothing of the last one counts, all above `acknowledged` up to `newest` is backlog. */
  begin(acknowledged: bigint, newest: bigint, now: number): void
  /** True while the window has room. What went ahead of the backlog takes none, else nothing could close the gap before it. */
  readonly hasRoom: boolean
  markSent(record: JournalRecord, now: number): void
  /** Puts a record that cannot be sent now behind. */
  postpone(record: JournalRecord): void
  /** Offsets that wait; the caller sends the lowest first. */
  readonly backlog: RangeSet
  /**
   * The host has all up to `offset`. Records that it should have acknowledged long ago go back to the backlog: one, or
   * twice as many each time while the sending again is what moves the host on.
   * Answers how long the newest record now acknowledged took, in ms.
   */
  acknowledge(offset: bigint, now: number): number | undefined
  /** When the wait for an acknowledgement began; undefined while nothing is unacknowledged. */
  waitingSince(): number | undefined
  /** The largest offset with which all before it was sent before a time: for a host that never acknowledges. */
  sentBefore(time: number, newest: bigint): bigint
  readonly inFlightSamples: number
  readonly resent: number
}

export function createDelivery(limits: DeliveryLimits): Delivery {
  return new DeliveryState(limits)
}

class DeliveryState implements Delivery {
  backlog = new RangeSet()
  inFlightSamples = 0
  resent = 0
  readonly #limits: DeliveryLimits
  #sent = new Map<bigint, Sent>()
  /** Records that were put back and not yet sent again, by first offset. */
  readonly #lost = new Set<bigint>()
  #acknowledged = 0n
  #lastAckAt = 0
  #burst = 1
  #aheadSamples = 0
  /** The entry of what went ahead in the present moment, and when that began. */
  #moment = { first: 0n, since: 0 }

  constructor(limits: DeliveryLimits) {
    this.#limits = limits
  }

  begin(acknowledged: bigint, newest: bigint, now: number): void {
    this.backlog = new RangeSet()
    if (newest > acknowledged) this.backlog.add(acknowledged + 1n, newest)
    this.#sent = new Map()
    this.#lost.clear()
    this.inFlightSamples = 0
    this.#aheadSamples = 0
    this.#acknowledged = acknowledged
    this.#lastAckAt = now
    this.#burst = 1
  }

  get hasRoom(): boolean {
    return this.inFlightSamples - this.#aheadSamples < this.#limits.windowSamples
  }

  markSent(record: JournalRecord, now: number): void {
    const isResend = this.#lost.delete(record.first)
    if (isResend) this.resent += record.samples.length
    this.#forget(this.#sent.get(record.first))
    const { first, last } = record
    const waiting = this.backlog.ranges[0]
    const isAhead = waiting !== undefined && waiting.first < first
    const sent = { first, last, count: record.samples.length, sentAt: now, isResend, isAhead }
    if (isAhead && !isResend && isWhole(sent)) this.#noteAhead(sent)
    else this.#note(sent)
  }

  postpone(record: JournalRecord): void {
    this.backlog.add(record.first, record.last)
  }

  acknowledge(offset: bigint, now: number): number | undefined {
    const hasMoved = offset > this.#acknowledged
    const acknowledged = hasMoved ? this.#take(offset) : []
    if (hasMoved) this.#acknowledged = offset
    this.#lastAckAt = now
    const isHelping = acknowledged.some(({ isResend }) => isResend)
    this.#burst = hasMoved && !isHelping ? 1 : this.#burst
    this.#putBackStale(now)
    const newest = acknowledged.reduce((latest, { sentAt }) => Math.max(latest, sentAt), 0)
    return acknowledged.length > 0 ? now - newest : undefined
  }

  waitingSince(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY
    for (const { sentAt } of this.#sent.values()) oldest = Math.min(oldest, sentAt)
    return this.#sent.size > 0 ? Math.max(oldest, this.#lastAckAt) : undefined
  }

  sentBefore(time: number, newest: bigint): bigint {
    let end = newest
    for (const { first, sentAt } of this.#sent.values()) if (sentAt >= time && first <= end) end = first - 1n
    const waiting = this.backlog.ranges[0]
    return waiting && waiting.first <= end ? waiting.first - 1n : end
  }

  /** Takes out all up to an offset, from the sent and from the backlog. */
  #take(offset: bigint): Sent[] {
    const reached = [...this.#sent.values()].filter(({ first }) => first <= offset)
    for (const sent of reached) {
      this.#forget(sent)
      if (sent.last > offset) this.#note(isWhole(sent) ? restOf(sent, offset + 1n) : sent)
    }
    this.backlog.remove(0n, offset)
    for (const first of this.#lost) if (first <= offset) this.#lost.delete(first)
    return reached.filter(({ last }) => last <= offset)
  }

  #putBackStale(now: number): void {
    const stale = this.#stale(now)
    if (stale.length === 0) {
      this.#burst = 1
      return
    }
    for (const sent of stale.slice(0, this.#burst)) {
      this.#forget(sent)
      this.#lost.add(sent.first)
      this.backlog.add(sent.first, sent.last)
    }
    this.#burst = Math.min(this.#burst * 2, MOST_RESENDS_AT_ONCE)
  }

  /** What should have been acknowledged long ago. What lies behind offsets that were not sent yet cannot have been. */
  #stale(now: number): Sent[] {
    const waiting = this.#lost.size === 0 ? this.backlog.ranges[0]?.first : undefined
    return [...this.#sent.values()]
      .filter(({ first, sentAt }) => now - sentAt > this.#limits.resendAfterMs && !(waiting && waiting < first))
      .sort((a, b) => (a.first < b.first ? -1 : 1))
  }

  /** Lengthens the entry of the present moment, or begins another. */
  #noteAhead(sent: Sent): void {
    const entry = this.#sent.get(this.#moment.first)
    const isNext = entry?.isAhead === true && entry.last + 1n === sent.first
    if (isNext && sent.sentAt - this.#moment.since < MOMENT_MS) {
      this.#forget(entry)
      this.#note({ ...sent, first: entry.first, count: entry.count + sent.count })
      return
    }
    this.#moment = { first: sent.first, since: sent.sentAt }
    this.#note(sent)
  }

  #note(sent: Sent): void {
    this.#sent.set(sent.first, sent)
    this.inFlightSamples += sent.count
    if (sent.isAhead) this.#aheadSamples += sent.count
  }

  #forget(sent: Sent | undefined): void {
    if (!sent || !this.#sent.delete(sent.first)) return
    this.inFlightSamples -= sent.count
    if (sent.isAhead) this.#aheadSamples -= sent.count
  }
}

/** True when it holds every offset of its range, as all but a thinned record does. */
const isWhole = ({ first, last, count }: Pick<Sent, 'first' | 'last' | 'count'>): boolean =>
  last - first + 1n === BigInt(count)

const restOf = (sent: Sent, first: bigint): Sent => ({ ...sent, first, count: Number(sent.last - first + 1n) })
