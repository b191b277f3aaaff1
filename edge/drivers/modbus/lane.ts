import { type LaneStatus, type LossKind, NotConnectedError } from '../driver.ts'
import { type Connection, type ConnectionOptions, NoReplyError, openConnection } from './connection.ts'

/** Time-outs in a row, of every unit that has answered before, after which the link itself is taken for dead. */
const DEAD_AFTER_TIMEOUTS = 3
/** Weight of the newest round trip in the smoothed one. */
const SMOOTHING = 0.1

export interface LaneRequest {
  readonly unit: number
  readonly pdu: Buffer
  readonly timeoutMs: number
  /** Writes go before everything that waits. */
  readonly isWrite?: boolean
}

/** One physical link, shared by every device behind the same address. One request is outstanding; others wait in order of arrival. */
export interface Lane {
  /** Opens the link unless it is open. Throws NotConnectedError. */
  open(signal: AbortSignal): Promise<void>
  /** Resolves with the reply's PDU. Throws NoReplyError for a silent unit, NotConnectedError for a broken link. */
  request(request: LaneRequest): Promise<Buffer>
  /** Breaks the link because what came over it cannot be trusted; all devices behind it reconnect. */
  reset(kind: LossKind, why: string): void
  status(): LaneStatus
}

interface Job {
  readonly request: LaneRequest
  readonly resolve: (pdu: Buffer) => void
  readonly reject: (error: unknown) => void
}

interface LaneState {
  connection: Connection | undefined
  opening: Promise<Connection> | undefined
  isBusy: boolean
  timeoutsInARow: number
  /** Units that have answered on this connection, and those whose time-outs are in a row now. */
  readonly answered: Set<number>
  readonly silent: Set<number>
  requests: number
  timeouts: number
  strayReplies: number
  roundTripMs: number
  readonly queue: Job[]
}

/** Makes a lane to one address. Nothing is opened yet. */
export function createLane(options: ConnectionOptions): SharedLane {
  const name = `modbus ${options.host}:${options.port}`
  const state: LaneState = {
    connection: undefined,
    opening: undefined,
    isBusy: false,
    timeoutsInARow: 0,
    answered: new Set(),
    silent: new Set(),
    requests: 0,
    timeouts: 0,
    strayReplies: 0,
    roundTripMs: 0,
    queue: [],
  }
  let users = 0
  return {
    async open(signal) {
      if (state.connection?.isOpen) return
      state.opening ??= openConnection(options, signal).finally(() => {
        state.opening = undefined
      })
      adopt(state, await state.opening)
    },
    request(request) {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      const job = { request, resolve, reject }
      if (request.isWrite) state.queue.splice(firstRead(state.queue), 0, job)
      else state.queue.push(job)
      void work(state)
      return promise
    },
    reset: (kind, why) => state.connection?.close(kind, why),
    status: () => statusOf(name, state),
    join: () => {
      users++
    },
    leave: () => {
      users--
      if (users === 0) state.connection?.close('closed', 'nobody needs it any more')
    },
  }
}

/** A lane with its count of users: the last one to leave closes the link. */
export interface SharedLane extends Lane {
  join(): void
  leave(): void
}

function adopt(state: LaneState, connection: Connection): void {
  if (state.connection === connection) return
  state.strayReplies += state.connection?.strayReplies ?? 0
  state.connection = connection
  state.answered.clear()
  hear(state)
}

const firstRead = (queue: readonly Job[]) => {
  const index = queue.findIndex((job) => !job.request.isWrite)
  return index < 0 ? queue.length : index
}

async function work(state: LaneState): Promise<void> {
  if (state.isBusy) return
  state.isBusy = true
  for (let job = state.queue.shift(); job; job = state.queue.shift()) {
    try {
      job.resolve(await exchange(state, job.request))
    } catch (error) {
      job.reject(error)
    }
  }
  state.isBusy = false
}

async function exchange(state: LaneState, { unit, pdu, timeoutMs }: LaneRequest): Promise<Buffer> {
  const { connection } = state
  if (!connection) throw new NotConnectedError('closed', 'The link is not open')
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

function statusOf(lane: string, state: LaneState): LaneStatus {
  return {
    lane,
    isOpen: state.connection?.isOpen ?? false,
    requests: state.requests,
    timeouts: state.timeouts,
    strayReplies: state.strayReplies + (state.connection?.strayReplies ?? 0),
    roundTripMs: Math.round(state.roundTripMs * 100) / 100,
  }
}
