/** Part of a lane's idle time that probes of silent units may take. */
const SHARE = 0.5
/** Most that is saved up, in ms. */
const MOST_SAVED_MS = 1000

/** Idle time of a lane, saved up for probes, so that these never take more than half of what nobody needs. */
export interface IdleTime {
  /** The lane has nothing to do from now on. */
  begin(now: number): void
  end(now: number): void
  /** ms of idleness from now until a probe of that length may go; 0 when it may. */
  missingMs(costMs: number, now: number): number
  spend(ms: number): void
}

/** Starts full, so that the first probe need not wait. */
export function createIdleTime(): IdleTime {
  let saved = MOST_SAVED_MS
  let since: number | undefined
  const save = (now: number) => {
    if (since === undefined) return
    saved = Math.min(MOST_SAVED_MS, saved + (now - since) * SHARE)
    since = now
  }
  return {
    begin(now) {
      since ??= now
    },
    end(now) {
      save(now)
      since = undefined
    },
    missingMs(costMs, now) {
      save(now)
      return Math.max(0, (Math.min(costMs, MOST_SAVED_MS) - saved) / SHARE)
    },
    spend(ms) {
      saved = Math.max(0, saved - ms)
    },
  }
}
