import type { TagSample } from '#edge/model.ts'
import type { JournalClass, JournalRecord } from './journal.ts'

/** Most samples of one record, so that a payload and what reads it stay small. */
const RECORD_SAMPLES = 1000

/** Alarm events and gaps come first, in the journal and on the wire. */
export const CLASS_ORDER: readonly JournalClass[] = ['alarm', 'gap', 'live', 'backfill']

/**
 * Cuts the samples of one commit and class into records, one device each, sorted by source time, and gives them offsets
 * from `next` on.
 */
export function cutRecords(
  kind: JournalClass,
  samples: readonly TagSample[],
  next: bigint,
  deviceOf: (tagId: number) => string | undefined,
): JournalRecord[] {
  const byDevice = new Map<string | undefined, TagSample[]>()
  for (const sample of samples) {
    const device = deviceOf(sample.tagId)
    const own = byDevice.get(device)
    if (own) own.push(sample)
    else byDevice.set(device, [sample])
  }
  const records: JournalRecord[] = []
  let first = next
  for (const [device, own] of byDevice) {
    own.sort((a, b) => a.sourceAt - b.sourceAt)
    for (let i = 0; i < own.length; i += RECORD_SAMPLES) {
      const part = own.slice(i, i + RECORD_SAMPLES)
      const last = first + BigInt(part.length) - 1n
      records.push({ first, last, class: kind, device, samples: part })
      first = last + 1n
    }
  }
  return records
}
