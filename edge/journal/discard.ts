import type { GapCause, GapRecord } from '#shared/contracts/gap.ts'
import { unpackSamples } from './record-codec.ts'
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

/** The oldest segment that still has samples to give up; undefined when there is none. The newest one is never given up. */
export const oldestToDiscard = (store: Store, acknowledged: bigint): SegmentSummary | undefined =>
  store.segments.slice(0, -1).find(({ isReduced, samples, last }) => !isReduced && samples > 0 && last > acknowledged)

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
      runFirst = row.first + BigInt(row.count)
      continue
    }
    run = [run[0] ?? row, row]
    runCount += row.count
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
    next = last.first + BigInt(last.count)
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

/** Source times of a row's samples; none when the row is damaged. */
function timesOf(row: StoreRow | undefined): number[] {
  try {
    return row?.data ? unpackSamples(row.data).map(({ sourceAt }) => sourceAt) : []
  } catch {
    return []
  }
}
