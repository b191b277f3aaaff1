import { setTimeout as wait } from 'node:timers/promises'
import { type LaneStatus, type LossKind, NotConnectedError } from '../driver.ts'
import { type Connection, NoReplyError, type OnStray } from './connection.ts'
import { createIdleTime, type IdleTime } from './idle.ts'
import { unitGoneWords } from './pdu.ts'
import { nextIndex, type Ranked } from './queue.ts'
import { createRoundTripMeter, type RoundTripMeter } from './round-trips.ts'
import { type OnExchange, type Tap, tapped } from './tap.ts'
import { fellSilent, newUnit, probeTimeoutMs, replied, type UnitHealth } from './units.ts'

/** Time-outs in a row after which the link itself is taken for dead. */
const DEAD_AFTER_TIMEOUTS = 3
/** Weight of the newest round trip in the smoothed one. */
const SMOOTHING = 0.1

/** One request to a unit with its place in the order. `deadlineAt` is on the lane's own clock, now(). */
export interface LaneRequest extends Ranked {
  readonly unit: number
  readonly pdu: Buffer
  readonly timeoutMs: number
  /** Least time between the last reply over the lane and this request, in ms. */
  readonly pauseMs?: number
  /** Waits so long before it queues, as after a busy reply. */
  readonly afterMs?: number
  /** Takes the request out of the queue again. One that is under way is waited for. */
  readonly signal?: AbortSignal
}

/**
 * One physical link, shared by every device behind the same address. So many requests are under way as it was made for,
 * one unless told; the others wait, writes first, then what a person asked for, then scans, each by deadline.
 * A unit that does not answer is silent: what is asked of it fails at once, save `demand` and `probe`. A probe waits for
 * idle time and for a short reply only, and counts as a fast scan once its deadline has passed.
 */
export interface Lane {
  /** Opens the link unless it is open. Throws NotConnectedError. */
  open(signal: AbortSignal): Promise<void>
  /**
   * Resolves with the reply's PDU. Opens the link again when it was lost before. Throws NoReplyError for a silent unit,
   * also when its gateway says so, and NotConnectedError for a broken link or an aborted request.
   */
  request(request: LaneRequest): Promise<Buffer>
  /** True while the unit is silent: then only a probe can find that it answers again. */
  isSilent(unit: number): boolean
  /** The clock of deadlines: monotonic, in ms. */
  now(): number
  /** Requests that may be under way at the same time. */
  readonly inFlight: number
  /** Breaks the link because what came over it cannot be trusted. */
  reset(kind: LossKind, why: string): void
  /** Counts one user more; the last one to leave closes the link. */
  join(): void
  leave(): void
  /** Tells every request to a unit with its reply, or why there is none, until the function returned is called. */
  tap(unit: number, onExchange: OnExchange): () => void
  status(): LaneStatus
}

export interface LaneOptions {
  /** `modbus 10.0.0.5:502` */
  readonly name: string
  /** Opens the link. Throws NotConnectedError. */
  readonly connect: (signal: AbortSignal, onStray: OnStray) => Promise<Connection>
  /** Requests that may be under way at the same time. */
  readonly inFlight: number
  /** A reply after its time-out is told from others, so that a unit which has become slow shows itself: true over TCP. */
  readonly hearsLate?: boolean
  /** Time between opening the link and the first request, in ms. */
  readonly pauseAfterConnectMs?: number
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
  readonly queue: Job[]
  readonly units: Map<number, UnitHealth>
  readonly idle: IdleTime
  connection: Connection | undefined
  opening: Promise<Connection> | undefined
  /** Ends an opening when nobody needs the lane any more. */
  giveUp: AbortController
  users: number
  underWay: number
  /** When something last went or came over the link. */
  activeAt: number
  /** Wakes a probe when enough idle time is saved for it. */
  wake: NodeJS.Timeout | undefined
  /** Since the last reply: all time-outs, those of units that were not silent, and whose they were. */
  timeoutsInARow: number
  freshInARow: number
  readonly silentInARow: Set<number>
  /** Units that have answered on this connection. */
  readonly answered: Set<number>
  requests: number
  timeouts: number
  overruns: number
  strayReplies: number
  roundTripMs: number
  readonly roundTrips: RoundTripMeter
  readonly taps: Set<Tap>
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
    isSilent: (unit) => state.units.get(unit)?.silentSince !== undefined,
    now: options.now,
    inFlight: options.inFlight,
    reset: (kind, why) => state.connection?.close(kind, why),
    join: () => {
      state.users++
    },
    leave: () => {
      state.users--
      if (state.users > 0) return
      clearTimeout(state.wake)
      state.wake = undefined
      state.giveUp.abort()
      state.giveUp = new AbortController()
      state.connection?.close('closed', 'nobody needs it any more')
    },
    tap(unit, onExchange) {
      const tap = { unit, onExchange }
      state.taps.add(tap)
      return () => void state.taps.delete(tap)
    },
    status: () => statusOf(state),
  }
}

const initialState = (options: LaneOptions): LaneState => ({
  options,
  queue: [],
  units: new Map(),
  idle: createIdleTime(),
  connection: undefined,
  opening: undefined,
  giveUp: new AbortController(),
  users: 0,
  underWay: 0,
  activeAt: -Infinity,
  wake: undefined,
  timeoutsInARow: 0,
  freshInARow: 0,
  silentInARow: new Set(),
  answered: new Set(),
  requests: 0,
  timeouts: 0,
  overruns: 0,
  strayReplies: 0,
  roundTripMs: 0,
  roundTrips: createRoundTripMeter(),
  taps: new Set(),
})

/** One opening for everyone who waits for it. */
function openLink(state: LaneState): Promise<Connection> {
  const onStray = (unit: number) => {
    const health = state.units.get(unit)
    if (health) health.isLate = true
  }
  state.opening ??= state.options
    .connect(state.giveUp.signal, onStray)
    .then(async (connection) => {
      await rest(state.options.pauseAfterConnectMs)
      return adopt(state, connection)
    })
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
  const { priority, deadlineAt, afterMs, signal } = request
  const job: Job = { request, priority, deadlineAt, resolve, reject }
  const queue = () => {
    state.queue.push(job)
    if (signal) dropWhenAborted(state, job, signal)
    pump(state)
  }
  if (afterMs === undefined) queue()
  else setTimeout(queue, afterMs)
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
  const now = state.options.now()
  while (state.underWay < state.options.inFlight) {
    const job = state.queue[nextIndex(state.queue, now)]
    if (!job) break
    if (job.priority === 'probe' && hasToWait(state, job, now)) break
    state.queue.splice(state.queue.indexOf(job), 1)
    job.unlisten?.()
    if (isRefused(state, job)) job.reject(silence(job.request.unit))
    else void run(state, job)
  }
  if (state.underWay === 0) state.idle.begin(now)
}

const silence = (unit: number) => new NoReplyError(`Unit ${unit} does not answer; it is asked again in idle time`)

/** What was queued for a unit before it fell silent would cost one time-out each. */
function isRefused({ units }: LaneState, { request, priority }: Job): boolean {
  return priority !== 'probe' && priority !== 'demand' && units.get(request.unit)?.silentSince !== undefined
}

/** A probe is the last in the queue: when it comes to it nobody else waits. */
function hasToWait(state: LaneState, { request, deadlineAt }: Job, now: number): boolean {
  if (deadlineAt <= now) return false
  const waitMs = state.idle.missingMs(timeoutOf(state, request), now)
  if (waitMs > 0) wakeAfter(state, Math.min(waitMs, deadlineAt - now))
  return waitMs > 0
}

function wakeAfter(state: LaneState, waitMs: number): void {
  state.wake ??= setTimeout(() => {
    state.wake = undefined
    pump(state)
  }, Math.ceil(waitMs))
}

async function run(state: LaneState, job: Job): Promise<void> {
  state.idle.end(state.options.now())
  state.underWay++
  try {
    const connection = state.connection?.isOpen ? state.connection : await openLink(state)
    job.resolve(await exchange(state, job.request, connection))
  } catch (error) {
    job.reject(error)
  }
  state.underWay--
  if (job.priority !== 'probe' && job.deadlineAt < state.options.now()) state.overruns++
  pump(state)
}

/** Gives a quirky device time. */
async function rest(ms = 0): Promise<void> {
  if (ms > 0) await wait(Math.ceil(ms))
}

async function exchange(state: LaneState, request: LaneRequest, connection: Connection): Promise<Buffer> {
  const { unit, pauseMs } = request
  if (pauseMs) await rest(state.activeAt + pauseMs - state.options.now())
  const startedAt = state.options.now()
  const timeoutMs = timeoutOf(state, request)
  state.requests++
  const reply = await send(state, { request, connection, timeoutMs })
  hear(state)
  heard(state, unit, { reply, tookMs: state.options.now() - startedAt })
  return reply
}

interface Sending {
  readonly request: LaneRequest
  readonly connection: Connection
  readonly timeoutMs: number
}

async function send(state: LaneState, { request, connection, timeoutMs }: Sending): Promise<Buffer> {
  const startedAt = state.options.now()
  const { unit, pdu } = request
  try {
    if (state.taps.size > 0) return await tapped(state.taps, { unit, pdu }, connection.request(unit, pdu, timeoutMs))
    return await connection.request(unit, pdu, timeoutMs)
  } catch (error) {
    if (error instanceof NoReplyError) unheard(state, request, timeoutMs)
    throw error
  } finally {
    state.activeAt = state.options.now()
    if (request.priority === 'probe') state.idle.spend(state.options.now() - startedAt)
  }
}

const healthOf = ({ units }: LaneState, unit: number): UnitHealth => {
  const health = units.get(unit) ?? newUnit()
  units.set(unit, health)
  return health
}

function timeoutOf(state: LaneState, { unit, priority, timeoutMs }: LaneRequest): number {
  if (priority !== 'probe') return timeoutMs
  const { now, hearsLate = false } = state.options
  return probeTimeoutMs(healthOf(state, unit), { timeoutMs, hearsLate }, now())
}

function hear(state: LaneState): void {
  state.timeoutsInARow = 0
  state.freshInARow = 0
  state.silentInARow.clear()
}

/** Exceptions 10 and 11 are a gateway's word for a unit that does not answer. */
function heard(state: LaneState, unit: number, { reply, tookMs }: { reply: Buffer; tookMs: number }): void {
  const gone = unitGoneWords(reply)
  if (gone !== undefined) {
    fellSilent(healthOf(state, unit), { isFull: true }, state.options.now())
    throw new NoReplyError(`Unit ${unit}: ${gone}`)
  }
  state.answered.add(unit)
  replied(healthOf(state, unit), tookMs)
  state.roundTrips.count(tookMs)
  state.roundTripMs = state.roundTripMs === 0 ? tookMs : state.roundTripMs + SMOOTHING * (tookMs - state.roundTripMs)
}

function unheard(state: LaneState, { unit, priority, timeoutMs }: LaneRequest, waitedMs: number): void {
  const health = healthOf(state, unit)
  // Of several requests to a unit under way together only the first says something new.
  if (priority !== 'probe' && health.silentSince === undefined) state.freshInARow++
  fellSilent(health, { isFull: waitedMs >= timeoutMs }, state.options.now())
  state.timeouts++
  state.timeoutsInARow++
  state.silentInARow.add(unit)
  if (!isLinkDead(state)) return
  state.connection?.close('silent', `${state.timeoutsInARow} requests in a row got no answer`)
}

/**
 * A unit that never answers must not cost the others their link: it is dead when several that were thought to be alive
 * are silent one after another, or all that have answered.
 */
function isLinkDead({ timeoutsInARow, freshInARow, answered, silentInARow }: LaneState): boolean {
  if (freshInARow >= DEAD_AFTER_TIMEOUTS) return true
  return timeoutsInARow >= DEAD_AFTER_TIMEOUTS && answered.isSubsetOf(silentInARow)
}

function statusOf(state: LaneState): LaneStatus {
  return {
    lane: state.options.name,
    isOpen: state.connection?.isOpen ?? false,
    requests: state.requests,
    timeouts: state.timeouts,
    strayReplies: state.strayReplies + (state.connection?.strayReplies ?? 0),
    roundTripMs: Math.round(state.roundTripMs * 100) / 100,
    roundTrips: state.roundTrips.read(),
    waiting: state.queue.length,
    overruns: state.overruns,
    silentUnits: [...state.units].filter(([, { silentSince }]) => silentSince !== undefined).map(([unit]) => unit),
  }
}
