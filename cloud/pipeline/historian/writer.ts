import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'
import { BatchBuilder, type HistoryBatch } from './batch.ts'
import type { Historian, RangeMark } from './historian.ts'

export interface WriterOptions {
  readonly historian: Historian
  readonly log: Log
  readonly metrics: PipelineMetrics
  /** Least time from the start of one commit to the start of the next. */
  readonly spacingMs: number
  /** Values that may wait; beyond it nothing is taken until a commit has ended. */
  readonly maxWaiting: number
  /** Called after each commit, in the order of the commits. */
  readonly onCommitted: (batch: HistoryBatch) => void
  /** Called after a failed commit with all that history has: whatever was on the way is lost and comes again by resend. */
  readonly onLost: (marks: readonly RangeMark[]) => void
}

/** Gathers values and commits them in groups: one commit in flight, the next takes all that has gathered. */
export interface HistoryWriter {
  /** What the next commit will store; call changed() after adding. */
  readonly batch: BatchBuilder
  /** False while history cannot take more: nothing may be added, and nothing is acknowledged. */
  readonly isOpen: boolean
  changed(): void
  /** Resolves when nothing waits any more. */
  settled(): Promise<void>
  /** Commits what waits, then stops. */
  close(): Promise<void>
}

const REOPEN_AFTER_MS = 1000

/** Starts a writer on an open history. */
export function startWriter(options: WriterOptions): HistoryWriter {
  const batch = new BatchBuilder()
  let inFlight = 0
  let isBroken = false
  let isClosed = false
  let startedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  const idle: (() => void)[] = []

  const run = async () => {
    startedAt = performance.now()
    inFlight = batch.values
    isBroken = !(await commitOrRecover(options, batch.take()))
    inFlight = 0
    running = undefined
    if (!batch.isEmpty || isBroken) schedule()
    else for (const wake of idle.splice(0)) wake()
  }
  const schedule = () => {
    if (timer || running) return
    const wait = isClosed ? 0 : options.spacingMs - (performance.now() - startedAt)
    timer = setTimeout(
      () => {
        timer = undefined
        running = run()
      },
      Math.max(0, isBroken ? REOPEN_AFTER_MS : wait),
    )
  }
  const settled = () =>
    batch.isEmpty && !running && !timer ? Promise.resolve() : new Promise<void>((resolve) => idle.push(resolve))
  return {
    batch,
    get isOpen() {
      return !isBroken && !isClosed && batch.values + inFlight < options.maxWaiting
    },
    changed: () => {
      if (!batch.isEmpty) schedule()
    },
    settled,
    async close() {
      isClosed = true
      clearTimeout(timer)
      timer = undefined
      await running
      clearTimeout(timer)
      if (!batch.isEmpty) await commitOrRecover(options, batch.take())
      for (const wake of idle.splice(0)) wake()
    },
  }
}

/** Commits; after a failure reads what history has. False: history does not even answer that, try again later. */
async function commitOrRecover(options: WriterOptions, batch: HistoryBatch): Promise<boolean> {
  const { historian, log, metrics, onCommitted, onLost } = options
  try {
    const values = batch.numbers.count + batch.wide.length
    const startedAt = performance.now()
    // The columns move to the other thread; marks and gaps are copied and stay readable.
    await historian.commit(batch)
    metrics.count('history_values_total', values)
    metrics.gauge('history_commit_ms', performance.now() - startedAt)
    onCommitted(batch)
    return true
  } catch (error) {
    metrics.count('history_commits_failed_total', 1)
    log.error(
      { err: error },
      'History did not take a commit; nothing of it is acknowledged and the edges send it again',
    )
  }
  try {
    onLost(await historian.marks())
    return true
  } catch (error) {
    log.error({ err: error }, 'History does not open; trying again every second')
    return false
  }
}
