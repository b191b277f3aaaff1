import type { MetricValue, SparkplugType } from './datatype.ts'

export type { MetricValue, SparkplugType } from './datatype.ts'
export { decodePayload } from './decode.ts'
export { encodePayload } from './encode.ts'
export { PayloadError } from './payload-error.ts'

/** Alias of a metric: a number up to 2^53, a bigint beyond, so that it can be the key of a Map. */
export type Alias = number | bigint

/** One property of a metric, such as `Quality` (int32) or `engUnit` (string). */
export interface MetricProperty {
  readonly type: SparkplugType
  readonly value: MetricValue
}

/** A metric to be sent. */
export interface OutgoingMetric {
  /** Births and commands by name; data leaves it out. */
  readonly name?: string
  readonly alias?: Alias
  /** Source time in ms. */
  readonly timestamp?: number
  readonly type: SparkplugType
  /** True in births and commands: writes `datatype`. Data leaves it out. */
  readonly isTyped?: boolean
  readonly value: MetricValue
  readonly isHistorical?: boolean
  readonly isTransient?: boolean
  readonly properties?: Readonly<Record<string, MetricProperty>>
}

/** A payload to be sent. NDEATH leaves `seq` out. */
export interface OutgoingPayload {
  /** Gateway time at sending, in ms. */
  readonly timestamp?: number
  readonly seq?: number
  readonly uuid?: string
  readonly metrics: readonly OutgoingMetric[]
}

/**
 * A decoded payload. Metrics are read by index, 0 to count − 1, in the order of the wire, so that the decoder may keep
 * them in whatever columns are fastest without its callers knowing.
 */
export interface Payload {
  /** ms since 1970. */
  readonly timestamp: number | undefined
  readonly seq: number | undefined
  readonly uuid: string | undefined
  /** Number of metrics. */
  readonly count: number
  name(index: number): string | undefined
  alias(index: number): Alias | undefined
  /** Source time of a metric in ms; undefined when the sender left it out. */
  timestampOf(index: number): number | undefined
  /** Type written in the metric; undefined when it has none (data) or one that Andon does not read. */
  typeOf(index: number): SparkplugType | undefined
  /** The number in the `datatype` field as the sender wrote it, known or not; 0 when there is none. */
  datatypeCode(index: number): number
  isNull(index: number): boolean
  isHistorical(index: number): boolean
  isTransient(index: number): boolean
  /**
   * The value read as `type`, for data the alias's type known from the birth. Integers of up to 32 bits and times come
   * as number, int64 and uint64 as bigint. Null when the metric is null.
   * @throws PayloadError when the wire carries another kind of value, or none.
   */
  valueAs(index: number, type: SparkplugType): MetricValue
  /** A property by its key; undefined when the metric has none of that name or one of a nested type. */
  property(index: number, key: string): MetricProperty | undefined
}
