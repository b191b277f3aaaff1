import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ColumnMeta, footerOf, type GroupMeta } from './footer.ts'
import { ColumnEncoder } from './pages.ts'
import { type Column, type ColumnSpec, type Columns, TAG, TS } from './schema.ts'

/** A finished block file, as the manifest names it. Times in ms since 1970; of a roll-up, starts of buckets. */
export interface WrittenBlock {
  readonly rows: number
  readonly firstAt: number
  readonly lastAt: number
  readonly sizeBytes: number
  /** Where the index of row groups stands in the file, and how many row groups it names. */
  readonly indexAt: number
  readonly groups: number
}

export interface BlockWriter {
  /** Adds rows `from` to `to` − 1; all rows must come in order of tag and time. */
  add(columns: Columns, from: number, to: number): void
  /** Ends the file, or removes it when there are no rows: after a crash it is there whole or not at all. */
  finish(): WrittenBlock | undefined
  /** Gives up and removes what was written. */
  abandon(): void
}

export interface BlockTarget {
  readonly path: string
  readonly schema: readonly ColumnSpec[]
  readonly groupRows: number
  /** True for a file that is soon merged into another: it is not compressed. */
  readonly isBrief?: boolean
}

/** Fields of a row group in the index, before two (place, bytes) and the codec of each column. */
export const INDEX_HEAD = 5
export const INDEX_COLUMN = 3

/** Synced in pieces, because at the end of a big file it would hold the thread for seconds. */
const SYNC_BYTES = 32 * 2 ** 20

const MAGIC = new TextEncoder().encode('PAR1')

/** Starts a Parquet file beside `path`; everything is synchronous. @throws Error of the file system, e.g. when the disk is full. */
export function createBlock({ path, schema, groupRows, isBrief }: BlockTarget): BlockWriter {
  const file = createFile(`${path}.tmp`)
  const encoder = new ColumnEncoder(isBrief)
  const groups: GroupMeta[] = []
  const buffers = schema.map(() => new Float64Array(groupRows))
  let held = 0
  const writeGroup = (columns: Columns, from: number, to: number) => {
    const metas: ColumnMeta[] = []
    for (const [index, { kind }] of schema.entries()) {
      const chunk = encoder.encode(kind, (columns[index] as Column).subarray(from, to))
      const { bytes, ...meta } = chunk
      metas.push({ ...meta, at: file.length, bytes: bytes.length })
      file.write(bytes)
    }
    groups.push({ rows: to - from, columns: metas, ...boundsOf(columns, from, to) })
  }
  const hold = (columns: Columns, from: number, to: number) => {
    for (const [index, buffer] of buffers.entries()) buffer.set((columns[index] as Column).subarray(from, to), held)
    held += to - from
    if (held < groupRows) return
    writeGroup(buffers, 0, held)
    held = 0
  }
  file.write(MAGIC)
  return {
    add(columns, from, to) {
      for (let at = from; at < to; ) {
        const rows = Math.min(to - at, groupRows - held)
        if (rows === groupRows) writeGroup(columns, at, at + rows)
        else hold(columns, at, at + rows)
        at += rows
      }
    },
    finish() {
      if (held > 0) writeGroup(buffers, 0, held)
      const block = writeEnd(file, groups, schema)
      file.close()
      if (block.rows === 0) {
        file.remove()
        return undefined
      }
      renameSync(`${path}.tmp`, path)
      syncFolder(dirname(path))
      return { ...block, sizeBytes: file.length }
    },
    abandon: file.remove,
  }
}

interface NewFile {
  readonly length: number
  write(bytes: Uint8Array): void
  /** Everything is on the disk then. */
  close(): void
  remove(): void
}

function createFile(path: string): NewFile {
  const file = openSync(path, 'w', 0o600)
  let [length, synced, isClosed] = [0, 0, false]
  return {
    get length() {
      return length
    },
    write(bytes) {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      length += bytes.length
      if (length - synced < SYNC_BYTES) return
      fdatasyncSync(file)
      synced = length
    },
    close() {
      fsyncSync(file)
      closeSync(file)
      isClosed = true
    },
    remove() {
      if (!isClosed) closeSync(file)
      isClosed = true
      rmSync(path, { force: true })
    },
  }
}

function writeEnd(
  file: NewFile,
  groups: readonly GroupMeta[],
  schema: readonly ColumnSpec[],
): Omit<WrittenBlock, 'sizeBytes'> {
  const indexAt = file.length
  file.write(indexOf(groups))
  const footer = footerOf(schema, groups)
  file.write(footer)
  file.write(new Uint8Array(new Uint32Array([footer.length]).buffer))
  file.write(MAGIC)
  return {
    rows: groups.reduce((sum, group) => sum + group.rows, 0),
    firstAt: groups.reduce((least, group) => Math.min(least, group.firstAt), Number.POSITIVE_INFINITY),
    lastAt: groups.reduce((most, group) => Math.max(most, group.lastAt), Number.NEGATIVE_INFINITY),
    indexAt,
    groups: groups.length,
  }
}

function boundsOf(columns: Columns, from: number, to: number) {
  const ts = columns[TS] as Column
  let firstAt = Number.POSITIVE_INFINITY
  let lastAt = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) {
    const at = ts[i] as number
    if (at < firstAt) firstAt = at
    if (at > lastAt) lastAt = at
  }
  const tag = columns[TAG] as Column
  return { firstTag: tag[from] as number, lastTag: tag[to - 1] as number, firstAt, lastAt }
}

/** Our own index: what a reader needs of the footer, at a place that the manifest knows, read in one go. */
function indexOf(groups: readonly GroupMeta[]): Uint8Array {
  const fields = groups.flatMap(({ rows, firstTag, lastTag, firstAt, lastAt, columns }) => [
    ...[rows, firstTag, lastTag, firstAt, lastAt],
    ...columns.flatMap((column) => [column.at, column.bytes, column.codec]),
  ])
  return new Uint8Array(new Float64Array(fields).buffer)
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
