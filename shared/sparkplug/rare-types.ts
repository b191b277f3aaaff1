import type { MetricValue, SparkplugType } from './datatype.ts'

/** A table. Every row has a value, or null, for each column. */
export interface DataSet {
  readonly columns: readonly string[]
  /** Of the columns; no bytes. */
  readonly types: readonly SparkplugType[]
  readonly rows: readonly (readonly MetricValue[])[]
}

/** A parameter of a template; null when it has no value. */
export interface TemplateParameter {
  readonly name: string
  readonly type: SparkplugType
  readonly value: MetricValue
}

/** A property, or a set or list of sets of them. */
export type Property =
  | { readonly type: SparkplugType; readonly value: MetricValue }
  | { readonly type: 'propertyset'; readonly value: PropertySet | null }
  | { readonly type: 'propertysetlist'; readonly value: readonly PropertySet[] | null }

/** Properties by key. */
export type PropertySet = ReadonlyMap<string, Property>

/** What a metric tells about its value: of files above all. */
export interface MetaData {
  readonly isMultiPart?: boolean
  readonly contentType?: string
  /** Bytes. */
  readonly size?: bigint
  readonly seq?: bigint
  readonly fileName?: string
  readonly fileType?: string
  readonly md5?: string
  readonly description?: string
}
