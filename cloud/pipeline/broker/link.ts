import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'
import type { Connection } from './external-connection.ts'

export interface LinkOptions {
  /** Opens one connection; `onLost` is called once when it is gone. */
  readonly open: (onLost: (reason: string) => void, stop: AbortSignal) => Promise<Connection>
  /** Subscribes and says what must be said first. A connection whose greeting fails is cut. */
  readonly greet: (connection: Connection) => Promise<void>
  /** Told when a greeted connection stands and when it is gone, on purpose or not. */
  readonly onChange: (isUp: boolean) => void
  /** Named in faults and logs, without credentials. */
  readonly url: string
  readonly backOff: BackOff
  readonly log: Log
  readonly metrics?: PipelineMetrics | undefined
}

/** The wait before attempt n + 1 is `firstMs` × 2^n, at most `mostMs`, less up to half by chance. */
export interface BackOff {
  readonly firstMs: number
  readonly mostMs: number
}

/** Keeps one connection open until it is closed. */
export interface Link {
  /** Undefined while there is none that has been greeted. */
  readonly connection: Connection | undefined
  /** Why there is none, in words. */
  fault(): string | undefined
  /** Replaces the connection by a new one, the old one left in good order; resolves when the next attempt has ended. */
  renew(): Promise<void>
  close(): Promise<void>
}

/** Starts to connect; resolves when the first attempt has ended, well or not. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const stop = new AbortController()
  const at: Attempts = {
    connection: undefined,
    reason: 'not connected yet',
    ended: Promise.withResolvers(),
    failures: 0,
    isRenewing: false,
    isUp: false,
  }
  const first = at.ended.promise
  const running = keepConnected(options, at, stop.signal)
  await first
  return {
    get connection() {
      return at.connection
    },
    fault: () => (at.connection ? undefined : `The MQTT broker ${options.url} is out of reach: ${at.reason}`),
    async renew() {
      const next = at.ended.promise
      at.isRenewing = at.connection !== undefined
      await at.connection?.leave()
      await next
    },
    async close() {
      stop.abort()
      await at.connection?.leave()
      await running
    },
  }
}

interface Attempts {
  connection: Connection | undefined
  reason: string
  /** Resolves when the attempt under way, or the next, has ended. */
  ended: PromiseWithResolvers<void>
  failures: number
  /** The present connection is left on purpose, and the next opened at once. */
  isRenewing: boolean
  /** What was told last. */
  isUp: boolean
}

async function keepConnected(options: LinkOptions, at: Attempts, stop: AbortSignal): Promise<void> {
  const { backOff, metrics } = options
  while (!stop.aborted) {
    const startedAt = performance.now()
    at.reason = await connectOnce(options, at, stop)
    // One that is thrown out again and again, soon after it came, waits longer each time.
    const hasLasted = at.connection !== undefined && performance.now() - startedAt > backOff.mostMs
    at.failures = hasLasted ? 0 : at.failures + 1
    at.connection = undefined
    metrics?.gauge('mqtt_connected', 0)
    if (!at.isRenewing) await wait(backOff, at.failures, stop)
    at.isRenewing = false
  }
  endAttempt(at)
}

/** Opens a connection, waits for its end and answers why it ended, or why there was none. */
async function connectOnce(options: LinkOptions, at: Attempts, stop: AbortSignal): Promise<string> {
  const lost = Promise.withResolvers<string>()
  try {
    at.connection = await greeted(options, lost.resolve, stop)
  } catch (error) {
    if (!stop.aborted) tellFailure(options, at, error as Error)
    tellChange(options, at, false)
    endAttempt(at)
    return (error as Error).message
  }
  options.metrics?.gauge('mqtt_connected', 1)
  options.log.info({ url: options.url }, 'Connected to the MQTT broker')
  endAttempt(at)
  tellChange(options, at, true)
  const reason = await lost.promise
  // One that is renewed is there again before anybody could miss it.
  if (!at.isRenewing) tellChange(options, at, false)
  if (!stop.aborted && !at.isRenewing) tellLoss(options, reason)
  return reason
}

/** Each attempt ends once; whoever waits for the next one gets a new promise. */
function endAttempt(at: Attempts): void {
  at.ended.resolve()
  at.ended = Promise.withResolvers()
}

async function greeted(options: LinkOptions, onLost: (reason: string) => void, stop: AbortSignal): Promise<Connection> {
  const connection = await options.open(onLost, stop)
  try {
    await options.greet(connection)
    stop.throwIfAborted()
    return connection
  } catch (error) {
    await connection.leave().catch(() => connection.cut())
    throw error
  }
}

/** A renewed connection is told too: messages may have been missed meanwhile. */
function tellChange({ onChange }: LinkOptions, at: Attempts, isUp: boolean): void {
  const isNews = isUp || at.isUp
  at.isUp = isUp
  if (isNews) onChange(isUp)
}

function tellLoss({ log, url, metrics }: LinkOptions, reason: string): void {
  metrics?.count('mqtt_connections_lost_total', 1)
  log.warn({ url, reason }, 'The connection to the MQTT broker is gone; it is opened again')
}

/** One line for each reason, not for each attempt. */
function tellFailure({ log, url, metrics }: LinkOptions, at: Attempts, error: Error): void {
  metrics?.count('mqtt_connections_failed_total', 1)
  if (at.reason !== error.message) log.error({ url, err: error }, 'The MQTT broker is out of reach; it is tried again')
}

async function wait({ firstMs, mostMs }: BackOff, failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1))
  await delay(failures === 0 ? 0 : longest * (1 - Math.random() / 2), undefined, { signal }).catch(() => undefined)
}
