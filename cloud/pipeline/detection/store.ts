import { type Kysely, sql } from 'kysely'
import type { OffsetRange } from './contract.ts'
import { type GapEdit, trimmed } from './gaps.ts'
import type { Replayed } from './late.ts'
import {
  appliedAction,
  definitionRow,
  lateOccurrence,
  logRow,
  machineRow,
  occurrencePatches,
  openedOccurrences,
  pointBinding,
  pointState,
} from './rows.ts'
import type { DetectionTables } from './tables.ts'
import type { Batch, EdgeMark, GapOf } from './work.ts'

const edgeColumns = ({ edge }: Pick<EdgeMark, 'edge'>) => ({ group_key: edge.group, edge: edge.edge, org_id: edge.org })

const markRows = (mark: EdgeMark) =>
  [...mark.ranges].map(([epoch, ranges]) => ({
    ...edgeColumns(mark),
    epoch: String(epoch),
    ranges,
  }))

/** Occurrences that open in this batch, each with its end when it also ends there, and those of the past. */
function newOccurrences(batch: Batch, patches: ReturnType<typeof occurrencePatches>) {
  const ends = new Map(patches.map(({ tells_return, ...patch }) => [patch.id, patch]))
  const late = new Map(batch.late.map((one) => [one.activated.occurrenceId, lateOccurrence(one)]))
  const opened = openedOccurrences(batch).filter(({ id }) => !late.has(id))
  return [...opened.map((row) => ({ ...row, ...ends.get(row.id ?? '') })), ...late.values()]
}

function rowsOf(batch: Batch) {
  const patches = occurrencePatches(batch)
  const occurrences = newOccurrences(batch, patches)
  const opened = new Set(occurrences.map(({ id }) => id))
  const bound = [...new Map(batch.bound.map((slot) => [slot.rule.pointId, slot])).values()]
  return {
    definitions: bound.map(definitionRow),
    bound: bound.map(pointBinding),
    points: batch.points.map(pointState),
    // Twice the same event in one statement would fail for ever.
    events: [...new Map(batch.events.map((one, i) => [one.event.id, logRow(one, i)])).values()],
    patches: patches.filter(({ id }) => !opened.has(id)),
    occurrences,
    machines: batch.machines.map(machineRow),
    actions: batch.actions.map(appliedAction),
    marks: batch.marks.flatMap(markRows),
  }
}

/** Checkpoints as rows, which name their places in the bytes that follow. */
function checkpointsOf(marks: readonly EdgeMark[]) {
  const pieces: Buffer[] = []
  let size = 0
  const place = (bytes: Buffer) => {
    pieces.push(bytes)
    size += bytes.length
    return [size - bytes.length, bytes.length] as const
  }
  const rows = marks.map((mark) => {
    const { revision, eventAt, machines, points } = mark
    const [base_at, base_size] = points.base ? place(points.base) : [null, null]
    const [changes_at, changes_size] = place(points.changes)
    const places = { base_at, base_size, changes_at, changes_size }
    return { ...edgeColumns(mark), revision, event_at: eventAt, machines, ...places }
  })
  return { rows, memory: Buffer.concat(pieces) }
}

const gapColumns = <T extends Pick<OffsetRange, 'epoch' | 'first'>>({ edge, of }: GapOf<T>) => ({
  ...edgeColumns({ edge }),
  epoch: String(of.epoch),
  first_offset: String(of.first),
})

const gapRow = ({ edge, of: { gap } }: GapOf<GapEdit>) => ({
  ...gapColumns({ edge, of: gap }),
  ...{ last_offset: String(gap.last), first_late_at: gap.firstLateAt, late_from: gap.lateFrom, late_to: gap.lateTo },
})

const gapTagRows = ({ edge, of: { gap, tags } }: GapOf<GapEdit>) =>
  tags.map(({ device, tag, liveAt, isLate, points }) => ({
    ...gapColumns({ edge, of: gap }),
    ...{ device, tag, live_at: liveAt, is_late: isLate },
    points: Object.fromEntries([...points].map(([id, replayed]) => [id, storedReplay(replayed)])),
  }))

const storedReplay = ({ state, live, ...more }: Replayed) => ({
  ...{ state: trimmed(state), ...more },
  ...(live ? { live: trimmed(live) } : {}),
})

const keyOf = ({ group_key, edge, epoch, first_offset }: ReturnType<typeof gapRow>) =>
  `${group_key}/${edge}/${epoch}/${first_offset}`

function gapRowsOf({ notedGaps, judgedGaps, closedGaps }: Batch) {
  if (notedGaps.length + judgedGaps.length + closedGaps.length === 0) return undefined
  // The judged one of a gap that is in both stands later, and one statement writes a row once.
  const gaps = new Map([...notedGaps, ...judgedGaps].map(gapRow).map((row) => [keyOf(row), row]))
  return {
    gaps: [...gaps.values()],
    tags: [...notedGaps, ...judgedGaps].flatMap(gapTagRows),
    closed: closedGaps.map(gapColumns),
  }
}

/**
 * Writes a batch in one transaction and one round trip: all of it or nothing. Safe to repeat when the outcome of an attempt
 * is unknown: events that are in the log already are neither logged nor told again.
 */
export async function commitBatch(db: Kysely<DetectionTables>, batch: Batch): Promise<void> {
  const { rows: checkpoints, memory } = checkpointsOf(batch.marks)
  const rows = JSON.stringify({ ...rowsOf(batch), checkpoints })
  const gaps = gapRowsOf(batch)
  const keep = gaps ? sql`andon_keep_gaps(${JSON.stringify(gaps)}::jsonb), ` : sql``
  await sql`select ${keep}andon_commit_detection(${rows}::jsonb, ${memory}::bytea)`.execute(db)
}
