import type { EdgeShard } from '../shard/edge-shard.ts'

/** How often edges are asked to be born again. */
export interface RebirthLimits {
  /** Requests to all edges together. */
  readonly perSecond: number
  /** Requests that may go at once after a quiet time. */
  readonly burst: number
  /** Least time between two requests to one edge; doubles with each, until births have been quiet for a while. */
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

/** What one edge was asked. Lives in its shard. */
export interface RebirthState {
  /** ms since 1970; null: never. */
  askedAt: number | null
  /** Requests since births were last quiet. */
  attempts: number
  /** Why a request is due, a constant in kebab-case; null: none is. */
  wanted: string | null
  /** No birth has come since the last request. */
  isOpen: boolean
}

/** Asks edges to be born again, never faster than the limits; a request that no birth follows is repeated. */
export interface RebirthDesk {
  /** Notes that the edge must be born again, and asks at once when that is allowed. */
  want(shard: EdgeShard, reason: string): void
  /** The edge was born, or is gone. */
  settle(shard: EdgeShard): void
  /** Sends what has become due. */
  tick(now: number): void
  /** Edges that wait for their turn or have not answered yet. */
  readonly waiting: number
}

export interface RebirthDeskOptions {
  readonly limits: RebirthLimits
  /** ms since 1970 */
  readonly clock: () => number
  /** Sends the request; `isRepeat`: an earlier one was not answered. */
  readonly send: (shard: EdgeShard, reason: string, isRepeat: boolean) => void
}

/** An edge that does not answer so many requests is left alone until it gives a new cause. */
const MOST_ATTEMPTS = 12
/** After this long without a request the pauses begin anew. */
const QUIET_MS = 600_000

/** A state in which nothing was asked yet. */
export const nothingAsked = (): RebirthState => ({ askedAt: null, attempts: 0, wanted: null, isOpen: false })

/** Opens the desk. */
export function rebirthDesk({ limits, clock, send }: RebirthDeskOptions): RebirthDesk {
  const queue = new Set<EdgeShard>()
  let tokens = limits.burst
  let filledAt = clock()
  const refill = (now: number) => {
    tokens = Math.min(limits.burst, tokens + (Math.max(0, now - filledAt) / 1000) * limits.perSecond)
    filledAt = now
  }
  const dueAt = ({ askedAt, attempts }: RebirthState) =>
    askedAt === null
      ? 0
      : askedAt + Math.min(limits.firstPauseMs * 2 ** Math.max(0, attempts - 1), limits.longestPauseMs)
  const ask = (shard: EdgeShard, now: number) => {
    const { rebirth } = shard.session
    const reason = rebirth.wanted
    if (reason === null || now < dueAt(rebirth) || tokens < 1) return
    tokens -= 1
    const isRepeat = rebirth.isOpen
    rebirth.isOpen = true
    rebirth.askedAt = now
    rebirth.attempts += 1
    // To the end: edges that were never asked come first.
    queue.delete(shard)
    if (rebirth.attempts < MOST_ATTEMPTS) queue.add(shard)
    else rebirth.wanted = null
    send(shard, reason, isRepeat)
  }
  return {
    want(shard, reason) {
      const { rebirth } = shard.session
      if (rebirth.wanted !== null) return
      const now = clock()
      if (rebirth.askedAt !== null && now - rebirth.askedAt > QUIET_MS) rebirth.attempts = 0
      rebirth.wanted = reason
      queue.add(shard)
      refill(now)
      ask(shard, now)
    },
    settle(shard) {
      shard.session.rebirth.wanted = null
      shard.session.rebirth.isOpen = false
      queue.delete(shard)
    },
    tick(now) {
      refill(now)
      for (const shard of [...queue]) {
        if (tokens < 1) return
        ask(shard, now)
      }
    },
    get waiting() {
      return queue.size
    },
  }
}
