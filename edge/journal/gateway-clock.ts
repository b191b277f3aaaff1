import { GOOD, type Quality, UNCERTAIN } from '#shared/contracts/sample.ts'
import type { Clock } from './journal.ts'

/** Gateway time that moved this much against the monotonic clock was set by somebody. */
const JUMP_MS = 2000
/** Before this no edge of this kind existed: a clock without a battery that was never set. 2026-01-01. */
export const EARLIEST_MS = 1_767_225_600_000

/** A journal this much ahead was written by a clock that was wrong itself. */
const FAR_AHEAD_MS = 86_400_000

/** A clock that was set: from what it would have shown to what it shows. */
export interface ClockJump {
  readonly from: number
  readonly to: number
}

/**
 * Judges gateway time. A box without a battery begins in 1970 or where it was switched off, collects all the same, and is
 * set later: until then its time is not believed.
 */
export interface GatewayClock {
  /** Looks at the clock; tells when it was set since the last look. */
  look(): { readonly now: number; readonly jump: ClockJump | undefined }
  /** False while gateway time cannot be right: earlier than what the journal holds, than this product, or than what is known to have passed. */
  readonly isBelieved: boolean
  /** The quality of a sample that is read now. */
  qualityOf(quality: Quality): Quality
}

/** `newestAt`: gateway time that the last run has reached, ms since 1970; undefined when nobody knows. */
export function createGatewayClock(clock: Clock, newestAt: number | undefined): GatewayClock {
  const reached = newestAt !== undefined && newestAt - clock.now() < FAR_AHEAD_MS ? newestAt - JUMP_MS : 0
  const earliest = Math.max(EARLIEST_MS, reached, clock.earliest?.() ?? 0)
  let isBelieved = false
  const judge = () => {
    isBelieved ||= clock.now() >= earliest
    return isBelieved
  }
  judge()
  let offset = offsetOf(clock)
  return {
    look: () => {
      const now = clock.now()
      judge()
      const [before, after] = [offset, offsetOf(clock)]
      offset = after
      const moved = before === undefined || after === undefined ? 0 : Math.round(after - before)
      return { now, jump: Math.abs(moved) < JUMP_MS ? undefined : { from: now - moved, to: now } }
    },
    get isBelieved() {
      return judge()
    },
    qualityOf: (quality) => (isBelieved || quality !== GOOD ? quality : UNCERTAIN),
  }
}

/** Gateway time less monotonic time; undefined without a monotonic clock. */
const offsetOf = (clock: Clock): number | undefined => clock.monotonic && clock.now() - clock.monotonic()
