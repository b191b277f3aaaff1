/** Answers whole numbers from 0 to below its argument, always the same ones for one seed (mulberry32). */
export type Random = (below: number) => number

/** A small generator of good randomness. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

export const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T
