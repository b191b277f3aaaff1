import type { Journal, JournalRecord } from '#edge/journal/index.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'

const KEPT = 500

/** The gaps of a journal: those that the cloud has not acknowledged when this begins, and all that come after. */
export interface GapList {
  /** The newest first. */
  latest(): readonly GapRecord[]
  stop(): void
}

/** Listens to the commits; what a full list has seen longest is forgotten. */
export function listGaps(journal: Pick<Journal, 'acknowledged' | 'readUrgent' | 'onCommit'>): GapList {
  let gaps: readonly GapRecord[] = journal.readUrgent(journal.acknowledged + 1n, KEPT).flatMap(gapsIn)
  const stop = journal.onCommit((records) => {
    if (!records.some((record) => record.class === 'gap')) return
    gaps = [...gaps, ...records.flatMap(gapsIn)].slice(-KEPT)
  })
  return { latest: () => gaps.toReversed(), stop }
}

function gapsIn({ class: kind, samples }: JournalRecord): GapRecord[] {
  return kind === 'gap' ? samples.map(({ value }) => JSON.parse(String(value)) as GapRecord) : []
}
