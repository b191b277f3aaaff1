import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { EdgeReport } from '#shared/contracts/edge-report.ts'
import type { Quality, Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { DetectionQueries } from './detection/contract.ts'

/** Names one edge node in the installation; a group belongs to exactly one organisation. */
export interface EdgeRef {
  readonly group: string
  readonly edge: string
}

/** The newest value of a tag. Times in ms since 1970; `isStale` says that the edge is silent or the device dead. */
export interface LiveTagValue {
  /** `group/edge/device/tag` */
  readonly path: string
  readonly value: Scalar
  readonly quality: Quality
  /** Null when nothing was read since the device was born. */
  readonly sourceAt: number | null
  readonly isStale: boolean
}

/** The newest value of every tag, held in memory by the shards. */
export interface LiveValues {
  /** The newest value; undefined for an unknown path. */
  current(path: string): Promise<LiveTagValue | undefined>
  /** The newest values of those paths that are known, in the order asked. */
  present(paths: readonly string[]): Promise<LiveTagValue[]>
  /**
   * Calls `listener` with changed values, restricted to `paths`; with the present ones only after the way to the pipeline was
   * lost, and as stale when it is lost. Returns the function that ends it. The listener must not throw and must not block: in
   * the pipeline's own thread the hot path waits for it.
   */
  subscribe(paths: Iterable<string>, listener: (values: readonly LiveTagValue[]) => void): () => void
  /** The organisation that owns the path's group; undefined for an unknown group. */
  organisationOf(path: string): Promise<string | undefined>
}

/** A stretch of samples that never reaches history, with the reason. `count` is what was lost, not the width of the range. */
export interface GapRecord {
  readonly id: string
  readonly group: string
  readonly edge: string
  readonly device: string | null
  /** Offsets in the edge's journal, inclusive. */
  readonly first: bigint
  readonly last: bigint
  readonly count: bigint
  readonly cause: string
  /** Source times in ms since 1970; null when the edge could not tell. */
  readonly firstTime: number | null
  readonly lastTime: number | null
  readonly recordedAt: number
}

export type EdgeSessionStatus = 'online' | 'stale' | 'offline' | 'never'

/** Something wrong with an edge: `detail` is for people in English, `code` and `params` let others word it. */
export interface EdgeFault {
  readonly code: string
  readonly params: Readonly<Record<string, string | number>>
  readonly detail: string
}

/** One registered edge with its session. Times in ms since 1970. */
export interface EdgeStatus extends EdgeRef {
  readonly id: string
  readonly org: string
  readonly name: string
  /** `stale`: the session lives but no message came for 3 s. */
  readonly status: EdgeSessionStatus
  readonly connectedAt: number | null
  readonly lastMessageAt: number | null
  /** Samples accepted by the edge and not yet acknowledged, as far as the host can know. */
  readonly journalDepth: bigint
  readonly gapCount: number
  readonly lastGap: GapRecord | null
  /** What the box last told of itself; null for one that tells nothing, or has not since the cloud started. */
  readonly report: EdgeReport | null
  readonly deviceCount: number
  readonly tagCount: number
  /** What is wrong, in words with the next step. */
  readonly faults: readonly EdgeFault[]
}

/** One device of an edge, known since its first birth. */
export interface DeviceStatus extends EdgeRef {
  readonly id: string
  readonly org: string
  readonly device: string
  /** Key of its device profile; null when the birth named none. */
  readonly profile: string | null
  readonly status: 'online' | 'offline' | 'stale'
  readonly bornAt: number | null
  readonly tagCount: number
  readonly badTagCount: number
}

/** A setpoint of a limit alarm on a tag, for the trend's limit lines. */
export interface TagLimit {
  readonly level: string
  readonly setpoint: number
  readonly priority: string
}

/** One tag with what its profile says about it and its newest value. */
export interface TagStatus extends EdgeRef {
  readonly id: string
  readonly org: string
  /** The number that history knows the tag by. */
  readonly key: number
  readonly path: string
  readonly device: string
  readonly tag: string
  readonly type: ScalarType
  readonly unit: string | null
  readonly name: LocalizedText
  /** The profile's entry; null for a tag that no profile describes. */
  readonly definition: ProfileTag | null
  readonly limits: readonly TagLimit[]
  readonly live: LiveTagValue
}

export interface BucketQuery {
  readonly paths: readonly string[]
  /** ms since 1970; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** Most buckets a tag; they fall on whole minutes or hours where they are that wide. */
  readonly points: number
  /** Buckets of this width instead, on multiples of it since 1970; `points` does not count then. */
  readonly bucketMs?: number
}

/** Buckets of one tag, column by column; only buckets that hold values. Times in ms since 1970; NaN where no number is known. */
export interface BucketSeries {
  readonly path: string
  readonly bucketMs: number
  /** Starts of the buckets; the first one's is `from` where it lies within a bucket. */
  readonly at: Float64Array
  readonly first: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
  readonly last: Float64Array
  readonly minAt: Float64Array
  readonly maxAt: Float64Array
  readonly lastAt: Float64Array
  readonly count: Uint32Array
  /** Both of the values that are numbers. */
  readonly sum: Float64Array
  readonly mean: Float64Array
  /** Worst quality in the bucket: 192, 64 or 0. */
  readonly quality: Uint8Array
}

export interface RawQuery {
  readonly path: string
  /** ms since 1970; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  /** Most values of the page, at most 100,000. */
  readonly limit: number
  /** From the page before. */
  readonly cursor?: string
}

/** Values of one tag in time order, column by column. */
export interface RawPage {
  readonly at: Float64Array
  readonly value: readonly Scalar[]
  readonly quality: Uint8Array
  readonly nextCursor: string | null
}

export interface GapQuery extends Partial<EdgeRef> {
  readonly org: string
  readonly device?: string
  /** Gaps that touch [from, to); ms since 1970. */
  readonly from?: number
  readonly to?: number
  readonly limit?: number
  /** Only what is told after this one. */
  readonly after?: Pick<GapRecord, 'recordedAt' | 'id'>
}

/** The newest stored value of a tag, by source time in ms since 1970. */
export interface StoredValue {
  readonly path: string
  readonly at: number
  readonly value: Scalar
  readonly quality: Quality
}

/** Of single values, and of minutes and hours with first, min, max, last, sum and count. */
export interface ByLevel {
  readonly values: number | null
  readonly minutes: number | null
  readonly hours: number | null
}

/** How long history keeps a tag, and what of it retention has removed. */
export interface KeptHistory {
  readonly path: string
  /** Name of its retention class; null where another engine keeps history by settings of its own. */
  readonly class: string | null
  readonly engine: string | null
  /** In ms of source time; null: for ever. */
  readonly keepMs: ByLevel
  /** Newest source time removed from the class, ms since 1970; null: nothing, or nobody knows. */
  readonly removedUntil: ByLevel
}

/** Reads stored history. Unknown paths answer empty; a query that outlasts its limit throws HistoryTimeoutError. */
export interface HistoryReader {
  buckets(query: BucketQuery): Promise<BucketSeries[]>
  raw(query: RawQuery): Promise<RawPage>
  /** The newest value of each tag that has one, earlier than `before` when it is given (ms since 1970). */
  last(paths: readonly string[], before?: number): Promise<StoredValue[]>
  retention(paths: readonly string[]): Promise<KeptHistory[]>
  /** Newest first. */
  gaps(query: GapQuery): Promise<GapRecord[]>
}

/** How clients reach the broker. */
export interface MqttPlace {
  readonly host: string
  readonly port: number
  readonly url: string
  /** True for a broker of the operator's own: the rest is not known of it then. */
  readonly isExternal: boolean
  /** The embedded broker's port with TLS. */
  readonly tlsPort: number | undefined
  /** Where that port is open; `127.0.0.1`: on this machine alone. */
  readonly tlsHost: string | undefined
  /** Root in PEM that clients of that port must trust; undefined where the operator brought the certificate. */
  readonly root: string | undefined
}

export interface EdgeRegistrationInput extends EdgeRef {
  readonly org: string
  readonly name?: string
  /** Made by `hashEdgeSecret`. */
  readonly secretHash: string
}

/** Values to be written to an edge node, or to one of its devices. */
export interface WriteCommand {
  readonly edge: EdgeRef
  /** Absent: the node itself, to which a configuration goes too. */
  readonly device?: string
  /** By the names of the birth; values must fit the types it told. */
  readonly metrics: readonly {
    readonly name: string
    readonly value: Scalar
    /** What is believed to be there now; edges that know the property refuse when it is not. */
    readonly expected?: Scalar
  }[]
  /** A UUID of the caller's; the same again is the same command. */
  readonly commandId: string
}

/** What became of a command. */
export interface CommandOutcome {
  readonly id: string
  /** `sent`: it left for an edge that answers no commands. `timed-out`: no answer came; it may have been carried out. */
  readonly status: 'done' | 'refused' | 'failed' | 'sent' | 'timed-out'
  /** In words, unless it is done or sent. */
  readonly error?: string
  /** By which a screen words `error` itself; edges of others, and older ones, give none. */
  readonly code?: string
  readonly params?: Readonly<Record<string, string | number>>
}

/** Which tags of an organisation; all that are given must hold. */
export interface TagQuery {
  readonly org: string
  /** Id or name of the edge. */
  readonly edge?: string | undefined
  /** Name of the device. */
  readonly device?: string | undefined
  /** Devices as `group/edge/device`. */
  readonly devices?: ReadonlySet<string> | undefined
  /** Part of the tag's path or of its name in either language, in any case. */
  readonly q?: string | undefined
  /** Only tags whose path comes after this one. */
  readonly after?: string | undefined
  /** 100 unless told. */
  readonly limit?: number | undefined
}

/** Tags by path, and whether there are more of them. */
export interface TagPage {
  readonly items: TagStatus[]
  readonly hasMore: boolean
}

/**
 * The machine side of the cloud as the suite, the platform's wiring and the demo see it. It may run in another thread or
 * process: what asks it answers later, and rejects with DomainError `pipeline.away` while it cannot be reached, and with
 * `pipeline.timeout` when it is there and no answer comes.
 */
export interface Pipeline {
  readonly live: LiveValues
  readonly history: HistoryReader
  /** Alarms, occurrences and machine states, read from committed rows. */
  readonly detection: DetectionQueries
  /** Registered edges of an organisation, by group and edge. */
  edges(org: string): Promise<EdgeStatus[]>
  devices(org: string): Promise<DeviceStatus[]>
  /** One page of an organisation's tags, by path. */
  tags(query: TagQuery): Promise<TagPage>
  tag(path: string): Promise<TagStatus | undefined>
  /** A loaded device profile; undefined when no file holds it. */
  profile(key: string): DeviceProfile | undefined
  /** Admits an edge, or replaces its secret and name when it is known. Refuses a group of another organisation (DomainError). */
  registerEdge(input: EdgeRegistrationInput): Promise<EdgeStatus>
  /**
   * Writes to an edge and waits for its answer. Refuses (DomainError) an edge that is unknown or offline, a metric that no
   * birth announced and a value that does not fit its type.
   */
  command(command: WriteCommand): Promise<CommandOutcome>
  /** Where the broker listens. */
  readonly mqtt: MqttPlace
  /** Empty when all is well, else what is wrong in words. */
  faults(): Promise<string[]>
  /** Publishes STATE offline, commits what is in flight, closes broker and history. Safe to call twice. */
  close(): Promise<void>
}

/** Counts of the pipeline; the platform's registry hands them to Prometheus. */
export interface PipelineMetrics {
  /** Adds to a counter named in snake case without prefix, e.g. `mqtt_messages_refused_total`. */
  count(name: string, by: number, labels?: Readonly<Record<string, string>>): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** The gauge is told no more: what it measured is gone. */
  forget?(name: string, labels?: Readonly<Record<string, string>>): void
}
