import type { Retained } from '#shared/contracts/history.ts'

type Kept = Retained['items'][number]

const shortest = (times: readonly (number | null)[]): number | null =>
  times.reduce<number | null>((least, ms) => (ms === null ? least : Math.min(least ?? ms, ms)), null)

/** How long all of the tags have each level, in ms; null: for ever. */
export const shortestKept = (kept: readonly Kept[]): Kept['keepMs'] => ({
  values: shortest(kept.map((one) => one.keepMs.values)),
  minutes: shortest(kept.map((one) => one.keepMs.minutes)),
  hours: shortest(kept.map((one) => one.keepMs.hours)),
})

/** Up to when single values of any of the tags were removed, ms since 1970; null: none were. */
export function removedUntil(kept: readonly Kept[]): number | null {
  const times = kept.flatMap(({ removedUntil: { values } }) => (values === null ? [] : [Date.parse(values)]))
  return times.length === 0 ? null : Math.max(...times)
}
