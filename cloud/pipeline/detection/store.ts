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
    checkpoints: batch.marks.map((mark) => ({ ...edgeColumns(mark), memory: mark.memory })),
    marks: batch.marks.flatMap(markRows),
  }
}

/**
 * Writes a batch in one transaction and one round trip: all of it or nothing. Safe to repeat when the outcome of an attempt
 * is unknown: events that are in the log already are neither logged nor told again.
 */
export async function commitBatch(db: Kysely<DetectionTables>, batch: Batch): Promise<void> {
  await sql`select andon_commit_detection(${JSON.stringify(rowsOf(batch))}::jsonb)`.execute(db)
}
