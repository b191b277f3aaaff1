import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'
import { BatchBuilder, type HistoryBatch } from './batch.ts'
import { type Brake, createBrake } from './brake.ts'
import type { Historian, RangeMark } from './historian.ts'

export interface WriterOptions {
  readonly historian: Historian
  readonly log: Log
  readonly metrics: PipelineMetrics
  /** Least time from the start of one commit to the start of the next. */
  readonly spacingMs: number
  /** Values that may wait; beyond it nothing is taken until a commit has ended. From half of it on edges are held. */
  readonly maxWaiting: number
  /** Told when edges are to wait for history, and when they may go on. */
  readonly onHold: (isHeld: boolean) => void
  /** Called after each commit, in the order of the commits. */
  readonly onCommitted: (batch: HistoryBatch) => void
  /** Called after a failed commit with all that history has: whatever was on the way is lost and comes again by resend. */
  readonly onLost: (marks: readonly RangeMark[]) => void
}

/** Gathers values and commits them in groups: one commit in flight, the next takes all that has gathered. */
export interface HistoryWriter {
  /** What the next commit will store; call changed() after adding. */
  readonly batch: BatchBuilder
  /** False while history takes no more: nothing may be added then, and what came meanwhile must come again. */
  readonly isOpen: boolean
  /** True from a failed commit until the next that succeeds. */
  readonly isFailing: boolean
  changed(): void
  /** Resolves when everything added so far is committed, or lost by a commit that failed. */
  flushed(): Promise<void>
  /** Commits what waits, then stops. */
  close(): Promise<void>
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** A commit that takes longer than this hangs; alarms go on without history then. */
const LONGEST_HOLD_MS = 5000

/** Starts a writer on an open history. */
export function startWriter(options: WriterOptions): HistoryWriter {
  const batch = new BatchBuilder()
  const brake = createBrake({ onHold: options.onHold, longestMs: LONGEST_HOLD_MS })
  const state: WriterState = { inFlight: 0, failures: 0, isRecovering: false, isClosed: false, brake }
  const isTooMuch = () => batch.values + state.inFlight >= options.maxWaiting / 2
  let startedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  const run = async () => {
    startedAt = performance.now()
    await commitOrRecover(options, state, batch)
    running = undefined
    if (state.isClosed) return
    brake.release()
    if (isTooMuch()) brake.hold()
    if (!batch.isEmpty) schedule()
  }
  const schedule = () => {
    if (timer || running || state.isClosed) return
    const wait = Math.max(0, startedAt + options.spacingMs - performance.now())
    timer = setTimeout(() => {
      timer = undefined
      running = run()
    }, wait)
  }
  return {
    batch,
    get isOpen() {
      return !state.isClosed && !state.isRecovering && batch.values + state.inFlight < options.maxWaiting
    },
    get isFailing() {
      return state.failures > 0
    },
    changed: () => {
      if (batch.isEmpty) return
      if (isTooMuch()) brake.hold()
      schedule()
    },
    async flushed() {
      await running
      if (batch.isEmpty || state.isClosed) return
      clearTimeout(timer)
      timer = undefined
      running ??= run()
      await running
    },
    async close() {
      state.isClosed = true
      brake.giveUp()
      clearTimeout(timer)
      await running
      if (!batch.isEmpty) await commitOrRecover(options, state, batch)
    },
  }
}

interface WriterState {
  /** Values of the commit under way. */
  inFlight: number
  /** Failed commits since the last that succeeded. */
  failures: number
  isRecovering: boolean
  isClosed: boolean
  readonly brake: Brake
}

async function commitOrRecover(options: WriterOptions, state: WriterState, batch: BatchBuilder): Promise<void> {
  const { log, metrics, onCommitted } = options
  const taken = batch.take()
  state.inFlight = taken.numbers.count + taken.wide.length
  const startedAt = performance.now()
  try {
    // The columns move to the other thread; marks and gaps are copied and stay readable.
    await options.historian.commit(taken)
  } catch (error) {
    const words = 'History did not take a commit; nothing of it is acknowledged and the edges send it again'
    if (state.failures === 0) log.error({ err: error }, words)
    metrics.count('history_commits_failed_total', 1)
    state.brake.giveUp()
    await recover(options, state, batch)
    return
  } finally {
    state.inFlight = 0
  }
  metrics.count('history_values_total', taken.numbers.count + taken.wide.length)
  if (state.failures > 0) log.info('History takes commits again')
  state.failures = 0
  metrics.gauge('history_commit_ms', performance.now() - startedAt)
  onCommitted(taken)
}

/** Reads what history has, however long that takes: the outcome of a failed commit is unknown. Takes nothing meanwhile. */
async function recover({ historian, onLost }: WriterOptions, state: WriterState, batch: BatchBuilder): Promise<void> {
  state.isRecovering = true
  while (!state.isClosed) {
    state.failures += 1
    await new Promise((resolve) => setTimeout(resolve, pauseMs(state.failures)))
    const marks = await historian.marks().catch(() => undefined)
    if (!marks) continue
    // What was gathered after the failed commit is forgotten with it, or a resend would store it twice.
    batch.take()
    onLost(marks)
    break
  }
  state.isRecovering = false
}

const pauseMs = (failures: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
