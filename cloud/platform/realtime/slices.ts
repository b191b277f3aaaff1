/** Work that can stop after each step: an iterator that yields between two of them. */
export type Work = Iterator<void>

/** Does work for many readers a slice at a time, so that whatever else the thread has to do comes in between. */
export interface Slices {
  /** Events go before values, but leave them every fourth share; what was added first goes first. */
  add(kind: 'urgent' | 'later', work: Work): void
  /** Forgets what is left. */
  close(): void
}

export interface SlicesOptions {
  /** Longest time that a slice holds the thread, give or take a step. */
  readonly sliceMs?: number
  /** A monotonic clock in ms. */
  readonly now?: () => number
  /** Runs the next slice when others had their turn. */
  readonly nextTurn?: (run: () => void) => void
}

const SLICE_MS = 4
/** Steps of a share; between two shares the clock is looked at. */
const STEPS = 8
/** Of so many shares one goes to values, so that a flood of events does not end them. */
const SHARES = 4

/** Starts with nothing to do. */
export function createSlices(options: SlicesOptions = {}): Slices {
  const { sliceMs = SLICE_MS, now = () => performance.now(), nextTurn = (run) => void setImmediate(run) } = options
  const waiting: Record<'urgent' | 'later', Work[]> = { urgent: [], later: [] }
  let isPlanned = false
  let share = 0

  /** One share of what comes first; false when there is nothing. */
  function advance(): boolean {
    share = (share + 1) % SHARES
    const { urgent, later } = waiting
    const isLater = urgent.length === 0 || (share === 0 && later.length > 0)
    const queue = isLater ? later : urgent
    const [work] = queue
    for (let step = 0; work && step < STEPS; step++) {
      if (!work.next().done) continue
      queue.shift()
      break
    }
    return work !== undefined
  }

  function slice(): void {
    isPlanned = false
    const until = now() + sliceMs
    while (advance()) {
      if (now() < until) continue
      plan()
      return
    }
  }

  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    nextTurn(slice)
  }

  return {
    add(kind, work) {
      waiting[kind].push(work)
      plan()
    },
    close() {
      waiting.urgent.length = 0
      waiting.later.length = 0
    },
  }
}
