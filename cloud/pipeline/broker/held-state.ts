import { readState } from '#shared/sparkplug/host-state.ts'
import { type Broker, BrokerUnavailableError, type HostState } from './broker.ts'
import type { Connection } from './external-connection.ts'
import type { Link } from './link.ts'
import { statePayload, stateTopic } from './state.ts'

/** An `online:false` of somebody else is answered after this time, so that two who disagree do not flood the broker. */
const ANSWER_AFTER_MS = 200

export interface HeldStateOptions {
  /** ms since 1970 */
  readonly clock: () => number
  /** The host whose STATE this process is going to hold: the first CONNECT then carries its will. */
  readonly speaksFor?: string | undefined
  /** False when another process holds STATE now; nobody else can unless told. */
  readonly mayHold?: (() => Promise<boolean>) | undefined
}

type Will = { readonly hostId: string; readonly timestamp: number }

/** The STATE of the host on an external broker: its will, its birth, and the answer to whoever says that it is gone. */
export class HeldState implements Pick<Broker, 'holdState' | 'releaseState' | 'yieldState' | 'watchState'> {
  readonly #clock: () => number
  readonly #link: () => Link
  readonly #watchers = new Map<string, ((state: HostState) => void)[]>()
  /** Of the present CONNECT. */
  #will: Will | undefined
  /** For whom the next CONNECT carries a will. */
  #speaksFor: string | undefined
  #held: string | undefined
  /** Timestamp of the latest STATE seen, by host. */
  readonly #newest = new Map<string, number>()
  readonly #mayHold: () => Promise<boolean>
  #answering: NodeJS.Timeout | undefined

  /** `link` is asked for once the first connection stands. */
  constructor(link: () => Link, { clock, speaksFor, mayHold = async () => true }: HeldStateOptions) {
    this.#clock = clock
    this.#link = link
    this.#speaksFor = speaksFor
    this.#mayHold = mayHold
  }

  /** Before a CONNECT: another process may have taken STATE over while there was no connection. */
  async confirm(): Promise<void> {
    if (this.#speaksFor === undefined || (await this.#mayHold())) return
    this.#held = undefined
    this.#speaksFor = undefined
  }

  /** For the CONNECT under way: a will with the present time, later than any STATE seen (tck-id-host-topic-phid-death-payload-timestamp-connect). */
  newWill(): Will | undefined {
    const hostId = this.#speaksFor
    this.#will =
      hostId === undefined ? undefined : { hostId, timestamp: Math.max(this.#clock(), this.#newestOf(hostId) + 1) }
    return this.#will
  }

  /** Subscribes to the STATE that is held or watched (tck-id-host-topic-phid-birth-sub-required). */
  async subscribe(connection: Connection): Promise<void> {
    const ids = new Set([...this.#watchers.keys(), this.#speaksFor].filter((id) => id !== undefined))
    if (ids.size === 0) return
    await connection.subscribe(Object.fromEntries([...ids].map((id) => [stateTopic(id), { qos: 1 as const }])))
  }

  /** Publishes the birth with the will's timestamp, when the STATE is held (tck-id-host-topic-phid-birth-payload-timestamp). */
  async announce(connection: Connection): Promise<void> {
    if (this.#held === undefined) return
    // A clock ahead of ours wrote a later STATE: edges would take our birth for an old one.
    if (!this.#canAnnounce())
      throw new BrokerUnavailableError('a STATE with a later time stands; connecting with a later one')
    await this.#tell(connection, { online: true, timestamp: this.#will?.timestamp ?? this.#clock() })
  }

  /** True when the message was a STATE. */
  hear(topic: string, payload: Buffer): boolean {
    const hostId = /^spBv1\.0\/STATE\/([^/]+)$/.exec(topic)?.[1]
    if (hostId === undefined) return false
    const state = readState(payload)
    if (!state) return true
    this.#newest.set(hostId, Math.max(this.#newestOf(hostId), state.timestamp))
    for (const hear of this.#watchers.get(hostId) ?? []) hear(state)
    if (hostId === this.#held && !state.online) {
      this.#answering ??= setTimeout(() => void this.#answer(), ANSWER_AFTER_MS)
    }
    return true
  }

  async holdState(hostId: string): Promise<void> {
    this.#held = hostId
    this.#speaksFor = hostId
    const { connection } = this.#link()
    if (!connection) return
    if (this.#canAnnounce()) await this.announce(connection)
    else await this.#link().renew()
  }

  async releaseState(): Promise<void> {
    const { connection } = this.#link()
    const wasHeld = this.#held !== undefined
    clearTimeout(this.#answering)
    this.#answering = undefined
    const death = { online: false, timestamp: Math.max(this.#clock(), this.#newestOf(this.#held ?? '')) }
    const told = wasHeld && connection ? this.#tell(connection, death) : undefined
    this.#held = undefined
    await told
  }

  async yieldState(): Promise<void> {
    clearTimeout(this.#answering)
    this.#answering = undefined
    this.#held = undefined
    this.#speaksFor = undefined
    // Whoever disconnects in good order has no will.
    if (this.#will) await this.#link().renew()
  }

  async watchState(hostId: string, hear: (state: HostState) => void): Promise<void> {
    this.#watchers.set(hostId, [...(this.#watchers.get(hostId) ?? []), hear])
    await this.#link().connection?.subscribe({ [stateTopic(hostId)]: { qos: 1 } })
  }

  /** Only a CONNECT can carry a will, and the birth must be as old as the will and newer than what edges have seen. */
  #canAnnounce(): boolean {
    const will = this.#will
    return will !== undefined && will.hostId === this.#held && this.#newestOf(will.hostId) <= will.timestamp
  }

  #newestOf(hostId: string): number {
    return this.#newest.get(hostId) ?? 0
  }

  async #answer(): Promise<void> {
    this.#answering = undefined
    const { connection } = this.#link()
    if (this.#held === undefined || !connection) return
    if (!(await this.#mayHold())) return void this.yieldState()
    if (!this.#canAnnounce()) {
      // Who leaves says so (tck-id-operational-behavior-host-application-termination), here to edges that think us gone anyway.
      await this.#tell(connection, { online: false, timestamp: this.#clock() }).catch(() => undefined)
      await this.#link().renew()
    }
    // A connection that is lost meanwhile announces itself when it is back.
    else await this.announce(connection).catch(() => undefined)
  }

  #tell(connection: Connection, state: HostState): Promise<void> {
    const topic = stateTopic(this.#held ?? '')
    return connection.publish(topic, statePayload(state), { qos: 1, retain: true })
  }
}
