import { readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { OffsetRange } from '#shared/sparkplug/range-set.ts'
import {
  createSegment,
  isBroken,
  type OpenSegment,
  openReader,
  parseName,
  REPLACEMENT,
  type Replacement,
  replaceSegment,
  type SegmentForm,
  type SegmentReader,
  type SegmentRow,
  type SegmentSummary,
  segmentPath,
  summarise,
  syncDirectory,
  unlinkSegment,
} from './segment.ts'

/** Sealed segments kept open for reading at the same time. */
const OPEN_READERS = 2
/** What a segment may grow beyond its size, by the commit that makes it full and by its index. */
const SLACK_BYTES = 32 * 1024 * 1024

export interface StoreOptions {
  readonly directory: string
  /** A segment is sealed at this size or age. */
  readonly segmentBytes: number
  readonly segmentMs: number
}

/** A row of the store; `data` is undefined when its bytes are damaged. */
export type StoreRow = Omit<SegmentRow, 'data'> & { readonly data: Uint8Array | undefined }

/** The row of segments: written at the end, freed at the front. */
export interface Store {
  /** Newest offset on disk; 0 when there is none. */
  readonly newest: bigint
  /** Offset of the next sample. */
  readonly next: bigint
  readonly segments: readonly SegmentSummary[]
  /** Files that could not be opened at start, moved aside: their offsets are lost. Of the newest file last = first − 1. */
  readonly damaged: readonly OffsetRange[]
  /** Makes the segment that is written to. The next offset is `next`. */
  begin(next: bigint, now: number): void
  commit(rows: readonly SegmentRow[], newestAt: number): void
  /** Seals the open segment when it is full or old, and begins the next. `isForced`: in any case. */
  rotate(now: number, isForced?: boolean): void
  rows(from: bigint, limit: number, isUrgentOnly: boolean): StoreRow[]
  removeRow(row: StoreRow): void
  /** Unlinks sealed segments that end at or before an offset. Answers whether any went. */
  free(upTo: bigint): boolean
  /** Begins a smaller file for the place of a sealed segment. */
  replacement(segment: SegmentSummary, form: SegmentForm): Replacement
  /** Puts a replacement in its segment's place, or nothing when it is empty. False when the segment is gone or was replaced meanwhile. */
  replace(segment: SegmentSummary, by: Replacement): boolean
  close(): void
}

/** Opens the segments of a directory. Nothing is written before begin(). */
export function openStore(options: StoreOptions): Store {
  const { directory } = options
  const loaded = load(directory)
  const state: State = { sealed: loaded.sealed, open: undefined, readers: createReaders() }
  return {
    get newest() {
      return all(state).findLast(({ samples }) => samples > 0)?.last ?? 0n
    },
    get next() {
      return current(state).summary.last + 1n
    },
    get segments() {
      return all(state)
    },
    damaged: loaded.damaged,
    begin: (first, now) => {
      state.open = newSegment(options, first, now)
    },
    commit: (rows, newestAt) => current(state).commit(rows, newestAt),
    rotate: (now, isForced = false) => rotate(state, options, now, isForced),
    rows: (from, limit, isUrgentOnly) => readRows(state, from, limit, isUrgentOnly),
    removeRow: (row) => {
      const segment = all(state).find(({ first, last }) => first <= row.first && row.first <= last)
      if (segment) readerFor(state, segment).remove(row.first)
    },
    free: (upTo) => free(state, upTo),
    replacement: replaceSegment,
    replace: (segment, by) => replace(state, directory, segment, by),
    close: () => {
      state.readers.closeAll()
      state.open?.seal()
      state.open = undefined
    },
  }
}

interface State {
  sealed: readonly SegmentSummary[]
  open: OpenSegment | undefined
  readonly readers: Readers
}

const all = ({ sealed, open }: State): readonly SegmentSummary[] => (open ? [...sealed, open.summary] : sealed)

function current({ open }: State): OpenSegment {
  if (!open) throw new Error('The journal is not open')
  return open
}

const newSegment = (options: StoreOptions, first: bigint, now: number): OpenSegment =>
  createSegment({ directory: options.directory, first, maxBytes: options.segmentBytes + SLACK_BYTES, now })

/** The next segment is made before the last is sealed: on a full disk the last then stays the open one. */
function rotate(state: State, options: StoreOptions, now: number, isForced: boolean): void {
  const last = current(state)
  if (last.summary.samples === 0) return
  const isDue = last.summary.sizeBytes >= options.segmentBytes || now - last.openedAt >= options.segmentMs
  if (!isDue && !isForced) return
  state.open = newSegment(options, last.summary.last + 1n, now)
  state.sealed = [...state.sealed, last.seal()]
}

function readRows(state: State, from: bigint, limit: number, isUrgentOnly: boolean): StoreRow[] {
  const rows: StoreRow[] = []
  for (const segment of all(state)) {
    if (segment.last < from || segment.samples === 0) continue
    rows.push(...readerFor(state, segment).rows(from, limit - rows.length, isUrgentOnly))
    if (rows.length >= limit) break
  }
  return rows
}

const readerFor = ({ open, readers }: State, segment: SegmentSummary): SegmentReader =>
  open && segment.path === open.summary.path ? open : readers.get(segment.path)

function free(state: State, upTo: bigint): boolean {
  const gone = state.sealed.filter((segment) => segment.last <= upTo)
  for (const { path } of gone) {
    state.readers.close(path)
    unlinkSegment(path)
  }
  state.sealed = state.sealed.filter((segment) => segment.last > upTo)
  return gone.length > 0
}

function replace(state: State, directory: string, segment: SegmentSummary, by: Replacement): boolean {
  if (!state.sealed.includes(segment)) {
    by.discard()
    return false
  }
  const summary = by.finish()
  state.readers.close(segment.path)
  if (summary.samples === 0) {
    by.discard()
    unlinkSegment(segment.path)
    state.sealed = state.sealed.filter((other) => other !== segment)
    return true
  }
  // A name of its own: beside the old one the write-ahead log of a segment may still lie that a full disk could not seal.
  const path = segmentPath(directory, segment.first, (parseName(basename(segment.path))?.turn ?? 0) + 1)
  renameSync(by.path, path)
  syncDirectory(directory)
  unlinkSegment(segment.path)
  state.sealed = state.sealed.map((other) => (other === segment ? { ...summary, path } : other))
  return true
}

/** Sealed segments that are open for reading, a few at a time. */
interface Readers {
  get(path: string): SegmentReader
  close(path: string): void
  closeAll(): void
}

function createReaders(): Readers {
  const open = new Map<string, SegmentReader>()
  const close = (path: string) => {
    open.get(path)?.close()
    open.delete(path)
  }
  return {
    get: (path) => {
      const known = open.get(path)
      if (known) return known
      for (const other of [...open.keys()].slice(0, Math.max(0, open.size - OPEN_READERS + 1))) close(other)
      const reader = openReader(path)
      open.set(path, reader)
      return reader
    },
    close,
    closeAll: () => [...open.keys()].forEach(close),
  }
}

/**
 * Reads the summaries of all segments; one that is no database is moved aside and its offsets are told.
 * @throws Error for any other fault, such as a disk without room: then nothing is given up.
 */
function load(directory: string): { sealed: SegmentSummary[]; damaged: OffsetRange[] } {
  for (const name of readdirSync(directory)) if (name.includes(`.db${REPLACEMENT}`)) rmSync(join(directory, name))
  const names = newestTurns(directory)
  const sealed: SegmentSummary[] = []
  const damaged: OffsetRange[] = []
  names.forEach(({ first, path }, i) => {
    try {
      const summary = summarise(path, first)
      if (summary.samples === 0) unlinkSegment(path)
      else sealed.push(summary)
    } catch (error) {
      if (!isBroken(error)) throw error
      renameSync(path, `${path}.damaged`)
      damaged.push({ first, last: (names[i + 1]?.first ?? first) - 1n })
    }
  })
  return { sealed, damaged }
}

/** The segments of a directory in order; what a segment was before it was written anew is removed. */
function newestTurns(directory: string): { readonly first: bigint; readonly path: string }[] {
  const found = readdirSync(directory).flatMap((name) => {
    const parsed = parseName(name)
    return parsed ? [{ ...parsed, path: join(directory, name) }] : []
  })
  found.sort((a, b) => (a.first === b.first ? a.turn - b.turn : a.first < b.first ? -1 : 1))
  return found.filter(({ first, path }, i) => {
    if (found[i + 1]?.first !== first) return true
    unlinkSegment(path)
    return false
  })
}
