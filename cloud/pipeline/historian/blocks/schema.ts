/** Parquet's physical types that blocks use. Integers of 64 bits hold whole numbers up to 2^53. */
export type ColumnKind = 'int32' | 'int64' | 'double'

export interface ColumnSpec {
  readonly name: string
  readonly kind: ColumnKind
}

/** Numbers of one column; an integer column may come in any of them. */
export type Column = Int32Array | Float64Array | Uint8Array

/** Columns of one length, in the order of their schema: the tag first, a time in ms second. Sorted by both. */
export type Columns = readonly Column[]

/** What a block file holds: values as they came, or one row per tag and minute or hour. */
export type BlockKind = 'n' | 'm' | 'h'

/** The columns of values. */
export const NUMBERS: readonly ColumnSpec[] = [
  { name: 'tag', kind: 'int32' },
  { name: 'ts', kind: 'int64' },
  { name: 'v', kind: 'double' },
  { name: 'q', kind: 'int32' },
]

/** Where the columns of values stand. */
export const TAG = 0
export const TS = 1
export const V = 2
export const Q = 3

/**
 * The columns of a roll-up. `ts` is the start of the bucket; times named `…_in` are ms from it. What is told of numbers
 * alone is NaN, or 0 for a time, where the bucket has none (`numbers` is 0).
 */
export const ROLL_UP: readonly ColumnSpec[] = [
  { name: 'tag', kind: 'int32' },
  { name: 'ts', kind: 'int64' },
  { name: 'last_in', kind: 'int32' },
  { name: 'count', kind: 'int32' },
  { name: 'quality', kind: 'int32' },
  { name: 'numbers', kind: 'int32' },
  { name: 'sum', kind: 'double' },
  { name: 'first', kind: 'double' },
  { name: 'min', kind: 'double' },
  { name: 'max', kind: 'double' },
  { name: 'last', kind: 'double' },
  { name: 'first_number_in', kind: 'int32' },
  { name: 'min_in', kind: 'int32' },
  { name: 'max_in', kind: 'int32' },
  { name: 'last_number_in', kind: 'int32' },
]

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

export const schemaOf = (kind: BlockKind): readonly ColumnSpec[] => (kind === 'n' ? NUMBERS : ROLL_UP)

/**
 * Rows of a row group: few enough that reading one tag decodes little, many enough that dictionaries pay. A slot holds
 * little of each tag, so its groups are smaller than those of merged files.
 */
export function groupRowsOf(kind: BlockKind, made: 'slot' | 'merge'): number {
  if (kind === 'n') return made === 'slot' ? 16_384 : 32_768
  return made === 'slot' ? 2048 : 8192
}
