import type { Clock, Journal, JournalRecord } from '#edge/journal/journal.ts'
import type { EdgeModel } from '#edge/model.ts'
import { DataWriter } from '#shared/sparkplug/data-writer.ts'
import { encodePayload, type OutgoingMetric } from '#shared/sparkplug/payload.ts'
import { nextSeq } from '#shared/sparkplug/session.ts'
import { type DeviceMessage, formatTopic, type NodeMessage } from '#shared/sparkplug/topics.ts'
import type { Connection } from './connection.ts'
import {
  bdSeqMetric,
  bornDevice,
  deviceBirth,
  heartbeatMetric,
  nodeBirth,
  resultMetric,
  statusMetric,
  writeRecord,
} from './metrics.ts'
import type { NodeFacts } from './uplink.ts'

export interface SessionOptions {
  readonly model: EdgeModel
  readonly journal: Journal
  readonly clock: Clock
  readonly connection: Connection
  readonly bdSeq: number
  readonly facts?: NodeFacts | undefined
}

/** The Sparkplug side of one connection: births, data, deaths and one sequence over all of them. */
export interface Session {
  /** NBIRTH, then a DBIRTH for every device that lives. Again on a rebirth request. */
  birth(): void
  /** DBIRTH of a device that has come to life. */
  birthDevice(device: string): void
  /** DDEATH, when the device is born. */
  killDevice(device: string): void
  /** NDATA or DDATA of a record. A device or tag that the host does not know is born first. */
  send(record: JournalRecord, isHistorical: boolean): void
  heartbeat(): void
  answer(device: string | undefined, json: string): void
  /** NDATA with what the node tells of itself. */
  report(json: string): void
  /** Devices that are born only because old samples of them had to be sent. */
  readonly lent: ReadonlySet<string>
  /** When the last message was sent, in ticks. */
  readonly lastSentTicks: number
  readonly births: number
}

/** Topic and payload of the NDEATH of a session: the will, and the last words of a clean stop. */
export function deathOf({ group, edge }: EdgeModel, bdSeq: number, at: number) {
  const topic = formatTopic({ message: 'NDEATH', group, edge })
  return { topic, payload: encodePayload({ timestamp: at, metrics: [bdSeqMetric(bdSeq, at)] }) }
}

/** Time for waits and delays, in ms: on a clock that nobody sets, where there is one. */
export const ticksOf = (clock: Clock): number => clock.monotonic?.() ?? clock.now()

export function createSession(options: SessionOptions): Session {
  return new EdgeSession(options)
}

class EdgeSession implements Session {
  readonly lent = new Set<string>()
  lastSentTicks = 0
  births = 0
  /** Gateway time of the last message. */
  #lastSentAt = 0
  readonly #options: SessionOptions
  /** Tags that the host knows, by device. */
  readonly #born = new Map<string, Set<number>>()
  /** Tags beyond the model that old samples needed. */
  readonly #extra = new Map<string, Set<number>>()
  readonly #writer = new DataWriter()
  #seq = 0

  constructor(options: SessionOptions) {
    this.#options = options
  }

  birth(): void {
    const { model, journal, bdSeq, clock } = this.#options
    this.#born.clear()
    this.lent.clear()
    this.#seq = 255
    this.#publish('NBIRTH', undefined, nodeBirth(journal, bdSeq, clock.now(), this.#options.facts))
    this.births += 1
    for (const { device } of model.devices) if (model.isAlive(device)) this.birthDevice(device)
  }

  birthDevice(device: string): void {
    const { model, journal, clock } = this.#options
    const born = bornDevice(model, journal, device, this.#extra.get(device) ?? new Set())
    this.#born.set(device, new Set(born.tags.map(({ id }) => id)))
    if (model.isAlive(device)) this.lent.delete(device)
    else this.lent.add(device)
    this.#publish('DBIRTH', device, deviceBirth(model, journal, born, clock.now()))
  }

  killDevice(device: string): void {
    this.lent.delete(device)
    if (this.#born.delete(device)) this.#publish('DDEATH', device, [])
  }

  send(record: JournalRecord, isHistorical: boolean): void {
    const { device } = record
    if (device !== undefined) this.#ensureBorn(device, record)
    const { journal, connection } = this.#options
    const topic = this.#next(device === undefined ? 'NDATA' : 'DDATA', device)
    this.#writer.begin(this.#lastSentAt, this.#seq, isHistorical)
    writeRecord(this.#writer, journal, record, isHistorical)
    connection.publish(topic, this.#writer.end())
  }

  heartbeat(): void {
    const { journal, clock } = this.#options
    this.#publish('NDATA', undefined, [heartbeatMetric(journal, clock.now())])
  }

  answer(device: string | undefined, json: string): void {
    const isBorn = device !== undefined && this.#born.has(device)
    const { journal, clock } = this.#options
    const metric = resultMetric(journal, isBorn ? device : undefined, json, clock.now())
    this.#publish(isBorn ? 'DDATA' : 'NDATA', isBorn ? device : undefined, [metric])
  }

  report(json: string): void {
    const { journal, clock } = this.#options
    this.#publish('NDATA', undefined, [statusMetric(journal, json, clock.now())])
  }

  #ensureBorn(device: string, record: JournalRecord): void {
    const known = this.#born.get(device)
    if (known && record.samples.every(({ tagId }) => known.has(tagId))) return
    const extra = this.#extra.get(device) ?? new Set()
    for (const { tagId } of record.samples) extra.add(tagId)
    this.#extra.set(device, extra)
    this.birthDevice(device)
  }

  #publish(message: NodeMessage | DeviceMessage, device: string | undefined, metrics: readonly OutgoingMetric[]): void {
    const topic = this.#next(message, device)
    this.#options.connection.publish(topic, encodePayload({ timestamp: this.#lastSentAt, seq: this.#seq, metrics }))
  }

  /** Counts a message on; answers its topic. */
  #next(message: NodeMessage | DeviceMessage, device: string | undefined): string {
    const { model, clock } = this.#options
    const { group, edge } = model
    this.#seq = nextSeq(this.#seq)
    this.#lastSentAt = clock.now()
    this.lastSentTicks = ticksOf(clock)
    if (device === undefined) return formatTopic({ message: message as NodeMessage, group, edge })
    return formatTopic({ message: message as DeviceMessage, group, edge, device })
  }
}
