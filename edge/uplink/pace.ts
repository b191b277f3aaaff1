const FLOOR_PER_SECOND = 500
const FAST_ACK_MS = 2000
const SLOW_ACK_MS = 3500
const HALVING_PAUSE_MS = 2000

/** Tokens for the backlog: more while acknowledgements come quickly, half when they come late. */
export interface Pace {
  /** Samples that may be sent now. */
  budget(now: number): number
  spend(samples: number): void
  /** An acknowledgement took so long. */
  observe(latencyMs: number, now: number): void
  readonly perSecond: number
}

/** Starts at a fifth of the fastest rate; additive increase, multiplicative decrease. */
export function createPace(mostPerSecond: number): Pace {
  let perSecond = Math.max(FLOOR_PER_SECOND, mostPerSecond / 5)
  let tokens = 0
  let filledAt: number | undefined
  let halvedAt = Number.NEGATIVE_INFINITY
  return {
    budget: (now) => {
      const elapsedMs = Math.min(1000, Math.max(0, now - (filledAt ?? now - 100)))
      filledAt = now
      tokens = Math.min(perSecond / 4, tokens + (perSecond * elapsedMs) / 1000)
      return tokens
    },
    spend: (samples) => {
      tokens -= samples
    },
    observe: (latencyMs, now) => {
      if (latencyMs < FAST_ACK_MS) perSecond = Math.min(mostPerSecond, perSecond + mostPerSecond / 20)
      else if (latencyMs > SLOW_ACK_MS && now - halvedAt > HALVING_PAUSE_MS) {
        perSecond = Math.max(FLOOR_PER_SECOND, perSecond / 2)
        halvedAt = now
      }
    },
    get perSecond() {
      return perSecond
    },
  }
}
