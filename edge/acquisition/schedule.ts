/** What is to be read next. */
export interface Due {
  /** Position of the scan class in the list of periods. */
  readonly index: number
  /** When it is due, on the caller's monotonic clock, in ms. */
  readonly dueAt: number
  /** Scans of this class that had to be left out because their time had passed altogether. */
  readonly overruns: number
}

/** Deadlines of several periods on one clock, each on a grid of its own that never moves, so delays never add up. */
export interface Schedule {
  /** The class whose deadline is the earliest; of equal ones the faster. Advances it. */
  next(now: number): Due
}

/**
 * `periods` in ms; every class is due for the first time within one period after `startAt`. `phase`, from 0 to below 1, is
 * the part of a period by which its grid is shifted: devices with different ones are not all read at once.
 */
export function createSchedule(periods: readonly number[], startAt: number, phase = 0): Schedule {
  const entries = periods.map((period, index) => ({ index, period, dueAt: firstAfter(startAt, period, phase) }))
  return {
    next(now) {
      const first = entries.reduce((a, b) =>
        b.dueAt < a.dueAt || (b.dueAt === a.dueAt && b.period < a.period) ? b : a,
      )
      const overruns = Math.max(0, Math.floor((now - first.dueAt) / first.period))
      const dueAt = first.dueAt + overruns * first.period
      first.dueAt = dueAt + first.period
      return { index: first.index, dueAt, overruns }
    },
  }
}

/** The first time after another at which a class is due. */
function firstAfter(startAt: number, period: number, phase: number): number {
  const shift = phase * period
  return (Math.floor((startAt - shift) / period) + 1) * period + shift
}
