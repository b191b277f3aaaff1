import type { ColumnKind, ColumnSpec } from './schema.ts'
import { binary, i32, i64, list, struct, type ThriftValue, thriftBytes } from './thrift.ts'

export interface ColumnMeta {
  readonly at: number
  readonly bytes: number
  readonly rawBytes: number
  readonly codec: number
  readonly encodings: readonly number[]
  readonly hasDictionary: boolean
  readonly dictionaryBytes: number
}

/** A row group with its bounds; times in ms since 1970. */
export interface GroupMeta {
  readonly rows: number
  readonly firstTag: number
  readonly lastTag: number
  readonly firstAt: number
  readonly lastAt: number
  readonly columns: readonly ColumnMeta[]
}

// Field numbers: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
const TYPES: Readonly<Record<ColumnKind, number>> = { int32: 1, int64: 2, double: 5 }
const REQUIRED = 0

/** The footer that lets any Parquet reader open the file. */
export function footerOf(schema: readonly ColumnSpec[], groups: readonly GroupMeta[]): Uint8Array {
  return thriftBytes({
    1: i32(2),
    2: list([root(schema.length), ...schema.map(schemaElement)]),
    3: i64(groups.reduce((sum, group) => sum + group.rows, 0)),
    4: list(groups.map((group) => rowGroup(schema, group))),
    6: binary('andon'),
    // Every column is ordered as its type says, without which minimum and maximum do not count.
    7: list(schema.map(() => struct({ 1: struct({}) }))),
  })
}

const root = (children: number): ThriftValue => struct({ 4: binary('values'), 5: i32(children) })

const schemaElement = ({ name, kind }: ColumnSpec): ThriftValue =>
  struct({ 1: i32(TYPES[kind]), 3: i32(REQUIRED), 4: binary(name) })

function rowGroup(schema: readonly ColumnSpec[], group: GroupMeta): ThriftValue {
  const chunks = group.columns.map((column, index) =>
    struct({ 2: i64(column.at), 3: columnMeta(schema[index] as ColumnSpec, column, { group, index }) }),
  )
  return struct({
    1: list(chunks),
    2: i64(group.columns.reduce((sum, column) => sum + column.rawBytes, 0)),
    3: i64(group.rows),
  })
}

interface Place {
  readonly group: GroupMeta
  readonly index: number
}

function columnMeta({ name, kind }: ColumnSpec, column: ColumnMeta, { group, index }: Place): ThriftValue {
  const bounds = [
    [group.firstTag, group.lastTag],
    [group.firstAt, group.lastAt],
  ][index]
  return struct({
    1: i32(TYPES[kind]),
    2: list(column.encodings.map(i32)),
    3: list([binary(name)]),
    4: i32(column.codec),
    5: i64(group.rows),
    6: i64(column.rawBytes),
    7: i64(column.bytes),
    9: i64(column.at + column.dictionaryBytes),
    11: column.hasDictionary ? i64(column.at) : undefined,
    12: bounds && struct({ 3: i64(0), 5: binary(plain(kind, bounds[1] ?? 0)), 6: binary(plain(kind, bounds[0] ?? 0)) }),
  })
}

/** An integer as Parquet writes it plainly: little-endian. */
function plain(kind: ColumnKind, value: number): Uint8Array {
  return new Uint8Array(
    kind === 'int32' ? new Int32Array([value]).buffer : new BigInt64Array([BigInt(Math.trunc(value))]).buffer,
  )
}
