import type { JournalStatus } from './journal.ts'
import { type Parts, sizeOf } from './parts.ts'
import { readRecords } from './reading.ts'
import type { SegmentSummary } from './segment.ts'

/** The state of a journal for the status page. */
export function statusOf(parts: Parts): JournalStatus {
  const { store, acknowledged, registry, counters } = parts
  const depth = store.segments.reduce((sum, segment) => sum + unacknowledgedOf(segment, acknowledged), 0)
  const oldest = depth === 0 ? undefined : readRecords(parts, acknowledged + 1n, 1, false)[0]
  return {
    epoch: registry.epoch,
    newest: store.newest,
    acknowledged,
    depth,
    segments: store.segments.length,
    samples: store.segments.reduce((sum, { samples }) => sum + samples, 0),
    sizeBytes: sizeOf(store),
    isTimeBelieved: parts.time.isBelieved,
    oldestAt: oldest?.samples[0]?.sourceAt,
    counters: { ...counters },
  }
}

function unacknowledgedOf(segment: SegmentSummary, acknowledged: bigint): number {
  if (segment.last <= acknowledged) return 0
  return segment.first > acknowledged ? segment.samples : Math.min(segment.samples, Number(segment.last - acknowledged))
}
