import { BusyError } from '#cloud/platform/errors.ts'

/** Lets only so many questions run at once. The others wait; askers take turns, so that one with many holds nobody up. */
export interface Turns {
  /** Asks in its turn. @throws BusyError `history.busy` when too many wait already, or its turn does not come in time. */
  take<T>(asker: string, ask: () => Promise<T>): Promise<T>
}

export interface TurnOptions {
  /** Running at once. */
  readonly running: number
  /** Waiting in all, and of one asker. */
  readonly waiting: number
  readonly waitingOfOne: number
  /** Longest wait. */
  readonly patienceMs: number
}

/**
 * History reads in one thread and a page may hold 100,000 values, so more at once make no answer sooner. A wait and the ten
 * seconds that history takes at most stay below what a call of the machine side may take.
 */
export const TURNS: TurnOptions = { running: 8, waiting: 200, waitingOfOne: 50, patienceMs: 10_000 }

const RETRY_AFTER_SECONDS = 5

/** Starts without any. */
export function createTurns({ running: most, waiting, waitingOfOne, patienceMs }: TurnOptions): Turns {
  const line = waitingLine()
  let running = 0
  const wait = (asker: string) =>
    new Promise<void>((resolve, reject) => {
      if (line.of(asker) >= waitingOfOne) return reject(busy('too-many', 'You have asked'))
      if (line.length() >= waiting) return reject(busy('unavailable', 'History is asked'))
      const giveUp = () => {
        line.leave(asker, go)
        reject(busy('unavailable', 'History is asked'))
      }
      const timer = setTimeout(giveUp, patienceMs)
      const go = () => {
        clearTimeout(timer)
        resolve()
      }
      line.join(asker, go)
    })
  /** Hands the place on to who is next. */
  const pass = () => {
    const go = line.next()
    if (go) go()
    else running -= 1
  }
  return {
    async take(asker, ask) {
      if (running < most) running += 1
      else await wait(asker)
      try {
        return await ask()
      } finally {
        pass()
      }
    },
  }
}

const busy = (kind: 'too-many' | 'unavailable', who: string) =>
  new BusyError(kind, 'history.busy', {
    message: `${who} too many questions at once. Ask again in some seconds, or for a shorter span or fewer tags`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })

type Go = () => void

/** Who waits, by asker; whoever had a turn comes after all others. */
function waitingLine() {
  const queues = new Map<string, Go[]>()
  const keep = (asker: string, queue: Go[]) => {
    queues.delete(asker)
    if (queue.length > 0) queues.set(asker, queue)
  }
  return {
    of: (asker: string) => queues.get(asker)?.length ?? 0,
    length: () => queues.values().reduce((sum, queue) => sum + queue.length, 0),
    join(asker: string, go: Go) {
      const queue = queues.get(asker)
      if (queue) queue.push(go)
      else queues.set(asker, [go])
    },
    leave(asker: string, go: Go) {
      const left = (queues.get(asker) ?? []).filter((one) => one !== go)
      if (left.length > 0) queues.set(asker, left)
      else queues.delete(asker)
    },
    next(): Go | undefined {
      const [first] = queues
      if (!first) return undefined
      const [asker, queue] = first
      const go = queue.shift()
      keep(asker, queue)
      return go
    },
  }
}
