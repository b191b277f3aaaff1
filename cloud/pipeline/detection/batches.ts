import type { Batch, LoggedEvent, PointRow } from './work.ts'

/** Events of one transaction: enough to be quick, few enough that the first alarms of a storm do not wait for the last. */
const MOST_EVENTS = 500

/** A batch that writes nothing. */
export const NOTHING: Batch = {
  ...{ events: [], bound: [], points: [], machines: [], actions: [], late: [], marks: [] },
  ...{ notedGaps: [], judgedGaps: [], closedGaps: [] },
}

const isEmpty = (batch: Batch) => Object.values(batch).every((part: readonly unknown[]) => part.length === 0)

/** Each point's row goes with the last of its events, so that a restart finds the point as its log tells it. */
function rowsByPart(points: readonly PointRow[], parts: readonly (readonly LoggedEvent[])[]): PointRow[][] {
  const lastPart = new Map(parts.flatMap((part, i) => part.map(({ event }) => [event.pointId, i] as const)))
  const rows: PointRow[][] = parts.map(() => [])
  for (const row of points) rows[lastPart.get(row.slot.rule.pointId) ?? parts.length - 1]?.push(row)
  return rows
}

/**
 * Cuts what was taken at one moment into transactions, to be committed in this order: bindings and what is noted of gaps
 * with the first, results of actions and what is judged of gaps with the last. A restart in between evaluates the same samples again, which adds nothing.
 */
export function inBatches(work: Batch): readonly Batch[] {
  if (isEmpty(work)) return []
  if (work.events.length <= MOST_EVENTS) return [work]
  const count = Math.ceil(work.events.length / MOST_EVENTS)
  const parts = Array.from({ length: count }, (_, i) => work.events.slice(i * MOST_EVENTS, (i + 1) * MOST_EVENTS))
  const rows = rowsByPart(work.points, parts)
  return parts.map((events, i) => ({
    ...(i === count - 1 ? work : NOTHING),
    bound: i === 0 ? work.bound : [],
    notedGaps: i === 0 ? work.notedGaps : [],
    points: rows[i] ?? [],
    events,
  }))
}
