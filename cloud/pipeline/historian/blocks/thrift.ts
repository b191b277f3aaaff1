import { ByteSink, type ByteSource } from './byte-sink.ts'

// Thrift's compact protocol, as far as Parquet's page headers and footer need it:
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
const I32 = 5
const I64 = 6
const BINARY = 8
const LIST = 9
const STRUCT = 12

const text = new TextEncoder()

/** One value of a struct or a list, with how it is written. */
export interface ThriftValue {
  readonly type: number
  readonly write: (sink: ByteSink) => void
}

/** Fields of a struct by their number, ascending; undefined leaves one out. */
export type ThriftFields = Readonly<Record<number, ThriftValue | undefined>>

export const i32 = (value: number): ThriftValue => ({ type: I32, write: (sink) => sink.zigzag(value) })
export const i64 = (value: number): ThriftValue => ({ type: I64, write: (sink) => sink.zigzag(value) })

export const binary = (value: Uint8Array | string): ThriftValue => {
  const bytes = typeof value === 'string' ? text.encode(value) : value
  const write = (sink: ByteSink) => {
    sink.varint(bytes.length)
    sink.put(bytes)
  }
  return { type: BINARY, write }
}

export const struct = (fields: ThriftFields): ThriftValue => ({
  type: STRUCT,
  write: (sink) => {
    let before = 0
    for (const [key, value] of Object.entries(fields)) {
      if (!value) continue
      const field = Number(key)
      sink.byte(((field - before) << 4) | value.type)
      value.write(sink)
      before = field
    }
    sink.byte(0)
  },
})

/** A list whose items have one type; empty lists are of structs. */
export const list = (items: readonly ThriftValue[]): ThriftValue => ({
  type: LIST,
  write: (sink) => {
    const type = items[0]?.type ?? STRUCT
    if (items.length < 15) sink.byte((items.length << 4) | type)
    else {
      sink.byte(0xf0 | type)
      sink.varint(items.length)
    }
    for (const item of items) item.write(sink)
  },
})

/** Bytes of one struct. */
export function thriftBytes(fields: ThriftFields): Uint8Array {
  const sink = new ByteSink(1024)
  struct(fields).write(sink)
  return sink.written
}

/** Reads a struct of integers and nested structs of integers, as Parquet's page headers are; field number → value. */
export function readThriftIntegers(source: ByteSource): Map<number, number | Map<number, unknown>> {
  const fields = new Map<number, number | Map<number, unknown>>()
  let field = 0
  for (;;) {
    const head = source.byte()
    if (head === 0) return fields
    field += head >>> 4
    const type = head & 0x0f
    if (type === STRUCT) fields.set(field, readThriftIntegers(source))
    else if (type === I32 || type === I64) fields.set(field, source.zigzag())
    else throw new Error(`A page header of a history file holds a field of type ${type}, which Andon never writes`)
  }
}
