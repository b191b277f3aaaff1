import type { JournalRecord } from './journal.ts'
import { gap, gapSample, type Parts, samplesOf } from './parts.ts'
import type { StoreRow } from './store.ts'

/** Records from an offset on; a damaged one is left out and becomes a gap. */
export function readRecords(parts: Parts, from: bigint, limit: number, isUrgentOnly: boolean): JournalRecord[] {
  return parts.store.rows(from, limit, isUrgentOnly).flatMap((row) => {
    const samples = samplesOf(row)
    const last = row.first + BigInt(row.count) - 1n
    if (!samples || samples.length !== row.count) {
      giveUpRow(parts, row)
      return []
    }
    const device = samples[0] && parts.registry.tag(samples[0].tagId)?.device
    return [{ first: row.first, last, class: row.class, device, samples }]
  })
}

/** A damaged row becomes a gap record; only when that is on disk is the row removed. */
function giveUpRow(parts: Parts, row: StoreRow): void {
  if (parts.damaged.has(row.first) || parts.isClosed) return
  parts.damaged.add(row.first)
  const range = { first: row.first, last: row.first + BigInt(row.count) - 1n, count: row.count }
  parts.log.error({ first: String(row.first), count: row.count }, 'Journal record is damaged, it becomes a gap')
  const samples = [gapSample(parts, gap(range, 'corrupt', null, null))]
  parts.writer.append({ class: 'gap', samples }).then(
    () => parts.isClosed || parts.store.removeRow(row),
    (error: unknown) => parts.log.error({ err: error }, 'Gap of a damaged record was not journaled'),
  )
}
