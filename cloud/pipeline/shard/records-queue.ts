import { setImmediate } from 'node:timers/promises'
import type { Log } from '#shared/log/log.ts'

const FIRST_PAUSE_MS = 100
const MOST_ATTEMPTS = 8

/** Writes to the database in the order asked, one at a time, each repeated with growing pauses for about 25 s. */
export interface RecordsQueue {
  record<T>(work: () => Promise<T>): Promise<T>
  /** As record(), for what nobody waits for: a failure is told in the log. */
  later(work: () => Promise<unknown>): void
  settled(): Promise<void>
}

/** Starts an empty queue. */
export function recordsQueue(log: Log): RecordsQueue {
  let tail: Promise<unknown> = Promise.resolve()
  const record = <T>(work: () => Promise<T>): Promise<T> => {
    const run = tail.then(() => insist(work))
    tail = run.catch(() => undefined)
    return run
  }
  return {
    record,
    later(work) {
      record(work).catch((error: Error) => log.error({ err: error }, 'A change of an edge could not be recorded'))
    },
    async settled() {
      let seen: unknown
      while (seen !== tail) {
        await setImmediate()
        seen = tail
        await tail
        // Whoever heard that it is done may have more to write.
        await setImmediate()
      }
    },
  }
}

/** SQLSTATE classes of faults in what was written: a repetition fails the same way and would hold up everybody else. */
const isLasting = (error: unknown): boolean => /^(21|22|23|42)/.test((error as { code?: string }).code ?? '')

async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || isLasting(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (attempt - 1)))
    }
  }
}
