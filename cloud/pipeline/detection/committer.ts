import type { Log } from '#shared/log/log.ts'
import type { Batch } from './work.ts'

const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 2000

/** What was taken at one moment between two inputs: one batch after the other, none when nothing has gathered. */
export interface Taken {
  readonly batches: readonly Batch[]
  /** Marks and what belongs to them; written only when all batches are. */
  readonly checkpoint: readonly Batch[]
}

/** Which marks to take: every one that has moved, those that something waits for, or none while earlier ones are being written. */
export type MarksWanted = 'all' | 'awaited' | 'none'

export interface CommitterOptions {
  readonly take: (marks: MarksWanted) => Taken
  /** Writes a batch in one transaction. Repeated with the same batch until it resolves. */
  readonly commit: (batch: Batch) => Promise<void>
  /** Told after each commit, before the next begins. */
  readonly committed: (batch: Batch) => void
  /** How long samples without events may wait for their checkpoint. */
  readonly checkpointMs: number
  readonly log: Log
}

/**
 * Keeps one commit of events in flight, and beside it one of marks: writing what all detectors remember takes long, and an
 * alarm does not wait for it. Marks are written after the events of the samples that they cover. The next commit takes all
 * that has gathered meanwhile. One that fails is repeated, with growing pauses, until it succeeds: no alarm is lost to a
 * dead database.
 */
export class Committer {
  readonly #options: CommitterOptions
  #running: Promise<void> | undefined
  #checkpoint: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #wakes = new Set<() => void>()
  #failure: string | undefined
  #isDue = false
  #isCheckpointDue = false
  /** Calls that wait for all marks, and how many of them were served when marks were last taken. */
  #asked = 0
  #served = 0
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
      void this.#commit()
    })
  }

  /** Commits marks too, within the checkpoint time: samples that changed no alarm. */
  soon(): void {
    if (!this.#isClosing) this.#timer ??= setTimeout(() => this.#checkpointNow(), this.#options.checkpointMs)
  }

  /** Commits what is there, marks included, and resolves when it is committed. */
  async settled(): Promise<void> {
    const asked = ++this.#asked
    this.#checkpointNow()
    do {
      await this.#commit()
      await this.#checkpoint
    } while (this.#served < asked)
  }

  /** What keeps it from committing; undefined while all is well. */
  fault(): string | undefined {
    return this.#failure
  }

  /** Commits what waits and stops; a database that is away gets one more attempt. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const wake of this.#wakes) wake()
    await this.settled()
    clearTimeout(this.#timer)
  }

  #checkpointNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isCheckpointDue = true
    void this.#commit()
  }

  #commit(): Promise<void> {
    this.#isDue = true
    this.#running ??= this.#drain()
    return this.#running
  }

  async #drain(): Promise<void> {
    await Promise.resolve()
    while (this.#isDue) {
      this.#isDue = false
      const { batches, checkpoint } = this.#options.take(this.#marksWanted())
      if (!(await this.#persistAll(batches))) break
      if (checkpoint.length > 0) this.#checkpoint = this.#writeCheckpoint(checkpoint)
    }
    this.#running = undefined
  }

  #marksWanted(): MarksWanted {
    if (this.#checkpoint) return 'none'
    if (!this.#isCheckpointDue) return 'awaited'
    this.#isCheckpointDue = false
    this.#served = this.#asked
    return 'all'
  }

  /** Whatever asked for marks meanwhile is served afterwards. */
  async #writeCheckpoint(batches: readonly Batch[]): Promise<void> {
    await this.#persistAll(batches)
    this.#checkpoint = undefined
    if (!this.#isClosing) void this.#commit()
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
      const wake = () => {
        clearTimeout(waiting)
        this.#wakes.delete(wake)
        resolve()
      }
      const waiting = setTimeout(wake, ms)
      this.#wakes.add(wake)
    })
  }
}
