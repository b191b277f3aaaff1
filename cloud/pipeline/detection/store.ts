import { type Kysely, sql } from 'kysely'
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
import type { Batch, EdgeMark } from './work.ts'

const edgeColumns = ({ edge }: EdgeMark) => ({ group_key: edge.group, edge: edge.edge, org_id: edge.org })

const markRows = (mark: EdgeMark) =>
  [...mark.ranges].map(([epoch, ranges]) => ({
    ...edgeColumns(mark),
    epoch: String(epoch),
    ranges,
  }))

/** Occurrences that open in this batch, each with its end when it also ends there, and those of the past. */
function newOccurrences(batch: Batch, patches: ReturnType<typeof occurrencePatches>) {
  const ends = new Map(patches.map(({ tells_return, ...patch }) => [patch.id, patch]))
  const opened = openedOccurrences(batch).map((row) => ({ ...row, ...ends.get(row.id ?? '') }))
  return [...opened, ...batch.late.map(lateOccurrence)]
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
    events: batch.events.map(logRow),
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

/**
 * Writes a batch in one transaction and one round trip: all of it or nothing. Safe to repeat when the outcome of an attempt
 * is unknown: events that are in the log already are neither logged nor told again.
 */
export async function commitBatch(db: Kysely<DetectionTables>, batch: Batch): Promise<void> {
  const { rows: checkpoints, memory } = checkpointsOf(batch.marks)
  const rows = JSON.stringify({ ...rowsOf(batch), checkpoints })
  await sql`select andon_commit_detection(${rows}::jsonb, ${memory}::bytea)`.execute(db)
}
