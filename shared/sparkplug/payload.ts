import type { ArrayValue } from './array-values.ts'
import type { DataType, MetricValue, SparkplugType } from './datatype.ts'
import type { DataSet, MetaData, Property, PropertySet, TemplateParameter } from './rare-types.ts'

export type { ArrayValue } from './array-values.ts'
export type { DataType, MetricValue, SparkplugType } from './datatype.ts'
export { decodePayload } from './decode.ts'
export { encodePayload } from './encode.ts'
export { PayloadError } from './payload-error.ts'
export type { DataSet, MetaData, Property, PropertySet, TemplateParameter } from './rare-types.ts'

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
  readonly type: DataType
  /** True in births and commands: writes `datatype`. Data leaves it out. */
  readonly isTyped?: boolean
  /** Of the type: a MetricValue for what a tag can hold and for files, an array, a data set, a template. */
  readonly value: MetricValue | ArrayValue | DataSet | OutgoingTemplate
  readonly isHistorical?: boolean
  readonly isTransient?: boolean
  readonly properties?: Readonly<Record<string, Property>>
  readonly metadata?: MetaData
}

/** A template to be sent: a definition names none, an instance names its definition. */
export interface OutgoingTemplate {
  readonly version?: string
  readonly templateRef?: string
  readonly isDefinition: boolean
  readonly parameters?: readonly TemplateParameter[]
  readonly metrics: readonly OutgoingMetric[]
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
 * Metrics of a decoded payload or template. They are read by index, 0 to count − 1, in the order of the wire, so that the
 * decoder may keep them in whatever columns are fastest without its callers knowing.
 */
export interface Metrics {
  /** Number of metrics. */
  readonly count: number
  name(index: number): string | undefined
  alias(index: number): Alias | undefined
  /** Source time of a metric in ms; undefined when the sender left it out. */
  timestampOf(index: number): number | undefined
  /** Type written in the metric; undefined when it has none (data) or one that no tag holds. */
  typeOf(index: number): SparkplugType | undefined
  /** The number in the `datatype` field as the sender wrote it, known or not; 0 when there is none. */
  datatypeCode(index: number): number
  /** As typeOf, with files, arrays, data sets and templates. */
  anyTypeOf(index: number): DataType | undefined
  isNull(index: number): boolean
  isHistorical(index: number): boolean
  isTransient(index: number): boolean
  /**
   * The value read as `type`, for data the alias's type known from the birth. Integers of up to 32 bits and times come
   * as number, int64 and uint64 as bigint. Null when the metric is null.
   * @throws PayloadError when the wire carries another kind of value, or none.
   */
  valueAs(index: number, type: SparkplugType): MetricValue
  /** As valueAs, for every type; a nested value is read when it is asked for. @throws PayloadError also when it cannot be. */
  anyValueAs(index: number, type: DataType): AnyValue
  /** A property by its key; undefined when the metric has none of that name or one of a nested type. */
  property(index: number, key: string): MetricProperty | undefined
  /** All properties, nested ones too; undefined when the metric has none. @throws PayloadError when one cannot be read. */
  properties(index: number): PropertySet | undefined
  /** @throws PayloadError when it cannot be read. */
  metadata(index: number): MetaData | undefined
}

/** A value of any type. A file is bytes. */
export type AnyValue = MetricValue | ArrayValue | DataSet | Template

/** A decoded template. */
export interface Template {
  readonly version: string | undefined
  readonly templateRef: string | undefined
  readonly isDefinition: boolean
  readonly parameters: readonly TemplateParameter[]
  readonly metrics: Metrics
}

/** A decoded payload. */
export interface Payload extends Metrics {
  /** ms since 1970. */
  readonly timestamp: number | undefined
  readonly seq: number | undefined
  readonly uuid: string | undefined
}
