/** How much the journal may still take. */
export interface JournalRoom {
  readonly bytesLeft: number
  /** At the rate since the start; undefined while nothing was written yet. */
  readonly hoursLeft: number | undefined
}

export interface RoomFacts {
  readonly sizeBytes: number
  /** Samples in the journal's files, acknowledged ones that still lie there too. */
  readonly samples: number
  readonly acceptedPerSecond: number
  /** What the settings let it grow to. */
  readonly mostBytes: number
  /** Of the disk; undefined when nobody knows. */
  readonly freeBytes: number | undefined
  /** What the settings leave to others. */
  readonly minFreeBytes: number
}

/** A few samples cost far more than many: their files hold pages that are empty yet. */
const ENOUGH_SAMPLES = 10_000
/** What a sample costs with plant values; measured by the benchmark edge-journal. */
const USUAL_BYTES = 3

/** How long the journal lasts without the cloud, as far as one can tell: before it begins to thin. */
export function roomLeft(facts: RoomFacts): JournalRoom {
  const { sizeBytes, samples, mostBytes, freeBytes = Infinity, minFreeBytes, acceptedPerSecond } = facts
  const bytesLeft = Math.max(0, Math.min(mostBytes - sizeBytes, freeBytes - minFreeBytes))
  const bytesPerSample = samples >= ENOUGH_SAMPLES ? sizeBytes / samples : USUAL_BYTES
  const hoursLeft = acceptedPerSecond > 0 ? bytesLeft / (acceptedPerSecond * bytesPerSample) / 3600 : undefined
  return { bytesLeft, hoursLeft }
}
