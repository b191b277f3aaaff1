import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { JournalClass } from './journal.ts'
import { transaction } from './registry.ts'

const CLASSES: readonly JournalClass[] = ['live', 'backfill', 'alarm', 'gap']
const FORMS = ['fresh', 'reduced', 'packed', 'thinned'] as const
/**
 * `fresh`: as commits wrote it. `packed`: all of it, by tag. `thinned`: the extremes and the last of each tag and interval.
 * `reduced`: alarm events and gaps alone are left.
 */
export type SegmentForm = (typeof FORMS)[number]
const PAGE_BYTES = 4096
/** In one transaction: after a kill a file has all of it, or none and never held a record. */
const SCHEMA = `
    BEGIN;
    CREATE TABLE records (
      first INTEGER PRIMARY KEY, last INTEGER NOT NULL, n INTEGER NOT NULL, class INTEGER NOT NULL,
      crc INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE INDEX urgent ON records (first) WHERE class >= 2;
    CREATE TABLE summary (samples INTEGER NOT NULL, newest_at INTEGER, last INTEGER NOT NULL, form INTEGER NOT NULL) STRICT;
    COMMIT;
`

/** A row of a segment: a block of records, or a single one. */
export interface SegmentRow {
  readonly first: bigint
  readonly last: bigint
  /** Samples in it: of a thinned block fewer than offsets. */
  readonly count: number
  readonly class: JournalClass
  readonly data: Uint8Array
}

/** What is known of a segment without opening it. */
export interface SegmentSummary {
  readonly path: string
  /** Offset of its first record; of the first to be, when it is empty. */
  readonly first: bigint
  /** Offset of its last sample; first − 1 when it is empty. */
  readonly last: bigint
  readonly samples: number
  readonly sizeBytes: number
  /** Newest source time in ms; undefined when it is empty. */
  readonly newestAt: number | undefined
  readonly form: SegmentForm
}

/** A segment file that is open for reading. */
export interface SegmentReader {
  /** Rows that hold offsets from `from` on, in order. A damaged row comes as undefined data. */
  rows(
    from: bigint,
    limit: number,
    isUrgentOnly: boolean,
  ): (Omit<SegmentRow, 'data'> & { data: Uint8Array | undefined })[]
  /** Takes a damaged row out, after its gap record is on disk. */
  remove(first: bigint): void
  close(): void
}

const NAME = /^segment-(\d{20})(?:\.(\d+))?\.db$/

/** Path of the segment that begins with an offset; names sort as offsets do. A `turn` above 0 has been written anew. */
export const segmentPath = (directory: string, first: bigint, turn = 0): string =>
  join(directory, `segment-${String(first).padStart(20, '0')}${turn === 0 ? '' : `.${turn}`}.db`)

/** First offset and turn in a segment's file name; undefined when the file is no segment. */
export function parseName(name: string): { readonly first: bigint; readonly turn: number } | undefined {
  const match = NAME.exec(name)
  return match?.[1] === undefined ? undefined : { first: BigInt(match[1]), turn: Number(match[2] ?? 0) }
}

interface RawRow {
  first: bigint
  last: bigint
  n: bigint
  class: bigint
  crc: bigint
  data: Uint8Array
}

/** Opens a sealed segment for reading; it needs no room on the disk. @throws Error when it is no database. */
export function openReader(path: string): SegmentReader {
  return readerOf(new DatabaseSync(path, { readOnly: true }), (first) => {
    const db = new DatabaseSync(path)
    try {
      db.prepare('DELETE FROM records WHERE first = ?').run(first)
    } finally {
      db.close()
    }
  })
}

/** Segments of version 1 have no blocks, and so no last offset beside the first. */
const lastOf = (db: DatabaseSync): string => (hasColumn(db, 'records', 'last') ? 'last' : 'first + n - 1')

const hasColumn = (db: DatabaseSync, table: string, column: string): boolean =>
  db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined

function readerOf(db: DatabaseSync, remove: (first: bigint) => void): SegmentReader {
  const last = lastOf(db)
  const statement = (where: string) => {
    const select = db.prepare(
      `SELECT first, ${last} AS last, n, class, crc, data FROM records
       WHERE first >= coalesce((SELECT max(first) FROM records WHERE first <= ?1 ${where}), 0) ${where}
         AND ${last} >= ?1
       ORDER BY first LIMIT ?2`,
    )
    select.setReadBigInts(true)
    return select
  }
  const all = statement('')
  const urgent = statement('AND class >= 2')
  return {
    rows: (from, limit, isUrgentOnly) =>
      ((isUrgentOnly ? urgent : all).all(from, limit) as unknown as RawRow[]).map((row) => ({
        first: row.first,
        last: row.last,
        count: Number(row.n),
        class: CLASSES[Number(row.class)] ?? 'live',
        data: checksum(row) === Number(row.crc) ? row.data : undefined,
      })),
    remove,
    close: () => db.close(),
  }
}

/** Ties the bytes to their place, so that a row that turns up at another offset is damage too. */
const checksum = (row: Pick<RawRow, 'first' | 'n' | 'class' | 'data'>): number =>
  crc32(row.data, Number(BigInt.asUintN(32, row.first * 31n + row.n * 7n + row.class)))

/** Runs on a database, which is closed when that fails. */
function openWith<T>(path: string, run: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path)
  try {
    return run(db)
  } catch (error) {
    db.close()
    throw error
  }
}

/** The one segment that is written to. */
export interface OpenSegment extends SegmentReader {
  readonly summary: SegmentSummary
  readonly openedAt: number
  /** Writes records in one durable transaction. @throws Error when it cannot; then nothing of it is in the segment. */
  commit(rows: readonly SegmentRow[], newestAt: number): void
  /** Ends it: the write-ahead log goes into the file, which is closed. */
  seal(): SegmentSummary
}

export interface SegmentOptions {
  readonly directory: string
  readonly first: bigint
  readonly maxBytes: number
  readonly now: number
}

/** Makes an empty segment. @throws Error when the disk has no room for it; then no file stays open. */
export function createSegment({ directory, first, maxBytes, now }: SegmentOptions): OpenSegment {
  const path = segmentPath(directory, first)
  unlinkSegment(path)
  return openWith(path, (db) => {
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`)
    db.exec(`PRAGMA journal_size_limit = ${4 * 1024 * 1024}`)
    db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`)
    db.exec(SCHEMA)
    syncDirectory(directory)
    return openSegmentOf(db, emptySummary(path, first), now)
  })
}

const emptySummary = (path: string, first: bigint): SegmentSummary => ({
  path,
  first,
  last: first - 1n,
  samples: 0,
  sizeBytes: PAGE_BYTES,
  newestAt: undefined,
  form: 'fresh',
})

function openSegmentOf(db: DatabaseSync, empty: SegmentSummary, openedAt: number): OpenSegment {
  const insert = db.prepare(INSERT)
  const remove = db.prepare('DELETE FROM records WHERE first = ?')
  let summary = empty
  return {
    ...readerOf(db, (first) => void remove.run(first)),
    openedAt,
    get summary() {
      return summary
    },
    commit: (rows, newestAt) => {
      transaction(db, () => {
        for (const row of rows) insertRow(insert, row)
      })
      summary = grown(summary, rows, newestAt)
    },
    seal: () => {
      sealDatabase(db, summary)
      return { ...summary, sizeBytes: statSync(summary.path).size }
    },
  }
}

/**
 * Brings the write-ahead log into the file and leaves that mode, so that a reader needs to write nothing. On a full disk
 * the log stays beside the file, nothing is lost, and the next start tries again.
 */
function sealDatabase(db: DatabaseSync, summary: SegmentSummary): void {
  try {
    writeSummary(db, summary)
    db.exec('PRAGMA journal_mode = DELETE')
  } catch (error) {
    if (!isNoRoom(error)) throw error
  } finally {
    db.close()
  }
}

/** SQLITE_FULL, and the input/output and cannot-open errors that a full disk gives for the files beside a database. */
export const isNoRoom = (error: unknown): boolean => [10, 13, 14].includes(sqliteCode(error))

/** SQLITE_FULL: no doubt about it. */
export const isFull = (error: unknown): boolean => sqliteCode(error) === 13

/** SQLITE_CORRUPT and SQLITE_NOTADB: the file itself is broken, whatever the disk does. */
export const isBroken = (error: unknown): boolean => [11, 26].includes(sqliteCode(error))

const sqliteCode = (error: unknown): number =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0

const INSERT = 'INSERT INTO records (first, last, n, class, crc, data) VALUES (?, ?, ?, ?, ?, ?)'

function insertRow(insert: ReturnType<DatabaseSync['prepare']>, row: SegmentRow): void {
  const n = BigInt(row.count)
  const code = BigInt(CLASSES.indexOf(row.class))
  insert.run(row.first, row.last, n, code, checksum({ first: row.first, n, class: code, data: row.data }), row.data)
}

function grown(summary: SegmentSummary, rows: readonly SegmentRow[], newestAt: number): SegmentSummary {
  const last = rows.at(-1)
  return {
    ...summary,
    last: last?.last ?? summary.last,
    samples: rows.reduce((sum, row) => sum + row.count, summary.samples),
    sizeBytes: rows.reduce((sum, row) => sum + row.data.length + 32, summary.sizeBytes),
    newestAt: Math.max(newestAt, summary.newestAt ?? 0),
  }
}

function writeSummary(db: DatabaseSync, summary: SegmentSummary): void {
  db.prepare('INSERT INTO summary VALUES (?, ?, ?, ?)').run(
    summary.samples,
    summary.newestAt ?? null,
    summary.last,
    FORMS.indexOf(summary.form),
  )
}

/** Reads what a segment of an earlier run holds, and seals it when that run did not. @throws Error when it is damaged. */
export function summarise(path: string, first: bigint): SegmentSummary {
  return openWith(path, (db) => {
    if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'records'").get()) {
      db.close()
      return emptySummary(path, first)
    }
    const form = hasColumn(db, 'summary', 'form') ? 'form' : 'reduced'
    const select = db.prepare(`SELECT samples, newest_at, last, ${form} AS form FROM summary LIMIT 1`)
    select.setReadBigInts(true)
    const row = select.get() as { samples: bigint; newest_at: bigint | null; last: bigint; form: bigint } | undefined
    const sizeBytes = statSync(path).size
    if (!row) {
      const summary: SegmentSummary = { ...count(db, first), path, first, sizeBytes, form: 'fresh' }
      sealDatabase(db, summary)
      return summary
    }
    db.close()
    const newestAt = row.newest_at === null ? undefined : Number(row.newest_at)
    return {
      path,
      first,
      last: row.last,
      samples: Number(row.samples),
      newestAt,
      sizeBytes,
      form: FORMS[Number(row.form)] ?? 'fresh',
    }
  })
}

/** Counts a segment whose run ended without sealing it; its newest source time is then unknown. */
function count(db: DatabaseSync, first: bigint): Pick<SegmentSummary, 'last' | 'samples' | 'newestAt'> {
  const select = db.prepare(`SELECT max(${lastOf(db)}) AS last, sum(n) AS samples FROM records`)
  select.setReadBigInts(true)
  const row = select.get() as { last: bigint | null; samples: bigint | null }
  return { last: row.last ?? first - 1n, samples: Number(row.samples ?? 0n), newestAt: undefined }
}

/** A file that is to take a segment's place. */
export interface Replacement {
  readonly path: string
  /** Adds rows, in the order of their offsets, in a transaction of its own. */
  add(rows: readonly SegmentRow[]): void
  /** Ends it: it is on disk, and may be put in the segment's place by a rename. */
  finish(): SegmentSummary
  /** Gives it up. */
  discard(): void
}

/** Begins a file that takes the place of a segment, with the same offsets; a crash before its rename leaves no trace of it. */
export function replaceSegment(from: SegmentSummary, form: SegmentForm): Replacement {
  const path = `${from.path}${REPLACEMENT}`
  rmSync(path, { force: true })
  return openWith(path, (db) => {
    // Until its rename nobody trusts this file, so one flush at its end is enough.
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF`)
    db.exec(SCHEMA)
    const insert = db.prepare(INSERT)
    let summary: SegmentSummary = { ...from, samples: 0, form }
    return {
      path,
      add: (rows) => {
        transaction(db, () => {
          for (const row of rows) insertRow(insert, row)
        })
        summary = { ...summary, samples: rows.reduce((sum, { count: n }) => sum + n, summary.samples) }
      },
      finish: () => {
        transaction(db, () => writeSummary(db, summary))
        db.close()
        syncFile(path)
        return { ...summary, sizeBytes: statSync(path).size }
      },
      discard: () => {
        if (db.isOpen) db.close()
        for (const file of [path, `${path}-journal`]) rmSync(file, { force: true })
      },
    }
  })
}

/** How the name of a file ends that is to take a segment's place. */
export const REPLACEMENT = '.reduced'

/** Removes a segment's files. */
export function unlinkSegment(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) rmSync(file)
  syncDirectory(dirname(path))
}

/** Makes the names in a directory durable. */
export const syncDirectory = (directory: string): void => syncFile(directory)

function syncFile(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
