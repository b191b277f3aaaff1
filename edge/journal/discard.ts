import type { GapCause, GapRecord } from '#shared/contracts/gap.ts'
import type { JournalRecord } from './journal.ts'
import { recordsIn } from './records.ts'
import type { SegmentRow, SegmentSummary } from './segment.ts'
import type { Store, StoreRow } from './store.ts'

/** What giving up a segment means: rows that stay, and gap records for all between them. */
export interface Discard {
  readonly kept: readonly SegmentRow[]
  readonly gaps: readonly GapRecord[]
  /** Samples given up. */
  readonly count: number
}

const ROWS_AT_ONCE = 64

const waiting = (store: Store, acknowledged: bigint, isWanted: (segment: SegmentSummary) => boolean) =>
  store.segments.slice(0, -1).find((segment) => segment.samples > 0 && segment.last > acknowledged && isWanted(segment))

/** The oldest segment that still has samples to give up; undefined when there is none. The newest one is never given up. */
export const oldestToDiscard = (store: Store, acknowledged: bigint): SegmentSummary | undefined =>
  waiting(store, acknowledged, ({ form }) => form !== 'reduced')

/** The oldest segment that can still be thinned. */
export const oldestToThin = (store: Store, acknowledged: bigint, asItIs: ReadonlySet<string>) =>
  waiting(store, acknowledged, ({ form, path }) => (form === 'fresh' || form === 'packed') && !asItIs.has(path))

/** The oldest segment that is as commits wrote it. */
export const oldestToPack = (store: Store, acknowledged: bigint, asItIs: ReadonlySet<string>) =>
  waiting(store, acknowledged, ({ form, path }) => form === 'fresh' && !asItIs.has(path))

/** Plans to give up a segment's samples above `acknowledged`: alarm events and gap records stay, the rest becomes gaps. */
export function planDiscard(store: Store, segment: SegmentSummary, acknowledged: bigint, cause: GapCause): Discard {
  const kept: SegmentRow[] = []
  const gaps: GapRecord[] = []
  let run: StoreRow[] = []
  let count = 0
  let runCount = 0
  let runFirst = segment.first > acknowledged ? segment.first : acknowledged + 1n
  const endRun = (last: bigint) => {
    if (last >= runFirst && last > acknowledged)
      gaps.push(gapOf(run, { first: runFirst, last, count: runCount, cause }))
    count += runCount
    run = []
    runCount = 0
  }
  for (const row of rowsOf(store, segment, runFirst)) {
    if ((row.class === 'alarm' || row.class === 'gap') && row.data) {
      endRun(row.first - 1n)
      kept.push({ ...row, data: row.data })
      runFirst = row.last + 1n
      continue
    }
    run = [run[0] ?? row, row]
    runCount += samplesOf(row)
  }
  endRun(segment.last)
  return { kept, gaps, count }
}

function* rowsOf(store: Store, segment: SegmentSummary, from: bigint): Generator<StoreRow> {
  for (let next = from; next <= segment.last; ) {
    const rows = store.rows(next, ROWS_AT_ONCE, false).filter(({ first }) => first <= segment.last)
    yield* rows
    const last = rows.at(-1)
    if (!last) return
    next = last.last + 1n
  }
}

interface Run {
  readonly first: bigint
  readonly last: bigint
  readonly count: number
  readonly cause: GapCause
}

function gapOf(ends: readonly StoreRow[], { first, last, count, cause }: Run): GapRecord {
  return {
    first: String(first),
    last: String(last),
    count,
    cause,
    firstTime: timesOf(ends[0]).at(0) ?? null,
    lastTime: timesOf(ends.at(-1)).at(-1) ?? null,
  }
}

/** Source times of a row's samples, sorted; none when the row is damaged. */
function timesOf(row: StoreRow | undefined): number[] {
  const times = recordsOf(row).flatMap(({ samples }) => samples.map(({ sourceAt }) => sourceAt))
  return times.sort((a, b) => a - b)
}

function recordsOf(row: StoreRow | undefined): JournalRecord[] {
  try {
    return row?.data ? recordsIn({ ...row, data: row.data }, () => undefined) : []
  } catch {
    return []
  }
}

/** How many samples a row stands for: the gap of an earlier thinning for all that it left out. */
function samplesOf(row: StoreRow): number {
  if (row.class !== 'backfill') return row.count
  const value = recordsOf(row)[0]?.samples[0]?.value
  return typeof value === 'string' ? (JSON.parse(value) as GapRecord).count : row.count
}
