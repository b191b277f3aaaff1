import { Redis } from 'ioredis'
import type { Log } from '#shared/log/log.ts'
import { createListeners, type FanOut } from './fanout.ts'

export interface RedisFanOutOptions {
  /** `redis://user:password@host:6379`, or `rediss://` for TLS. */
  readonly url: string
  /** Before each channel, so that installations can share a server. */
  readonly prefix: string
  readonly log: Log
}

const CONNECT_TIMEOUT_MS = 5000
/** A server that vanished without a word is noticed by TCP. */
const KEEP_ALIVE_MS = 5000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000

/**
 * Fan-out by a Redis server, on two connections: one that listens can do nothing else. Resolves after the first attempt even
 * when it failed: `fault()` says so, and it is tried again.
 */
export async function redisFanOut({ url, prefix, log }: RedisFanOutOptions): Promise<FanOut> {
  const listeners = createListeners()
  const missed = new Set<() => void>()
  const [publisher, subscriber] = [connectionTo(url), connectionTo(url)]
  const health = watchHealth({ url, log, publisher, subscriber })
  const listen = async (channels: readonly string[]) => {
    if (channels.length > 0) await subscriber.subscribe(...channels.map((channel) => prefix + channel))
  }
  let hasListened = false
  subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) =>
    listeners.tell(channel.toString().slice(prefix.length), message),
  )
  subscriber.on('ready', () => {
    const isBack = hasListened
    hasListened = true
    listen(listeners.channels()).then(
      () => isBack && tellAll(missed),
      // The connection is lost again; the next one listens.
      () => undefined,
    )
  })
  await Promise.allSettled([publisher.connect(), subscriber.connect()])
  return {
    async publish(channel, message) {
      if (publisher.status === 'ready') await publisher.publish(prefix + channel, message).catch(() => undefined)
    },
    subscribe(channel, hear) {
      const { isFirst, remove } = listeners.add(channel, hear)
      if (isFirst && subscriber.status === 'ready') listen([channel]).catch(() => undefined)
      return () => {
        if (remove().isLast && subscriber.status === 'ready')
          subscriber.unsubscribe(prefix + channel).catch(() => undefined)
      }
    },
    onMissed(hear) {
      const own = () => hear()
      missed.add(own)
      return () => void missed.delete(own)
    },
    fault: health.fault,
    async close() {
      health.end()
      listeners.clear()
      publisher.disconnect()
      subscriber.disconnect()
    },
  }
}

/** Commands fail at once while there is no connection: a hint that waits is none. */
const connectionTo = (url: string): Redis =>
  new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    retryStrategy: (attempt) => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10)),
  })

interface Watched {
  readonly url: string
  readonly log: Log
  readonly publisher: Redis
  readonly subscriber: Redis
}

/** Tells once that the server is away, and once that it is back. */
function watchHealth({ url, log, publisher, subscriber }: Watched) {
  const { host } = new URL(url)
  let reason: string | undefined = 'not connected yet'
  let [isTold, isEnded] = [false, false]
  const isUp = () => publisher.status === 'ready' && subscriber.status === 'ready'
  const lose = (words: string) => {
    reason = words
    if (isTold || isEnded) return
    isTold = true
    log.warn({ host, reason }, 'Redis is out of reach; it is tried again, and nothing is lost meanwhile')
  }
  const regain = () => {
    if (!isUp()) return
    if (isTold) log.info({ host }, 'Redis is there again')
    reason = undefined
    isTold = false
  }
  for (const connection of [publisher, subscriber]) {
    connection.on('error', (error: Error) => lose(error.message))
    connection.on('close', () => lose(reason ?? 'the connection is gone'))
    connection.on('ready', regain)
  }
  return {
    fault: () =>
      isUp() ? undefined : `Redis ${host} is out of reach: ${reason}. Live values come more slowly meanwhile`,
    end: () => {
      isEnded = true
    },
  }
}

function tellAll(listeners: ReadonlySet<() => void>): void {
  for (const hear of [...listeners]) hear()
}
