import { BusyError } from '#cloud/platform/errors.ts'

/** Lets only so many questions run at once. The others wait; askers take turns, so that one with many holds nobody up. */
export interface Turns {
  /** Asks in its turn. @throws BusyError `history.busy` when too many wait already, or its turn does not come in time. */
  take<T>(asker: string, ask: () => Promise<T>): Promise<T>
}

export interface TurnOptions {
  /** Running at once in all, and of one asker. */
  readonly running: number
  readonly runningOfOne: number
  /** Waiting in all, and of one asker. */
  readonly waiting: number
  readonly waitingOfOne: number
  /** Longest wait. */
  readonly patienceMs: number
}

/** History reads in one thread, so more at once make no answer sooner; and one asker with heavy questions leaves half to others. */
export const TURNS: TurnOptions = {
  ...{ running: 8, runningOfOne: 4, waiting: 200, waitingOfOne: 50 },
  patienceMs: 10_000,
}

const RETRY_AFTER_SECONDS = 5

/** Starts without any. */
export function createTurns(options: TurnOptions): Turns {
  const line = waitingLine()
  const places = placesFor(options)
  const wait = (asker: string) =>
    new Promise<void>((resolve, reject) => {
      if (line.of(asker) >= options.waitingOfOne) return reject(busy('too-many', 'You have asked'))
      if (line.length() >= options.waiting) return reject(busy('unavailable', 'History is asked'))
      const giveUp = () => {
        line.leave(asker, go)
        reject(busy('unavailable', 'History is asked'))
      }
      const timer = setTimeout(giveUp, options.patienceMs)
      const go = () => {
        clearTimeout(timer)
        places.take(asker)
        resolve()
      }
      line.join(asker, go)
    })
  const fill = () => {
    for (let go = line.next(places.isFree); go; go = line.next(places.isFree)) go()
  }
  return {
    async take(asker, ask) {
      if (places.isFree(asker)) places.take(asker)
      else await wait(asker)
      try {
        return await ask()
      } finally {
        places.giveBack(asker)
        fill()
      }
    },
  }
}

/** Who runs how many. */
function placesFor({ running: most, runningOfOne }: TurnOptions) {
  const byAsker = new Map<string, number>()
  let running = 0
  const of = (asker: string) => byAsker.get(asker) ?? 0
  return {
    isFree: (asker: string) => running < most && of(asker) < runningOfOne,
    take(asker: string) {
      running += 1
      byAsker.set(asker, of(asker) + 1)
    },
    giveBack(asker: string) {
      running -= 1
      byAsker.set(asker, of(asker) - 1)
      if (of(asker) === 0) byAsker.delete(asker)
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
    /** The next one who may. */
    next(may: (asker: string) => boolean): Go | undefined {
      const found = queues.entries().find(([asker]) => may(asker))
      if (!found) return undefined
      const [asker, queue] = found
      const go = queue.shift()
      keep(asker, queue)
      return go
    },
  }
}
