import type { SparkplugType } from './datatype.ts'

/** Bits of `DataColumns.flag`. */
export const NULL = 1
export const WIDE = 2
export const HISTORICAL = 4
export const MISFIT = 8

/** Finds the slot of a metric by alias; made once per birth. */
export class AliasTable {
  firstOffsetAlias = -1
  lastOffsetAlias = -1
  /** Adds a metric; slots are numbered by the caller. */
  set(_alias: number, _slot: number, _type: SparkplugType): void {}
  slotOf(_alias: number): number {
    return -1
  }
}

/** Columns that a payload is read into. */
export class DataColumns {
  count = 0
  timestamp = Number.NaN
  seq = -1
  hasOffsets = false
  firstOffset = 0n
  lastOffset = 0n
  slot = new Int32Array(256)
  ts = new Float64Array(256)
  v = new Float64Array(256)
  q = new Uint8Array(256)
  flag = new Uint8Array(256)
  wide: (bigint | string | undefined)[] = []
}

/** Reads a data payload straight into columns. */
export function readData(_bytes: Uint8Array, _table: AliasTable, _into: DataColumns): boolean {
  return false
}
