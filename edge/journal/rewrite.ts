import type { JournalRecord } from './journal.ts'
import type { Parts } from './parts.ts'
import { recordsOf } from './reading.ts'
import { blockRow, singleRow } from './records.ts'
import type { Replacement, SegmentRow, SegmentSummary } from './segment.ts'
import type { StoreRow } from './store.ts'
import { createThinner, type Marks } from './thin.ts'
import { createThinning } from './thinning.ts'

/** Samples of one block of a closed segment: what must be unpacked to read any of them. */
const BLOCK_SAMPLES = 32_768
/** Samples of one step: a few ms. */
const STEP_SAMPLES = 8192
/** Between two steps the edge does what it is there for. */
const PAUSE_MS = 2

/** A closed segment that is being written anew, a few ms at a time. */
export interface Rewriting {
  readonly segment: SegmentSummary
  readonly form: 'packed' | 'thinned'
  /** Gives it up: the segment stays as it is. */
  cancel(): void
}

/** Begins to write a closed segment anew. It goes on between other work, and takes the segment's place in one step at its end. */
export function startRewriting(parts: Parts, segment: SegmentSummary, form: Rewriting['form']): void {
  const file = parts.store.replacement(segment, form)
  const steps = form === 'packed' ? pack(parts, segment, file) : thin(parts, segment, file)
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    clearTimeout(timer)
    file.discard()
    parts.rewriting = undefined
  }
  const turn = () => {
    try {
      if (!steps.next().done) timer = setTimeout(turn, PAUSE_MS)
      else if (putInPlace(parts, segment, file)) parts.rewriting = undefined
      else end()
    } catch (error) {
      end()
      parts.asItIs.add(segment.path)
      parts.log.warn({ err: error, form }, 'A closed segment could not be written anew, it stays as it is')
    }
  }
  parts.rewriting = { segment, form, cancel: end }
  timer = setTimeout(turn, PAUSE_MS)
}

function putInPlace(parts: Parts, segment: SegmentSummary, file: Replacement): boolean {
  if (!parts.store.replace(segment, file)) return false
  parts.unpacked.clear()
  return true
}

/** All of a segment, by tag. */
function* pack(parts: Parts, segment: SegmentSummary, file: Replacement): Generator<void, void> {
  const rows = blocksInto(file)
  const isEnough = stepCounter()
  for (const row of segmentRows(parts, segment)) {
    for (const record of whole(parts, row)) rows.add(record)
    if (isEnough(row)) yield
  }
  rows.end()
  parts.counters.repacked += 1
}

/** The extremes and the last of each tag and interval, and gap records over what is left out. */
function* thin(parts: Parts, segment: SegmentSummary, file: Replacement): Generator<void, void> {
  const { acknowledged, config } = parts
  const kept = yield* chooseKept(parts, segment, config.thinSeconds * 1000)
  const rows = blocksInto(file)
  const thinning = createThinning({
    gapTag: parts.gapTag,
    now: parts.clock.now(),
    after: acknowledged,
    put: (record) => rows.add(record),
  })
  const isEnough = stepCounter()
  let index = 0
  for (const row of segmentRows(parts, segment)) {
    for (const record of whole(parts, row)) {
      thinning.take(record, (k) => kept.has(index + k))
      index += record.samples.length
    }
    if (isEnough(row)) yield
  }
  thinning.end()
  rows.end()
  parts.counters.thinned += thinning.leftOut
  parts.log.warn({ leftOut: thinning.leftOut }, 'Oldest samples were thinned and what is left out recorded as gaps')
}

function* chooseKept(parts: Parts, segment: SegmentSummary, intervalMs: number): Generator<void, Marks> {
  const thinner = createThinner(intervalMs)
  const isEnough = stepCounter()
  let index = 0
  for (const row of segmentRows(parts, segment)) {
    for (const { samples } of whole(parts, row)) for (const sample of samples) thinner.note(sample, index++)
    if (isEnough(row)) yield
  }
  return thinner.finish()
}

/** True with each row that ends a step. */
function stepCounter(): (row: StoreRow) => boolean {
  let count = 0
  return (row) => {
    count += row.count
    if (count < STEP_SAMPLES) return false
    count = 0
    return true
  }
}

function* segmentRows({ store }: Parts, segment: SegmentSummary): Generator<StoreRow> {
  for (let next = segment.first; next <= segment.last; ) {
    const [row] = store.rows(next, 1, false)
    if (!row || row.first > segment.last) return
    yield row
    next = row.last + 1n
  }
}

function whole(parts: Parts, row: StoreRow): JournalRecord[] {
  const records = recordsOf(parts, row)
  if (!records) throw new Error(`The record at ${row.first} is damaged`)
  return records
}

/** Gathers records into blocks by tag; what is of the node, alarm events and gaps, stays a row of its own. */
function blocksInto(file: Replacement) {
  let block: JournalRecord[] = []
  let count = 0
  const rows: SegmentRow[] = []
  const endBlock = () => {
    if (block.length > 0) rows.push(blockRow(block, 'by-tag'))
    block = []
    count = 0
    if (rows.length > 0) file.add(rows.splice(0))
  }
  return {
    add: (record: JournalRecord) => {
      if (record.device === undefined || count + record.samples.length > BLOCK_SAMPLES) endBlock()
      if (record.device === undefined) rows.push(singleRow(record))
      else {
        block.push(record)
        count += record.samples.length
      }
    },
    end: endBlock,
  }
}
