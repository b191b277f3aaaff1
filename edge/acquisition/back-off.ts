import type { RetryConfig } from './config.ts'

/** Pauses that double up to a limit, each shortened by up to a fifth so that many devices do not knock at once. */
export interface BackOff {
  /** The next pause in ms. */
  next(): number
  /** Begins again with the shortest pause. */
  reset(): void
}

/** `random` gives numbers from 0 to below 1. */
export function createBackOff({ minMs, maxMs }: RetryConfig, random: () => number): BackOff {
  let failures = 0
  return {
    next() {
      const full = Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
      failures++
      return Math.round(full * (1 - 0.2 * random()))
    },
    reset() {
      failures = 0
    },
  }
}
