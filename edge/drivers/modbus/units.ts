/** Shortest time that a probe waits for a reply, in ms. */
const SHORTEST_PROBE_MS = 50
/** A unit that has never answered is probed for this part of its time-out. */
const UNKNOWN_PART = 4
/** How often a probe waits as long as a request does, for a unit that became slower: one that has answered, one that never has. */
const FULL_PROBE_EVERY_MS = 600_000
const FIRST_PROBE_EVERY_MS = 60_000
/** What is left of the slowest reply after each reply: it is forgotten over some hundred of them. */
const FORGETTING = 0.995

/** What a lane knows of one unit. While `silentSince` is set its breaker is open: nothing but probes is sent to it. */
export interface UnitHealth {
  silentSince: number | undefined
  hasAnswered: boolean
  /** Slowest of the latest replies, in ms. */
  slowestMs: number
  /** A reply came after its time-out: the unit lives and is slow, so the next probe is a patient one. */
  isLate: boolean
  fullProbeAt: number
}

/** What is known of a unit before it was asked anything. */
export const newUnit = (): UnitHealth => ({
  silentSince: undefined,
  hasAnswered: false,
  slowestMs: 0,
  isLate: false,
  fullProbeAt: 0,
})

/** The unit replied: its breaker closes. */
export function replied(unit: UnitHealth, tookMs: number): void {
  unit.silentSince = undefined
  unit.hasAnswered = true
  unit.isLate = false
  unit.slowestMs = Math.max(tookMs, unit.slowestMs * FORGETTING)
}

/** The unit gave no reply within `waitedMs`, or its gateway said so: its breaker opens. */
export function fellSilent(unit: UnitHealth, waited: { readonly isFull: boolean }, now: number): void {
  const isFirst = unit.silentSince === undefined
  unit.silentSince ??= now
  unit.isLate = false
  if (isFirst || waited.isFull) unit.fullProbeAt = now + (unit.hasAnswered ? FULL_PROBE_EVERY_MS : FIRST_PROBE_EVERY_MS)
}

/** What a probe would wait for at most, and whether the link shows a reply that comes after that. */
export interface Probing {
  readonly timeoutMs: number
  readonly hearsLate: boolean
}

/**
 * How long a probe of a silent unit waits: twice the slowest of its latest replies. Where a late reply is heard, a unit that
 * became slow shows itself and the next probe is patient; elsewhere one is now and then, at the cost of the other units.
 */
export function probeTimeoutMs(unit: UnitHealth, { timeoutMs, hearsLate }: Probing, now: number): number {
  if (unit.isLate || (!hearsLate && now >= unit.fullProbeAt)) return timeoutMs
  const unknownMs = hearsLate ? SHORTEST_PROBE_MS : timeoutMs / UNKNOWN_PART
  const usualMs = unit.hasAnswered ? unit.slowestMs * 2 : unknownMs
  return Math.min(timeoutMs, Math.max(SHORTEST_PROBE_MS, Math.ceil(usualMs)))
}
