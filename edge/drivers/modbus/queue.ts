/** Who goes first on a lane. Writes before what a person asked for, that before scans, fast ones first; probes take idle time. */
export const PRIORITIES = ['write', 'demand', 'fast', 'normal', 'slow', 'probe'] as const
export type Priority = (typeof PRIORITIES)[number]

/** What decides the order of a waiting job. Times on one monotonic clock, in ms. */
export interface Ranked {
  readonly priority: Priority
  /** When it ought to be done; of equal priority the earliest goes first. */
  readonly deadlineAt: number
}

const RANK: Readonly<Record<Priority, number>> = { write: 0, demand: 1, fast: 2, normal: 3, slow: 4, probe: 5 }
const URGENT = RANK.fast

/**
 * Position of the job that goes next; -1 when none waits. A job whose deadline has passed counts as a fast scan, so that
 * those which fill the lane delay the others and never shut them out.
 */
export function nextIndex(jobs: readonly Ranked[], now: number): number {
  let best = -1
  let bestRank = Infinity
  let bestDeadline = Infinity
  for (let i = 0; i < jobs.length; i++) {
    const job = jobs[i] as Ranked
    const rank = rankOf(job, now)
    if (rank > bestRank || (rank === bestRank && job.deadlineAt >= bestDeadline)) continue
    best = i
    bestRank = rank
    bestDeadline = job.deadlineAt
  }
  return best
}

function rankOf({ priority, deadlineAt }: Ranked, now: number): number {
  const rank = RANK[priority]
  return rank > URGENT && deadlineAt <= now ? URGENT : rank
}
