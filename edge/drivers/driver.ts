import type { TSchema } from 'typebox'
import type { DeviceProfile, ProfileTag, SCAN_CLASSES } from '#shared/contracts/device-profile.ts'
import type { GapCause } from '#shared/contracts/gap.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { Log } from '#shared/log/log.ts'

/** One reading of one tag, as the device gave it: scaling and publishing come later. */
export interface Sample {
  readonly tag: string
  /** Null when nothing could be read. */
  readonly value: Scalar
  readonly quality: Quality
  /** Time at which the value was true, in ms since 1970. */
  readonly sourceAt: number
  /** Power of ten that the device itself gave for this value (SunSpec scale factor). */
  readonly exponent?: number
  /** Why the quality is not good, in plain words. */
  readonly reason?: string
}

/** What a device gave for one address when a person or a write asked for it, outside of the scan. */
export interface Reading {
  /** As read() would give it. */
  readonly sample: Sample
  /** The registers as they came over the wire, for protocols that have them. */
  readonly registers?: readonly number[]
}

/**
 * What every driver has, polled or pushed. Calls to one driver never overlap, save readNow() and write(), which may come
 * while read() or subscribe() is under way and are not to wait for it.
 */
interface Driver<Address> {
  /** Turns a profile's tag into the address that read() or subscribe() wants, or throws AddressError naming the tag. */
  parseAddress(tag: ProfileTag): Address
  /** Reads one address at once, between two blocks of a scan. Fails as read() does. Absent: not possible over this protocol. */
  readNow?(tag: string, address: Address, signal: AbortSignal): Promise<Reading>
  /**
   * Writes one raw value (unscaled, as read() gives it) ahead of everything that waits, and resolves when the device has
   * confirmed it. Throws WriteError when the device refuses or the value cannot stand at the address: then nothing was
   * written. Throws NotConnectedError when nobody knows whether it was. Never tries twice. Absent: not possible.
   */
  write?(address: Address, value: Exclude<Scalar, null>, signal: AbortSignal): Promise<void>
  /** What the device refuses, for the local page. Absent: the protocol has nothing of the kind. */
  quarantined?(): readonly Quarantined[]
  /** Tells every frame of this device until the function returned is called. Absent: not possible over this protocol. */
  trace?(onFrame: (frame: TracedFrame) => void): () => void
  /** Opens the link. Called again, with back-off, until it resolves. */
  connect(signal: AbortSignal): Promise<void>
  /** Closes the link. Safe after a failed connect() and safe to call twice. */
  close(): Promise<void>
}

/** One turn of reading: how urgent it is, for devices that share a link. */
export interface Turn {
  readonly scan: (typeof SCAN_CLASSES)[number]
  /** ms from now within which it ought to be done. */
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** An address that the device refuses: left alone, and asked for again by itself. */
export interface Quarantined {
  /** As in a profile that counts from 0: `holding:100`. */
  readonly address: string
  readonly reason: string
  /** When it is asked for again, ms since 1970. */
  readonly probeAt: number
}

/** One frame of a device, without what the transport adds. */
export interface TracedFrame {
  /** ms since 1970 */
  readonly at: number
  /** `failed`: no reply, and why. */
  readonly direction: 'sent' | 'received' | 'failed'
  readonly bytes: Uint8Array
  readonly meaning: LocalizedText
}

/** Speaks one field protocol to one device by asking. The supervisor calls connect(), then read() as often as it likes, then close(). */
export interface PolledDriver<Address> extends Driver<Address> {
  readonly kind: 'polled'
  /** Reads every tag once. A tag that cannot be read comes back with bad quality; only a lost link throws NotConnectedError. */
  read(tags: ReadonlyMap<string, Address>, turn: Turn): Promise<Sample[]>
}

/** A tag of a subscription and how often the device shall look at it. */
export interface SubscribedTag<Address> {
  readonly address: Address
  readonly everyMs: number
}

/** A time in which samples may be missing that the device had. Times in ms since 1970. */
export interface MissedTime {
  readonly from: number
  readonly to: number
  readonly cause: Extract<GapCause, 'device-silent' | 'queue-overflow'>
  /** How many are known to be missing at least; 0 when nobody knows. */
  readonly count: number
}

/** An alarm that the device itself judges (OPC UA Part 9), with its state after an event. */
export interface ConditionReport {
  /** The device's own name of the alarm, stable over sessions. */
  readonly condition: string
  /** What an acknowledgement has to name. */
  readonly eventId: Uint8Array
  readonly source: string
  readonly name: string
  readonly message: string
  /** The last comment that a person gave; empty when there is none. */
  readonly comment: string
  /** 1 to 1000, most urgent last. */
  readonly severity: number
  /** ms since 1970. */
  readonly at: number
  readonly isActive: boolean
  readonly isAcknowledged: boolean
  /** False when nobody needs to know of it any more. */
  readonly isRetained: boolean
}

/** Who hears of a subscription. */
export interface SubscriptionReports {
  /** Called once as soon as the subscription stands, with what is known then, and after each change. */
  onSamples(samples: Sample[]): void
  /** Samples of a time that has passed, which the device's own history gave; those of a tag in their order, none of them twice. */
  onPast(samples: Sample[]): void
  onMissed(missed: MissedTime): void
  /** What the device's own alarms say now; those that stand come again after each interruption. */
  onConditions(conditions: ConditionReport[]): void
}

/** Speaks one field protocol to one device that reports by itself. The supervisor calls connect(), subscribe(), close(). */
export interface SubscribingDriver<Address> extends Driver<Address> {
  readonly kind: 'subscribing'
  /** Reports until the signal aborts (then it resolves) or the link is lost (then it throws NotConnectedError). */
  subscribe(
    tags: ReadonlyMap<string, SubscribedTag<Address>>,
    reports: SubscriptionReports,
    signal: AbortSignal,
  ): Promise<void>
  /**
   * Acknowledges an alarm of the device by what it last reported; the device tells the new state as any other. Throws
   * WriteError when it refuses, NotConnectedError when nobody knows.
   */
  acknowledge?(condition: string, eventId: Uint8Array, comment: string, signal: AbortSignal): Promise<void>
}

/** A driver whose address type is known only to its own folder. */
export type AnyDriver = PolledDriver<unknown> | SubscribingDriver<unknown>

/** Kinds of a lost link that a person mends in different ways; the local page has words and a next step for each. */
export const LOSS_KINDS = [
  'refused',
  'unknown-host',
  'unreachable',
  'connect-timeout',
  'serial-port',
  'silent',
  'closed',
  'not-the-protocol',
  'untrusted',
  'certificate-time',
  'credentials',
  'driver-process',
  'other',
] as const
export type LossKind = (typeof LOSS_KINDS)[number]

/** The link to the device is lost or cannot be made: the supervisor says so once, marks the tags bad and tries again. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'
  readonly kind: LossKind
  /** What read() had already got of the device when the link was lost: good values that the supervisor accepts first. */
  readonly readBefore: readonly Sample[]

  constructor(
    kind: LossKind,
    message: string,
    options: ErrorOptions & { readonly readBefore?: readonly Sample[] } = {},
  ) {
    super(message, options)
    this.kind = kind
    this.readBefore = options.readBefore ?? []
  }
}

/** The address of a tag cannot be used. The message names the tag and says what would be right. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
}

/** A value was not written, for certain. The message says why and what to do, without naming the tag. */
export class WriteError extends Error {
  override readonly name = 'WriteError'
}

/** How long replies took. */
export interface RoundTrips {
  /** Of the latest replies, in ms; 0 before the first. */
  readonly p50Ms: number
  readonly p95Ms: number
  /** Since the start: replies that took at most `leMs`, growing; the last counts all. */
  readonly buckets: readonly { readonly leMs: number; readonly count: number }[]
  readonly sumMs: number
}

/** What a driver tells about a shared physical link, for the local page and the metrics. */
export interface LaneStatus {
  /** `modbus 10.0.0.5:502` */
  readonly lane: string
  readonly isOpen: boolean
  readonly requests: number
  readonly timeouts: number
  /** Replies that came after their time-out or answered something never asked; dropped. */
  readonly strayReplies: number
  /** Round trip, smoothed, in ms. */
  readonly roundTripMs: number
  readonly roundTrips?: RoundTrips
  /** Requests that wait for their turn now. */
  readonly waiting?: number
  /** Requests that were done later than they ought to have been. */
  readonly overruns?: number
  /** Units that do not answer and are probed in idle time. */
  readonly silentUnits?: readonly number[]
  /** When the certificates of this side and of the server expire, ms since 1970. */
  readonly certificatesUntil?: { readonly own: number; readonly server: number }
  /** The process that speaks over it, when it is not the agent itself. */
  readonly pid?: number
}

/** What every driver is given: nothing of it is global. */
export interface DriverDeps {
  /** Wall clock, ms since 1970. */
  readonly now: () => number
  readonly log: Log
  /** Directory that belongs to this edge, for certificates and the like. */
  readonly dataDir: string
}

/** A device as its driver sees it. `config` has passed the protocol's schema. */
export interface DriverDevice {
  readonly device: string
  readonly profile: DeviceProfile
  readonly config: unknown
}

/** One protocol at work: it makes the drivers of all devices that speak it and owns what they share. */
export interface Protocol {
  createDriver(device: DriverDevice): AnyDriver
  /** The physical links, for the local page. */
  lanes(): readonly LaneStatus[]
  /** Frees what the drivers shared, after all of them are closed. */
  close(): Promise<void>
}

/** A protocol as the registry lists it. Loading this description opens nothing and loads no protocol library. */
export interface ProtocolDescription {
  /** The key of the device's part in edge.yaml. */
  readonly name: DeviceProfile['protocol']
  readonly schema: TSchema
  /** Checks and reads an address without a device. Throws AddressError naming the tag. */
  parseAddress(tag: ProfileTag, profile: DeviceProfile): unknown
  start(deps: DriverDeps): Protocol
}
