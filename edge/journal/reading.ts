import type { JournalRecord } from './journal.ts'
import { gap, gapSample, type Parts } from './parts.ts'
import { recordsIn } from './records.ts'
import type { StoreRow } from './store.ts'

/** Blocks kept unpacked: a backlog reads a few records at a time, and what is sent again lies near. */
const UNPACKED = 4

/** Records from an offset on; those of a damaged row are left out and become a gap. */
export function readRecords(parts: Parts, from: bigint, limit: number, isUrgentOnly: boolean): JournalRecord[] {
  const records: JournalRecord[] = []
  for (let next = from; records.length < limit; ) {
    const [row] = parts.store.rows(next, 1, isUrgentOnly)
    if (!row) break
    for (const record of unpackedRow(parts, row)) if (record.last >= from) records.push(record)
    next = row.last + 1n
  }
  return records.slice(0, limit)
}

/** The records of a row, unpacked once while they are wanted. */
function unpackedRow(parts: Parts, row: StoreRow): readonly JournalRecord[] {
  const { unpacked } = parts
  const known = unpacked.get(row.first)
  if (known && known.last === row.last && known.count === row.count) return known.records
  const records = recordsOf(parts, row)
  if (!records) {
    giveUpRow(parts, row)
    return []
  }
  for (const old of [...unpacked.keys()].slice(0, Math.max(0, unpacked.size - UNPACKED + 1))) unpacked.delete(old)
  unpacked.set(row.first, { last: row.last, count: row.count, records })
  return records
}

/** The records of a row; undefined when its bytes are damaged. */
export function recordsOf({ registry }: Parts, row: StoreRow): JournalRecord[] | undefined {
  try {
    if (!row.data) return undefined
    const records = recordsIn({ ...row, data: row.data }, (tagId) => registry.tag(tagId)?.device)
    return records.reduce((sum, { samples }) => sum + samples.length, 0) === row.count ? records : undefined
  } catch {
    return undefined
  }
}

/** A damaged row becomes a gap record; only when that is on disk is the row removed. */
function giveUpRow(parts: Parts, row: StoreRow): void {
  if (parts.damaged.has(row.first) || parts.isClosed) return
  parts.damaged.add(row.first)
  const { first, last, count } = row
  parts.log.error({ first: String(first), count }, 'Journal record is damaged, it becomes a gap')
  const samples = [gapSample(parts, gap({ first, last, count }, 'corrupt', null, null))]
  parts.writer.append({ class: 'gap', samples }).then(
    () => parts.isClosed || parts.store.removeRow(row),
    (error: unknown) => parts.log.error({ err: error }, 'Gap of a damaged record was not journaled'),
  )
}
