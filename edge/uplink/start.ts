import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { EdgeModel } from '#edge/model.ts'
import { commandFilters, formatTopic } from '#shared/sparkplug/topics.ts'
import { ConnectError, type Connection, type ConnectionOptions, openConnection } from './connection.ts'
import { createHostWatch, type HostMemory, type HostWatch } from './host-watch.ts'
import { createLinkState, type Link, type LinkState, startLink } from './link.ts'
import { deathOf, ticksOf } from './session.ts'
import { UPLINK_TIMING, type UplinkTiming } from './timing.ts'
import type { Uplink, UplinkOptions, UplinkStatus } from './uplink.ts'

/** How long a clean stop waits for the broker to take the NDEATH. */
const LEAVE_MS = 2000
const HOST_OFFLINE = 'The primary host is offline'

/**
 * Connects to the broker as a Sparkplug edge node, keeps connecting until close(), and sends what the journal holds.
 * Never throws for a link that does not work: status() and the log tell.
 */
export function startUplink(options: UplinkOptions): Uplink {
  const timing = { ...UPLINK_TIMING, ...options.timing }
  const loop = new UplinkLoop({ ...options, log: options.log.child({ part: 'uplink' }) }, timing)
  return { status: () => loop.status(), close: () => loop.close() }
}

class UplinkLoop {
  readonly #options: UplinkOptions
  readonly #timing: UplinkTiming
  readonly #link: LinkState
  readonly #stop = new AbortController()
  readonly #done: Promise<void>
  #state: UplinkStatus['state'] = 'connecting'
  #since: number
  #lastError: string | undefined
  #connects = 0
  /** Brokers in their order, and which of them is tried. */
  readonly #servers: readonly string[]
  #turn = 0
  /** What each broker has told of the primary host: hosts count its time for each broker by itself. */
  readonly #memories = new Map<string, HostMemory>()
  /** Number of the next CONNECT; kept when an attempt did not come as far as that. */
  #bdSeq: number | undefined

  constructor(options: UplinkOptions, timing: UplinkTiming) {
    this.#options = options
    this.#timing = timing
    this.#link = createLinkState(options, timing)
    this.#since = options.clock.now()
    this.#servers = [options.config.url, ...(options.config.servers ?? [])]
    this.#done = this.#run()
  }

  status(): UplinkStatus {
    const { delivery, sent, births, refusedMessages, lastAckAt } = this.#link
    const { acknowledged, depth } = this.#options.journal.status()
    const waiting = delivery.backlog.ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
    return {
      state: this.#state,
      since: this.#since,
      server: this.#server,
      lastError: this.#lastError,
      connects: this.#connects,
      lastAckAt,
      acknowledged,
      depth,
      inFlight: delivery.inFlightSamples,
      backlog: waiting < BigInt(depth) ? waiting : BigInt(depth),
      sent,
      resent: delivery.resent,
      births,
      refusedMessages,
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    let pauseMs = this.#timing.reconnectMinMs
    while (!this.#stop.signal.aborted) {
      const connects = this.#connects
      this.#enter('connecting')
      const reason = await this.#connectOnce()
      if (this.#stop.signal.aborted) break
      if (this.#connects > connects) pauseMs = this.#timing.reconnectMinMs
      this.#lastError = reason
      this.#turn += 1
      this.#options.log.warn({ reason, pauseMs: Math.round(pauseMs) }, 'Link to the cloud is down')
      this.#enter('waiting')
      await pause(pauseMs * (0.75 + Math.random() / 2), undefined, { signal: this.#stop.signal }).catch(() => undefined)
      const isRoundOver = this.#turn % this.#servers.length === 0
      if (isRoundOver) pauseMs = Math.min(this.#timing.reconnectMaxMs, pauseMs * 2)
    }
    this.#enter('closed')
  }

  get #server(): string {
    return this.#servers[this.#turn % this.#servers.length] ?? this.#options.config.url
  }

  #memoryOf(server: string): HostMemory {
    const memory = this.#memories.get(server) ?? { newest: Number.NEGATIVE_INFINITY }
    this.#memories.set(server, memory)
    return memory
  }

  /** Ends the wait for a primary host that does not come, where another server may have it; answers how to stop that. */
  #limitWait(watch: HostWatch, giveUp: (reason: string) => void): () => void {
    if (this.#servers.length === 1) return () => undefined
    const timer = setTimeout(() => watch.isOnline || giveUp(HOST_OFFLINE), this.#timing.hostWaitMs)
    return () => clearTimeout(timer)
  }

  #enter(state: UplinkStatus['state']): void {
    if (state === this.#state) return
    this.#state = state
    this.#since = this.#options.clock.now()
  }

  /** One connection from CONNECT to its end; answers why it ended. */
  async #connectOnce(): Promise<string> {
    const { journal, config, clock } = this.#options
    let isUsed = true
    const lost = Promise.withResolvers<string>()
    const stopped = () => lost.resolve('closed')
    this.#stop.signal.addEventListener('abort', stopped, { once: true })
    const watch = createHostWatch({
      host: config.primaryHost,
      memory: this.#memoryOf(this.#server),
      now: () => clock.now(),
      onOffline: (wasOnline) => {
        if (wasOnline || this.#servers.length > 1) lost.resolve(HOST_OFFLINE)
      },
    })
    try {
      this.#bdSeq ??= journal.nextBdSeq()
      return await this.#live(this.#bdSeq, watch, lost)
    } catch (error) {
      if (error instanceof ConnectError && !error.isSent) isUsed = false
      return error instanceof Error ? error.message : String(error)
    } finally {
      if (isUsed) this.#bdSeq = undefined
      this.#stop.signal.removeEventListener('abort', stopped)
    }
  }

  async #live(bdSeq: number, watch: HostWatch, lost: PromiseWithResolvers<string>): Promise<string> {
    let link: Link | undefined
    const connection = await this.#connect(bdSeq, lost.resolve, (topic, payload, isRetained) => {
      watch.receive(topic, payload)
      // A command that the broker has kept would be carried out again at every connection; Sparkplug forbids to retain one.
      if (!isRetained) link?.receive(topic, payload)
    })
    if (this.#stop.signal.aborted) lost.resolve('closed')
    let reason = 'The connection ended'
    const stopWaiting = this.#limitWait(watch, lost.resolve)
    try {
      await connection.subscribe(this.#topics())
      if (!watch.isOnline) this.#enter('waiting')
      await Promise.race([watch.online, lost.promise])
      if (watch.isOnline && !this.#stop.signal.aborted) link = this.#open(connection, bdSeq, lost.resolve)
      reason = await lost.promise
    } finally {
      stopWaiting()
      link?.stop()
      await this.#leave(connection, bdSeq, reason)
    }
    return reason
  }

  #connect(bdSeq: number, onLost: (reason: string) => void, onMessage: ConnectionOptions['onMessage']) {
    const { model, clock, config, redial } = this.#options
    return openConnection({
      redial,
      config: { ...config, url: this.#server },
      clientId: clientIdOf(model),
      connectTimeoutMs: this.#timing.connectTimeoutMs,
      will: deathOf(model, bdSeq, clock.now()),
      signal: this.#stop.signal,
      ticks: () => ticksOf(clock),
      onMessage,
      onLost,
    })
  }

  #open(connection: Connection, bdSeq: number, onDead: (reason: string) => void): Link {
    const link = startLink({
      options: this.#options,
      timing: this.#timing,
      state: this.#link,
      connection,
      bdSeq,
      onDead,
    })
    this.#connects += 1
    this.#enter('connected')
    this.#options.log.info({ bdSeq, acknowledged: String(this.#options.journal.acknowledged) }, 'Linked to the cloud')
    return link
  }

  /** A clean stop, and an offline host, say NDEATH; a dead link is cut, so that the broker says it. */
  async #leave(connection: Connection, bdSeq: number, reason: string): Promise<void> {
    const isOrderly = this.#stop.signal.aborted || reason === HOST_OFFLINE
    if (!isOrderly) return connection.cut()
    const { topic, payload } = deathOf(this.#options.model, bdSeq, this.#options.clock.now())
    const timeout = AbortSignal.timeout(LEAVE_MS)
    await Promise.race([
      connection.leave(topic, payload).catch(() => undefined),
      new Promise((resolve) => timeout.addEventListener('abort', resolve, { once: true })),
    ])
    connection.cut()
  }

  #topics(): string[] {
    const { model, config } = this.#options
    const state = config.primaryHost === undefined ? [] : [formatTopic({ message: 'STATE', host: config.primaryHost })]
    return [...state, ...commandFilters(model.group, model.edge)]
  }
}

/** One id an edge node, so that a broker drops a connection that was left behind; long names are hashed. */
function clientIdOf({ group, edge }: EdgeModel): string {
  const id = `andon-${group}-${edge}`
  return id.length <= 100 ? id : `andon-${createHash('sha256').update(id).digest('hex')}`
}
