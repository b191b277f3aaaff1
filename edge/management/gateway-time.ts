/** The clocks of the machine. */
export interface SystemClock {
  /** Wall clock, ms since 1970. */
  now(): number
  /** ms on a clock that nobody sets. */
  monotonic(): number
}

/** The machine's clock, put right by what somebody trusted has told, until the machine's clock itself is set. */
export interface GatewayTime extends SystemClock {
  /** A time that has certainly passed, ms since 1970. */
  earliest(): number
  /** What is added to the machine's clock, in ms; 0 while it is not known to be wrong. */
  readonly offsetMs: number
  /** It is `at` now. */
  correct(at: number): void
}

/** Less is not worth a jump, and asking over a network is no better. */
const SMALLEST_MS = 2000

/** `earliest`: see GatewayTime. */
export function createGatewayTime(system: SystemClock, earliest = 0): GatewayTime {
  let offsetMs = 0
  let base = 0
  const lead = () => system.now() - system.monotonic()
  /** Whoever set the machine's clock knew better than a box that asked once. */
  const current = () => {
    if (offsetMs !== 0 && Math.abs(lead() - base) >= SMALLEST_MS) offsetMs = 0
    return offsetMs
  }
  return {
    now: () => system.now() + current(),
    monotonic: () => system.monotonic(),
    earliest: () => earliest,
    get offsetMs() {
      return current()
    },
    correct(at) {
      const off = Math.round(at - system.now())
      offsetMs = Math.abs(off) < SMALLEST_MS ? 0 : off
      base = lead()
    },
  }
}
