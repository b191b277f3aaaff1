import type { Random } from './random.ts'

/** First-order lag, exact for any step: where a value is after `seconds` when it tends to `target` with time constant `tau` (s). */
export function lag(value: number, target: number, seconds: number, tau: number): number {
  return target + (value - target) * Math.exp(-seconds / tau)
}

/** A number kept between two others. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/**
 * One step of noise that wanders around 0 with standard deviation `sigma` and forgets itself in `tau` seconds
 * (Ornstein and Uhlenbeck's process, exact discretisation).
 */
export function wander(value: number, seconds: number, random: Random, of: { sigma: number; tau: number }): number {
  const keep = Math.exp(-seconds / of.tau)
  return value * keep + of.sigma * Math.sqrt(1 - keep * keep) * random.normal()
}
