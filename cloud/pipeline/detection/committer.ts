import type { Log } from '#shared/log/log.ts'
import type { Batch } from './work.ts'

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2000

export interface CommitterOptions {
  /** Takes what has gathered, at one moment between two inputs: one batch after the other, none when nothing has. */
  readonly take: () => readonly Batch[]
  /** Writes a batch in one transaction. Repeated with the same batch until it resolves. */
  readonly commit: (batch: Batch) => Promise<void>
  /** Told after each commit, before the next begins. */
  readonly committed: (batch: Batch) => void
  /** How long samples without events may wait for their checkpoint. */
  readonly checkpointMs: number
  readonly log: Log
}

/**
 * Keeps one commit in flight; the next takes all that has gathered meanwhile. A commit that fails is repeated, with growing
 * pauses, until it succeeds: no alarm is lost to a dead database.
 */
export class Committer {
  readonly #options: CommitterOptions
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #wake = () => {}
  #failure: string | undefined
  #isDue = false
  #isPlanned = false
  #isClosing = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Commits as soon as the present turn of the event loop ends: an alarm, an action. */
  now(): void {
    if (this.#isPlanned || this.#isClosing) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      void this.settled()
    })
  }

  /** Commits within the checkpoint time: samples that changed no alarm. */
  soon(): void {
    if (!this.#isClosing) this.#timer ??= setTimeout(() => void this.settled(), this.#options.checkpointMs)
  }

  /** Commits what is there and resolves when it is committed. */
  settled(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDue = true
    this.#running ??= this.#drain()
    return this.#running
  }

  /** What keeps it from committing; undefined while all is well. */
  fault(): string | undefined {
    return this.#failure
  }

  /** Commits what waits and stops; a database that is away gets one more attempt. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#wake()
    await this.settled()
    clearTimeout(this.#timer)
  }

  async #drain(): Promise<void> {
    await Promise.resolve()
    while (this.#isDue) {
      this.#isDue = false
      if (!(await this.#persistAll(this.#options.take()))) break
    }
    this.#running = undefined
  }

  async #persistAll(batches: readonly Batch[]): Promise<boolean> {
    for (const batch of batches) if (!(await this.#persist(batch))) return false
    return true
  }

  async #persist(batch: Batch): Promise<boolean> {
    for (let number = 1; ; number++) {
      if (await this.#attempt(batch, number)) return true
      if (this.#isClosing) return false
      await this.#pause(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(number, 10)))
    }
  }

  async #attempt(batch: Batch, number: number): Promise<boolean> {
    const { commit, committed, log } = this.#options
    try {
      await commit(batch)
    } catch (err) {
      this.#failed(err, number)
      return false
    }
    if (this.#failure) log.info('Alarm events are committed again')
    this.#failure = undefined
    committed(batch)
    return true
  }

  #failed(err: unknown, number: number): void {
    const { log } = this.#options
    this.#failure = `Alarm events wait for the database: ${err instanceof Error ? err.message : String(err)}`
    if (number === 1) log.warn({ err }, 'Alarm commit failed, the same events are tried until it succeeds')
    else if (number % 30 === 0) log.error({ err, attempt: number }, 'Alarm events cannot be committed')
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(waiting)
        resolve()
      }
    })
  }
}
