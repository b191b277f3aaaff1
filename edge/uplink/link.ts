import type { JournalRecord } from '#edge/journal/journal.ts'
import { decodePayload, PayloadError } from '#shared/sparkplug/payload.ts'
import { parseTopic } from '#shared/sparkplug/topics.ts'
import { commandIdOf, type NodeRequest, readDeviceCommand, readNodeCommand } from './commands.ts'
import type { Connection } from './connection.ts'
import { createDelivery, type Delivery } from './delivery.ts'
import { createPace, type Pace } from './pace.ts'
import { type CommandDesk, createCommandDesk } from './results.ts'
import { createSession, type Session, ticksOf } from './session.ts'
import type { UplinkTiming } from './timing.ts'
import type { UplinkOptions } from './uplink.ts'

/** Most samples sent and not acknowledged: what a host has to hold in its hands, and we in our book. */
const WINDOW_SAMPLES = 200_000
/** Records read from the journal at once. */
const READ_AHEAD = 8
/** How often backlog, heartbeat and the dead link are looked after. */
const TICK_MS = 50
/** A device's death is told this much later, so that its last samples, bad ones, go out before. */
const DEATH_DELAY_MS = 100

/** What outlives a connection: the book of what was sent, and the counts. */
export interface LinkState {
  readonly delivery: Delivery
  readonly pace: Pace
  readonly desk: CommandDesk
  session: Session | undefined
  lastAckAt: number | undefined
  sent: number
  births: number
  refusedMessages: number
}

export function createLinkState({ config, onCommand, log }: UplinkOptions, timing: UplinkTiming): LinkState {
  const resendAfterMs = config.acknowledgement === 'none' ? Number.POSITIVE_INFINITY : timing.resendAfterMs
  const state: LinkState = {
    delivery: createDelivery({ resendAfterMs, windowSamples: WINDOW_SAMPLES }),
    pace: createPace(config.backlogSamplesPerSecond),
    desk: createCommandDesk({ onCommand, answer: (device, json) => state.session?.answer(device, json), log }),
    session: undefined,
    lastAckAt: undefined,
    sent: 0,
    births: 0,
    refusedMessages: 0,
  }
  return state
}

export interface LinkOptions {
  readonly options: UplinkOptions
  readonly timing: UplinkTiming
  readonly state: LinkState
  readonly connection: Connection
  readonly bdSeq: number
  /** Called when the link carries nothing although the connection stands. */
  readonly onDead: (reason: string) => void
}

/** One connection at work: births first, then live samples as they are committed, backlog beside them. */
export interface Link {
  /** A message of the broker. */
  receive(topic: string, payload: Uint8Array): void
  /** Stops all work; nothing is published any more. */
  stop(): void
}

export function startLink(link: LinkOptions): Link {
  return new EdgeLink(link)
}

class EdgeLink implements Link {
  readonly #options: UplinkOptions
  readonly #timing: UplinkTiming
  readonly #state: LinkState
  readonly #connection: Connection
  readonly #session: Session
  readonly #onDead: (reason: string) => void
  readonly #stops: (() => void)[]
  /** When each dead device is to be told, in ticks. */
  readonly #deaths = new Map<string, number>()
  /** Where the search for alarm events and gaps in the backlog goes on; they are sent before all else. */
  #urgentFrom: bigint | undefined
  #reportedAt = 0
  #probedAt = Number.NEGATIVE_INFINITY
  #news = 0

  constructor({ options, timing, state, connection, bdSeq, onDead }: LinkOptions) {
    this.#options = options
    this.#timing = timing
    this.#state = state
    this.#connection = connection
    this.#onDead = onDead
    const { model, journal, clock } = options
    this.#session = createSession({ model, journal, clock, connection, bdSeq, facts: options.facts })
    state.session = this.#session
    state.delivery.begin(journal.acknowledged, journal.newest, ticksOf(clock))
    this.#urgentFrom = journal.acknowledged + 1n
    this.#birth()
    options.facts?.onLinked?.()
    const timer = setInterval(() => this.#tick(), TICK_MS)
    this.#stops = [
      journal.onCommit((records) => this.#sendLive(records)),
      model.onDeviceChange((device, isAlive) => this.#deviceChanged(device, isAlive)),
      () => clearInterval(timer),
    ]
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
    if (this.#state.session === this.#session) this.#state.session = undefined
  }

  receive(topic: string, bytes: Uint8Array): void {
    if (this.#stops.length === 0) return
    const parsed = parseTopic(topic)
    try {
      if (parsed?.message === 'NCMD') this.#serve(readNodeCommand(decodePayload(bytes)))
      else if (parsed?.message === 'DCMD') this.#write(parsed.device, bytes)
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error
      this.#state.refusedMessages += 1
      this.#options.log.warn({ err: error, topic }, 'Command was refused')
    }
  }

  #serve({ acknowledgement, isRebirth, command }: NodeRequest): void {
    if (acknowledgement?.epoch === this.#options.journal.epoch) this.#acknowledge(acknowledgement.offset)
    if (isRebirth) this.#birth()
    if (command) void this.#state.desk.take(command)
  }

  #write(device: string, bytes: Uint8Array): void {
    const { model, journal } = this.#options
    const payload = decodePayload(bytes)
    try {
      void this.#state.desk.take(readDeviceCommand(model, journal, device, payload))
    } catch (error) {
      const id = commandIdOf(payload)
      if (!(error instanceof PayloadError) || id === undefined) throw error
      this.#session.answer(device, JSON.stringify({ id, status: 'refused', error: error.message }))
    }
  }

  #birth(): void {
    this.#session.birth()
    this.#state.births += 1
    this.#noteReport(ticksOf(this.#options.clock))
  }

  #noteReport(now: number): void {
    this.#reportedAt = now
    this.#news = this.#options.facts?.news?.() ?? 0
  }

  /** What the node tells of itself goes out with each birth, when it has news, and every ten seconds. */
  #report(now: number): void {
    const { facts } = this.#options
    if (!facts) return
    const isNews = (facts.news?.() ?? 0) !== this.#news
    if (!isNews && now - this.#reportedAt < this.#timing.reportMs) return
    this.#noteReport(now)
    this.#session.report(facts.report())
  }

  #acknowledge(offset: bigint): void {
    const { journal, clock } = this.#options
    const { delivery, pace } = this.#state
    const now = ticksOf(clock)
    this.#state.lastAckAt = clock.now()
    const latency = delivery.acknowledge(offset > journal.newest ? journal.newest : offset, now)
    if (latency !== undefined) pace.observe(latency, now)
    journal.acknowledge(offset)
  }

  #deviceChanged(device: string, isAlive: boolean): void {
    if (!isAlive) {
      this.#deaths.set(device, ticksOf(this.#options.clock) + DEATH_DELAY_MS)
      return
    }
    this.#deaths.delete(device)
    this.#session.birthDevice(device)
  }

  #sendLive(records: readonly JournalRecord[]): void {
    const { delivery } = this.#state
    for (const record of records) {
      if (this.#connection.isCongested || !delivery.hasRoom) delivery.postpone(record)
      else this.#send(record, record.class === 'backfill')
    }
  }

  #send(record: JournalRecord, isHistorical: boolean): void {
    this.#session.send(record, isHistorical)
    this.#state.delivery.markSent(record, ticksOf(this.#options.clock))
    this.#state.sent += record.samples.length
  }

  #tick(): void {
    const now = ticksOf(this.#options.clock)
    if (this.#options.config.acknowledgement === 'none') this.#roll(now)
    else if (this.#isDead(now)) return
    this.#pump(now)
    this.#tellDeaths(now)
    this.#report(now)
    if (now - this.#session.lastSentTicks >= this.#timing.heartbeatMs - TICK_MS) this.#session.heartbeat()
  }

  #isDead(now: number): boolean {
    const since = this.#state.delivery.waitingSince()
    if (since === undefined || now - since <= this.#timing.ackTimeoutMs) return false
    this.#onDead(`No acknowledgement for ${now - since} ms`)
    return true
  }

  /** Takes for acknowledged what was sent long enough ago and has reached the broker. A connection may stand and carry nothing. */
  #roll(now: number): void {
    const { journal } = this.#options
    const { delivery } = this.#state
    const { rollingMs } = this.#timing
    if (now - this.#probedAt >= rollingMs / 2) {
      this.#probedAt = now
      this.#connection.probe()
    }
    const reachedAt = this.#connection.reachedAt ?? Number.NEGATIVE_INFINITY
    const offset = delivery.sentBefore(Math.min(now - rollingMs, reachedAt), journal.newest)
    if (offset <= journal.acknowledged) return
    delivery.acknowledge(offset, now)
    journal.acknowledge(offset)
  }

  #tellDeaths(now: number): void {
    for (const [device, at] of this.#deaths) {
      if (at > now) continue
      this.#deaths.delete(device)
      this.#session.killDevice(device)
    }
    if (!this.#state.delivery.backlog.isEmpty) return
    for (const device of this.#session.lent) this.#session.killDevice(device)
  }

  /** Sends backlog as fast as the pace, the window and the socket allow: alarm events and gaps first. */
  #pump(now: number): void {
    const { delivery, pace } = this.#state
    let budget = pace.budget(now)
    while (budget > 0 && !delivery.backlog.isEmpty && delivery.hasRoom && !this.#connection.isCongested) {
      const records = this.#nextBacklog()
      if (records.length === 0) continue
      const samples = records.reduce((sum, record) => sum + record.samples.length, 0)
      for (const record of records) this.#send(record, true)
      pace.spend(samples)
      budget -= samples
    }
  }

  /** The next records of the backlog, taken out of it; none when the journal no longer has what the backlog names. */
  #nextBacklog(): JournalRecord[] {
    const urgent = this.#nextUrgent()
    if (urgent) return [urgent]
    const { backlog } = this.#state.delivery
    const range = backlog.ranges[0]
    if (!range) return []
    const read = this.#options.journal.read(range.first, READ_AHEAD).filter(({ first }) => first <= range.last)
    const end = read.at(-1)?.last ?? range.last
    backlog.remove(range.first, end)
    return read
  }

  #nextUrgent(): JournalRecord | undefined {
    const { backlog } = this.#state.delivery
    while (this.#urgentFrom !== undefined) {
      const [record] = this.#options.journal.readUrgent(this.#urgentFrom, 1)
      this.#urgentFrom = record && record.last + 1n
      if (!record || !backlog.has(record.first)) continue
      backlog.remove(record.first, record.last)
      return record
    }
    return undefined
  }
}
