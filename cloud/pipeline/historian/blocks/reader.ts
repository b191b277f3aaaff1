import { closeSync, openSync, readSync } from 'node:fs'
import { decodeDoubles, decodeWholes } from './pages.ts'
import { type ColumnSpec, type Columns, TAG } from './schema.ts'
import { INDEX_COLUMN, INDEX_HEAD } from './writer.ts'

/** Where a block file is and where its index stands; see WrittenBlock. */
export interface BlockPlace {
  readonly path: string
  readonly indexAt: number
  readonly groups: number
}

/** One row group of an open block. Times in ms since 1970. */
export interface RowGroup {
  readonly rows: number
  readonly firstTag: number
  readonly lastTag: number
  readonly firstAt: number
  readonly lastAt: number
  /** Reads the group's bytes from the file. */
  load(): LoadedGroup
}

/** A row group in memory. */
export interface LoadedGroup {
  /** Decodes a column by its number, or rows `from` to `to` − 1 of it. */
  column(index: number, from?: number, to?: number): Int32Array | Float64Array
  /** Decodes all columns, or these rows of them. */
  columns(from?: number, to?: number): Columns
}

/** A block file open for reading. */
export interface OpenBlock {
  readonly groups: number
  group(index: number): RowGroup
  close(): void
}

/** Indexes of files, so that a file that is read often is not searched anew; files never change. Oldest use first. */
export class IndexCache {
  readonly #indexes = new Map<string, Float64Array>()
  readonly #mostBytes: number
  #bytes = 0

  constructor(mostBytes = 64 * 2 ** 20) {
    this.#mostBytes = mostBytes
  }

  /** The index of a file, read by `read` when it is not there. */
  get(path: string, read: () => Float64Array): Float64Array {
    const index = this.#indexes.get(path) ?? read()
    if (!this.#indexes.delete(path)) this.#bytes += index.byteLength
    this.#indexes.set(path, index)
    while (this.#bytes > this.#mostBytes && this.#indexes.size > 1) this.#forgetOldest()
    return index
  }

  #forgetOldest(): void {
    const [oldest] = this.#indexes
    if (!oldest) return
    this.#indexes.delete(oldest[0])
    this.#bytes -= oldest[1].byteLength
  }
}

/** Opens a block by the manifest's word. @throws Error of the file system. */
export function openBlock(
  place: BlockPlace,
  schema: readonly ColumnSpec[],
  cache: IndexCache = new IndexCache(0),
): OpenBlock {
  const file = openSync(place.path, 'r')
  const fields = INDEX_HEAD + INDEX_COLUMN * schema.length
  const index = cache.get(place.path, () => readIndex(file, place, fields))
  return {
    groups: place.groups,
    group: (number) => groupAt(file, schema, index.subarray(number * fields, (number + 1) * fields)),
    close: () => closeSync(file),
  }
}

function readIndex(file: number, { indexAt, groups }: BlockPlace, fields: number): Float64Array {
  const index = new Float64Array(groups * fields)
  readFully(file, new Uint8Array(index.buffer), indexAt)
  return index
}

function groupAt(file: number, schema: readonly ColumnSpec[], index: Float64Array): RowGroup {
  const [rows = 0, firstTag = 0, lastTag = 0, firstAt = 0, lastAt = 0] = index
  const places = schema.map((_, column) => {
    const [at = 0, bytes = 0, codec = 0] = index.subarray(INDEX_HEAD + column * INDEX_COLUMN)
    return { at, bytes, codec }
  })
  const load = (): LoadedGroup => {
    const start = places[0]?.at ?? 0
    const end = places.reduce((most, { at, bytes }) => Math.max(most, at + bytes), start)
    const all = readFully(file, new Uint8Array(end - start), start)
    const column = (number: number, from = 0, to = rows) => {
      const { at, bytes, codec } = places[number] ?? { at: start, bytes: 0, codec: 0 }
      const own = all.subarray(at - start, at - start + bytes)
      if (schema[number]?.kind === 'double') return decodeDoubles(own, codec, { from, to })
      const wholes = number === TAG ? new Int32Array(rows) : new Float64Array(rows)
      return decodeWholes<Int32Array | Float64Array>(own, codec, wholes).subarray(from, to)
    }
    return { column, columns: (from, to) => schema.map((_, number) => column(number, from, to)) }
  }
  return { rows, firstTag, lastTag, firstAt, lastAt, load }
}

function readFully(file: number, into: Uint8Array, at: number): Uint8Array {
  for (let done = 0; done < into.length; ) {
    const read = readSync(file, into, done, into.length - done, at + done)
    if (read === 0) throw new Error(`A history file ends at ${at + done}, before its row group does`)
    done += read
  }
  return into
}
