import type { GapCause } from '#shared/contracts/gap.ts'
import { oldestToDiscard, planDiscard } from './discard.ts'
import { gapSample, MB, type Parts, saveAcknowledged, sizeOf } from './parts.ts'
import { isFull } from './segment.ts'
import { freeBytes } from './space.ts'

/** Below this much room an input/output error is taken for a full disk. */
const SCARCE_BYTES = 8 * MB

/** Keeps the limits of size, age and free disk, one segment at a time. */
export function keepHouse(parts: Parts, now: number): void {
  if (parts.isClosed) return
  const { config, store } = parts
  const isScarce = freeBytes(parts.directory) < config.minFreeMb * MB
  if (sizeOf(store) > config.maxMb * MB || isScarce) discardOldest(parts, 'disk-limit')
  const oldest = oldestToDiscard(store, parts.acknowledged)
  if (oldest?.newestAt !== undefined && oldest.newestAt < now - config.maxAgeHours * 3_600_000) {
    discardOldest(parts, 'age-limit')
  }
  if (!isScarce) parts.ballast.restore(config.minFreeMb * MB)
}

/**
 * Makes room on a full disk: the ballast first, with its room what is acknowledged, else the oldest samples. Other faults
 * of the disk look much alike and must not cost samples.
 */
export function relieve(parts: Parts, error: unknown): boolean {
  if (!isFull(error) && freeBytes(parts.directory) > SCARCE_BYTES) return false
  const { ballast, store, config } = parts
  const hasDropped = ballast.drop()
  saveAcknowledged(parts, parts.clock.now())
  const hasFreed = store.free(parts.acknowledged) || discardOldest(parts, 'disk-limit')
  if (hasFreed && store.segments.length > 1) ballast.restore(config.minFreeMb * MB)
  return hasDropped || hasFreed
}

/** Gives up the samples of the oldest segment: gap records first, then the file. Answers whether anything went. */
function discardOldest(parts: Parts, cause: GapCause): boolean {
  const { store, log, counters, acknowledged } = parts
  try {
    if (!oldestToDiscard(store, acknowledged)) store.rotate(parts.clock.now(), true)
    const segment = oldestToDiscard(store, acknowledged)
    if (!segment) return false
    const { kept, gaps, count } = planDiscard(store, segment, acknowledged, cause)
    parts.writer.commitNow([{ class: 'gap', samples: gaps.map((each) => gapSample(parts, each)) }])
    store.reduce(segment, kept)
    counters.discarded += count
    log.warn({ cause, count, kept: kept.length }, 'Oldest samples were given up and recorded as a gap')
    return true
  } catch (error) {
    log.error({ err: error }, 'Oldest samples could not be given up')
    return false
  }
}
