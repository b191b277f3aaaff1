import { closeSync, openSync, readSync } from 'node:fs'
import { decodeChunk } from './pages.ts'
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
  /** Decodes the columns of these numbers, in one read of the file. */
  read(columns: readonly number[]): Columns
}

/** A block file open for reading. */
export interface OpenBlock {
  readonly groups: number
  group(index: number): RowGroup
  close(): void
}

/** Indexes of files, so that a file that is read often is not searched anew; files never change. */
export type IndexCache = Map<string, Float64Array>

const MOST_CACHED = 512

/** Opens a block by the manifest's word. @throws Error of the file system. */
export function openBlock(place: BlockPlace, schema: readonly ColumnSpec[], cache: IndexCache = new Map()): OpenBlock {
  const file = openSync(place.path, 'r')
  const fields = INDEX_HEAD + INDEX_COLUMN * schema.length
  const index = cache.get(place.path) ?? readIndex(file, place, fields)
  if (cache.size >= MOST_CACHED) cache.delete(cache.keys().next().value ?? '')
  cache.set(place.path, index)
  return {
    groups: place.groups,
    group: (number) => groupAt(file, index.subarray(number * fields, (number + 1) * fields)),
    close: () => closeSync(file),
  }
}

function readIndex(file: number, { indexAt, groups }: BlockPlace, fields: number): Float64Array {
  const index = new Float64Array(groups * fields)
  readFully(file, new Uint8Array(index.buffer), indexAt)
  return index
}

function groupAt(file: number, index: Float64Array): RowGroup {
  const [rows = 0, firstTag = 0, lastTag = 0, firstAt = 0, lastAt = 0] = index
  const place = (column: number) => {
    const [at = 0, bytes = 0, codec = 0] = index.subarray(INDEX_HEAD + column * INDEX_COLUMN)
    return { at, bytes, codec }
  }
  const read = (columns: readonly number[]) => {
    const places = columns.map(place)
    const from = Math.min(...places.map(({ at }) => at))
    const to = Math.max(...places.map(({ at, bytes }) => at + bytes))
    const bytes = readFully(file, new Uint8Array(to - from), from)
    return places.map(({ at, bytes: length, codec }, i) => {
      const into = columns[i] === TAG ? new Int32Array(rows) : new Float64Array(rows)
      decodeChunk(bytes.subarray(at - from, at - from + length), codec, into)
      return into
    })
  }
  return { rows, firstTag, lastTag, firstAt, lastAt, read }
}

function readFully(file: number, into: Uint8Array, at: number): Uint8Array {
  for (let done = 0; done < into.length; ) {
    const read = readSync(file, into, done, into.length - done, at + done)
    if (read === 0) throw new Error(`A history file ends at ${at + done}, before its row group does`)
    done += read
  }
  return into
}
