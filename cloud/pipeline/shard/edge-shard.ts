import type { AlarmCommand } from '#shared/contracts/alarm-command.ts'
import type { EdgeReport } from '#shared/contracts/edge-report.ts'
import type { EdgeRef, GapRecord } from '../contract.ts'
import type { EdgeDetection } from '../detection/contract.ts'
import { MessageOrder } from '../host/message-order.ts'
import { nothingAsked, type RebirthState } from '../host/rebirths.ts'
import type { Tolerance } from '../host/tolerances.ts'
import type { PendingCommand } from '../host/writes.ts'
import { JournalState } from './journal-state.ts'
import { type Born, type BornMetric, bornTable, NODE_DEVICE, NOTHING_BORN } from './slots.ts'
import type { DeviceState, TagState } from './tag-state.ts'

/** The life of the Sparkplug session. Times are server time in ms since 1970. */
export interface Session {
  isOnline: boolean
  /** No message for the stale time, while online. */
  isSilent: boolean
  bdSeq: number | null
  connectedAt: number | null
  lastMessageAt: number | null
  /** When the last payload with journal samples came; acknowledgements are repeated for a while after it. */
  lastSamplesAt: number | null
  readonly rebirth: RebirthState
  /** Payload time of the last birth, by the edge's clock; null when it told none. */
  bornTime: number | null
  /** Data messages since the last NBIRTH, for the looks into some of them. */
  inspected: number
  /** When a restarted host took the session up; null once a message has come. */
  restoredAt: number | null
  /** The last acknowledgement sent, and when. */
  acknowledged: bigint
  acknowledgedAt: number
}

/** A message that waits for its turn: behind a birth with new tags, or because it came early. */
export interface Waiting {
  readonly message: string
  readonly device: string | undefined
  readonly payload: Uint8Array
  /** Its sequence number has been looked at. */
  readonly isAdmitted?: true
  /** A device birth that came before the node's. */
  readonly isEarly?: true
}

/** What is known of payloads that could not be taken. `at`: of the last one, ms since 1970. */
export interface SetAside {
  readonly count: number
  /** Those whose bytes are kept. */
  kept: number
  readonly at: number
  readonly error: string
}

/** What survives a restart of the host; a shard moves to another process by it. */
export interface Checkpoint {
  readonly bdSeq: number | null
  /** Decimal; null for an edge without the completeness contract. */
  readonly epoch: string | null
  readonly first: string
  readonly newest: string
  readonly isOnline: boolean
  /** By device, the node's own under NODE_DEVICE. */
  readonly births: Readonly<Record<string, readonly BornMetric[]>>
}

/** All state of one edge node. Nobody outside keeps any. */
export class EdgeShard {
  readonly ref: EdgeRef
  readonly id: string
  readonly org: string
  name: string
  secretHash: string
  readonly devices = new Map<string, DeviceState>()
  readonly session: Session = {
    isOnline: false,
    isSilent: false,
    bdSeq: null,
    connectedAt: null,
    lastMessageAt: null,
    lastSamplesAt: null,
    rebirth: nothingAsked(),
    bornTime: null,
    inspected: 0,
    restoredAt: null,
    acknowledged: -1n,
    acknowledgedAt: 0,
  }
  /** Messages behind a birth that waits for the database; undefined while none does. */
  waiting: Waiting[] | undefined
  /** Sequence numbers of the session, with the messages that came early. */
  readonly order = new MessageOrder<Waiting>()
  /** Device births that came before the node's own, until that follows. */
  early: { readonly messages: Waiting[]; readonly since: number } | undefined
  /** When the edge last broke each rule that the host puts up with; server time. */
  readonly tolerated = new Map<Tolerance, number>()
  /** Commands by their id, answered ones for a while. */
  readonly commands = new Map<string, PendingCommand>()
  /** Tells the checkpoint that is stored apart from others; undefined: not known. */
  savedMark: string | undefined
  /** Failures of a journal's payloads by their first offset, until they are taken or set aside. */
  readonly failures = new Map<bigint, number>()
  /** Payloads on which the host's own code failed. */
  setAside: SetAside | undefined
  /** Of alarms that its devices judge themselves, for when it is connected. */
  readonly acknowledgements: AlarmCommand[] = []
  /** Commands whose answer has not come. */
  unanswered = 0
  /** What the edge last told of itself; null for one that tells nothing. */
  report: EdgeReport | null = null
  readonly detection: EdgeDetection
  /** Holes in history that people were told of. */
  gapCount = 0
  lastGap: GapRecord | null = null
  /** By epoch; an edge that got a new disk starts a second one. */
  readonly journals = new Map<bigint, JournalState>()
  /** The journal of the present session; undefined for a third-party edge. */
  journal: JournalState | undefined
  readonly #births = new Map<string, readonly BornMetric[]>()
  readonly #born = new Map<string, Born>()

  constructor(given: Pick<EdgeShard, 'ref' | 'id' | 'org' | 'name' | 'secretHash' | 'detection'>) {
    this.ref = given.ref
    this.id = given.id
    this.org = given.org
    this.name = given.name
    this.secretHash = given.secretHash
    this.detection = given.detection
  }

  /** True while the values of the edge are not to be trusted as present. */
  get isSilent(): boolean {
    return !this.session.isOnline || this.session.isSilent
  }

  /** Metrics of a device, or of the node when none is named. */
  born(device: string | undefined): Born {
    return this.#born.get(device ?? NODE_DEVICE) ?? NOTHING_BORN
  }

  /** A metric as the birth of the device (or node) announced it; undefined when it did not. */
  bornMetric(device: string | undefined, name: string): BornMetric | undefined {
    return this.#births.get(device ?? NODE_DEVICE)?.findLast((metric) => metric.name === name)
  }

  /** True since the birth of the device (or node) in this session. */
  isBorn(device: string | undefined): boolean {
    return this.#born.has(device ?? NODE_DEVICE)
  }

  /** Opens a session with the node's metrics: earlier births no longer hold. */
  beginSession(metrics: readonly BornMetric[]): void {
    this.#births.clear()
    this.#born.clear()
    this.noteBirth(NODE_DEVICE, metrics)
  }

  /** Notes a birth; the tags it names are in `devices` already. */
  noteBirth(device: string, metrics: readonly BornMetric[]): void {
    const tags = this.devices.get(device)?.tags
    const table = bornTable(metrics, (name) => tags?.get(name))
    this.#births.set(device, metrics)
    this.#born.set(device, table)
  }

  /** The journal of an epoch, made when it is new. */
  openJournal(epoch: bigint): JournalState {
    const known = this.journals.get(epoch) ?? new JournalState({ ...this.ref, epoch })
    this.journals.set(epoch, known)
    this.journal = known
    return known
  }

  /** Every tag of the edge. */
  *tags(): Generator<TagState> {
    for (const device of this.devices.values()) yield* device.tags.values()
  }

  checkpoint(): Checkpoint {
    return {
      bdSeq: this.session.bdSeq,
      epoch: this.journal?.epoch.toString() ?? null,
      first: (this.journal?.first ?? 1n).toString(),
      newest: (this.journal?.newest ?? 0n).toString(),
      isOnline: this.session.isOnline,
      births: Object.fromEntries(this.#births),
    }
  }

  /**
   * Takes a checkpoint up. Devices, tags and committed ranges are in place already. The sequence goes on with whatever
   * comes next, since nobody counted meanwhile.
   */
  restore(saved: Checkpoint, now: number): void {
    this.session.bdSeq = saved.bdSeq
    this.session.restoredAt = saved.isOnline ? now : null
    this.session.isOnline = saved.isOnline
    this.session.isSilent = true
    for (const [device, metrics] of Object.entries(saved.births)) this.#restoreBirth(device, metrics)
    if (saved.epoch === null) return
    const journal = this.openJournal(BigInt(saved.epoch))
    journal.first = BigInt(saved.first)
    if (BigInt(saved.newest) > journal.newest) journal.newest = BigInt(saved.newest)
    this.detection.mayHaveMissed(journal)
  }

  #restoreBirth(device: string, metrics: readonly BornMetric[]): void {
    this.noteBirth(device, metrics)
    for (const { tag } of this.born(device).byName.values()) {
      if (!tag) continue
      tag.isBorn = true
      tag.watch = this.detection.tag(device, tag.tag)
    }
  }
}
