import { climb, type Rung } from './ladder.ts'
import type { PublishFault } from './publishing.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface WatchOptions {
  readonly subscriptions: Pick<Subscriptions, 'steps' | 'overdueMs' | 'limitMs' | 'awaitSign'>
  /** A rung brought the reports back. */
  readonly onHelped: (rung: Rung) => void
  /** No rung did: only a new channel can help. */
  readonly onDead: () => void
}

/** Looks after the subscriptions of one link. */
export interface Watch {
  /** Begins to look for silence. */
  start(): void
  /** A fault that needs no silence to be seen. */
  fault(fault: PublishFault): void
  stop(): void
}

/** How often the watchdog looks, in ms. */
const LOOK_EVERY_MS = 250
const FIRST_RUNG: Readonly<Record<PublishFault, Rung>> = {
  missed: 'recreate',
  'subscription-ended': 'recreate',
  'session-ended': 'new-session',
}

/** Climbs the ladder when a subscription is silent for too long or a fault is told; one climb at a time. */
export function createWatch({ subscriptions, onHelped, onDead }: WatchOptions): Watch {
  let timer: NodeJS.Timeout | undefined
  let isClimbing = false
  let isOver = false
  let next: Rung | undefined
  const stop = () => {
    isOver = true
    clearInterval(timer)
  }
  const start = async (from: Rung) => {
    if (isOver) return
    isClimbing = true
    const { steps, awaitSign } = subscriptions
    const rung = await climb(from, { steps, awaitSign, limitMs: subscriptions.limitMs() })
    isClimbing = false
    if (isOver) return
    if (rung === undefined) {
      stop()
      return onDead()
    }
    onHelped(rung)
    const again = next
    next = undefined
    if (again) await start(again)
  }
  return {
    start() {
      timer = setInterval(() => {
        if (!isClimbing && subscriptions.overdueMs() > 0) void start('republish')
      }, LOOK_EVERY_MS)
    },
    fault(fault) {
      if (isClimbing) next = FIRST_RUNG[fault]
      else void start(FIRST_RUNG[fault])
    },
    stop,
  }
}
