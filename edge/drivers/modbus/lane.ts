import { type LaneStatus, type LossKind, NotConnectedError } from '../driver.ts'
import { type Connection, NoReplyError } from './connection.ts'
import { nextIndex, type Ranked } from './queue.ts'

/** Time-outs in a row, of every unit that has answered before, after which the link itself is taken for dead. */
const DEAD_AFTER_TIMEOUTS = 3
/** Weight of the newest round trip in the smoothed one. */
const SMOOTHING = 0.1

/** One request to a unit with its place in the order. `deadlineAt` is on the lane's own clock, now(). */
export interface LaneRequest extends Ranked {
  readonly unit: number
  readonly pdu: Buffer
  readonly timeoutMs: number
  /** Takes the request out of the queue again. One that is under way is waited for. */
  readonly signal?: AbortSignal
}

/**
 * One physical link, shared by every device behind the same address. So many requests are under way as it was made for,
 * one unless told; the others wait, writes first, then what a person asked for, then scans, each by deadline.
 */
export interface Lane {
  /** Opens the link unless it is open. Throws NotConnectedError. */
  open(signal: AbortSignal): Promise<void>
  /**
   * Resolves with the reply's PDU. Opens the link again when it was lost before. Throws NoReplyError for a silent unit,
   * NotConnectedError for a broken link or an aborted request.
   */
  request(request: LaneRequest): Promise<Buffer>
  /** The clock of deadlines: monotonic, in ms. */
  now(): number
  /** Requests that may be under way at the same time. */
  readonly inFlight: number
  /** Breaks the link because what came over it cannot be trusted. */
  reset(kind: LossKind, why: string): void
  /** Counts one user more; the last one to leave closes the link. */
  join(): void
  leave(): void
  status(): LaneStatus
}

export interface LaneOptions {
  /** `modbus 10.0.0.5:502` */
  readonly name: string
  /** Opens the link. Throws NotConnectedError. */
  readonly connect: (signal: AbortSignal) => Promise<Connection>
  /** Requests that may be under way at the same time. */
  readonly inFlight: number
  /** Monotonic clock, ms. */
  readonly now: () => number
}

interface Job {
  readonly request: LaneRequest
  readonly priority: LaneRequest['priority']
  readonly deadlineAt: number
  readonly resolve: (pdu: Buffer) => void
  readonly reject: (error: unknown) => void
  /** Stops listening to the request's signal. */
  unlisten?: () => void
}

interface LaneState {
  readonly options: LaneOptions
  connection: Connection | undefined
  opening: Promise<Connection> | undefined
  /** Ends an opening when nobody needs the lane any more. */
  giveUp: AbortController
  users: number
  underWay: number
  timeoutsInARow: number
  /** Units that have answered on this connection, and those whose time-outs are in a row now. */
  readonly answered: Set<number>
  readonly silent: Set<number>
  requests: number
  timeouts: number
  overruns: number
  strayReplies: number
  roundTripMs: number
  readonly queue: Job[]
}

/** Makes a lane. Nothing is opened yet. */
export function createLane(options: LaneOptions): Lane {
  const state = initialState(options)
  return {
    open: async (signal) => {
      if (state.connection?.isOpen) return
      await unlessAborted(openLink(state), signal)
    },
    request: (request) => enqueue(state, request),
    now: options.now,
    inFlight: options.inFlight,
    reset: (kind, why) => state.connection?.close(kind, why),
    join: () => {
      state.users++
    },
    leave: () => {
      state.users--
      if (state.users > 0) return
      state.giveUp.abort()
      state.giveUp = new AbortController()
      state.connection?.close('closed', 'nobody needs it any more')
    },
    status: () => statusOf(state),
  }
}

const initialState = (options: LaneOptions): LaneState => ({
  options,
  connection: undefined,
  opening: undefined,
  giveUp: new AbortController(),
  users: 0,
  underWay: 0,
  timeoutsInARow: 0,
  answered: new Set(),
  silent: new Set(),
  requests: 0,
  timeouts: 0,
  overruns: 0,
  strayReplies: 0,
  roundTripMs: 0,
  queue: [],
})

/** One opening for everyone who waits for it. */
function openLink(state: LaneState): Promise<Connection> {
  state.opening ??= state.options
    .connect(state.giveUp.signal)
    .then((connection) => adopt(state, connection))
    .finally(() => {
      state.opening = undefined
    })
  return state.opening
}

function adopt(state: LaneState, connection: Connection): Connection {
  state.strayReplies += state.connection?.strayReplies ?? 0
  state.connection = connection
  state.answered.clear()
  hear(state)
  return connection
}

/** Waits no longer than the signal allows; the opening goes on for others. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new NotConnectedError('closed', 'stopped while connecting'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function enqueue(state: LaneState, request: LaneRequest): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const { priority, deadlineAt, signal } = request
  const job: Job = { request, priority, deadlineAt, resolve, reject }
  state.queue.push(job)
  if (signal) dropWhenAborted(state, job, signal)
  pump(state)
  return promise
}

function dropWhenAborted(state: LaneState, job: Job, signal: AbortSignal): void {
  const onAbort = () => {
    const at = state.queue.indexOf(job)
    if (at < 0) return
    state.queue.splice(at, 1)
    job.reject(new NotConnectedError('closed', 'stopped while waiting for its turn'))
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  job.unlisten = () => signal.removeEventListener('abort', onAbort)
}

function pump(state: LaneState): void {
  while (state.underWay < state.options.inFlight) {
    const next = nextIndex(state.queue, state.options.now())
    if (next < 0) return
    const [job] = state.queue.splice(next, 1)
    if (job) void run(state, job)
  }
}

async function run(state: LaneState, job: Job): Promise<void> {
  state.underWay++
  job.unlisten?.()
  try {
    const connection = state.connection?.isOpen ? state.connection : await openLink(state)
    job.resolve(await exchange(state, job.request, connection))
  } catch (error) {
    job.reject(error)
  }
  state.underWay--
  if (job.deadlineAt < state.options.now()) state.overruns++
  pump(state)
}

async function exchange(state: LaneState, request: LaneRequest, connection: Connection): Promise<Buffer> {
  const { unit, pdu, timeoutMs } = request
  const startedAt = performance.now()
  state.requests++
  try {
    const reply = await connection.request(unit, pdu, timeoutMs)
    state.answered.add(unit)
    hear(state)
    const tookMs = performance.now() - startedAt
    state.roundTripMs = state.roundTripMs === 0 ? tookMs : state.roundTripMs + SMOOTHING * (tookMs - state.roundTripMs)
    return reply
  } catch (error) {
    if (error instanceof NoReplyError) countTimeout(state, unit, connection)
    throw error
  }
}

function hear(state: LaneState): void {
  state.timeoutsInARow = 0
  state.silent.clear()
}

/** A unit that never answers must not cost the others their link: it is dead only when all that were alive are silent. */
function countTimeout(state: LaneState, unit: number, connection: Connection): void {
  state.timeouts++
  state.timeoutsInARow++
  state.silent.add(unit)
  if (state.timeoutsInARow < DEAD_AFTER_TIMEOUTS || !state.answered.isSubsetOf(state.silent)) return
  connection.close('silent', `${state.timeoutsInARow} requests in a row got no answer`)
}

function statusOf(state: LaneState): LaneStatus {
  return {
    lane: state.options.name,
    isOpen: state.connection?.isOpen ?? false,
    requests: state.requests,
    timeouts: state.timeouts,
    strayReplies: state.strayReplies + (state.connection?.strayReplies ?? 0),
    roundTripMs: Math.round(state.roundTripMs * 100) / 100,
    waiting: state.queue.length,
    overruns: state.overruns,
  }
}
