import type { GapCause } from '#shared/contracts/gap.ts'
import { segmentBytesOf } from './config.ts'
import { oldestToDiscard, oldestToPack, oldestToThin, planDiscard } from './discard.ts'
import { EARLIEST_MS } from './gateway-clock.ts'
import { gapSample, MB, type Parts, saveAcknowledged, sizeOf } from './parts.ts'
import { startRewriting } from './rewrite.ts'
import { isFull, type SegmentRow, type SegmentSummary } from './segment.ts'
import { freeBytes } from './space.ts'

/** Below this much room an input/output error is taken for a full disk. */
const SCARCE_BYTES = 8 * MB

/**
 * Keeps the limits of size, age and free disk. What is over is thinned first, a segment at a time between other work, and
 * given up when all is thinned or the limit is passed by more than a segment meanwhile. While nothing presses, what waits in
 * closed segments is packed smaller.
 */
export function keepHouse(parts: Parts, now: number): void {
  if (parts.isClosed) return
  const { config, store, acknowledged } = parts
  const oldest = oldestToDiscard(store, acknowledged)
  if (oldest && isTooOld(oldest, now - config.maxAgeHours * 3_600_000)) discardOldest(parts, 'age-limit')
  const pressure = pressureOn(parts)
  if (pressure === 'high' || (pressure === 'some' && !thinOldest(parts))) discardOldest(parts, 'disk-limit')
  if (pressure === 'none') {
    packOldest(parts)
    parts.ballast.restore(config.minFreeMb * MB)
  }
}

/** What was read while the clock of the box was not set yet is not old, only dated wrongly. */
const isTooOld = ({ newestAt }: SegmentSummary, before: number): boolean =>
  newestAt !== undefined && newestAt >= EARLIEST_MS && newestAt < before

function pressureOn({ config, store, directory }: Parts): 'none' | 'some' | 'high' {
  const over = sizeOf(store) - config.maxMb * MB
  const scarce = config.minFreeMb * MB - freeBytes(directory)
  if (over <= 0 && scarce <= 0) return 'none'
  return over > segmentBytesOf(config) || scarce > (config.minFreeMb * MB) / 2 ? 'high' : 'some'
}

/** Thins the oldest segment that can be thinned, or goes on with it; false when there is none. */
function thinOldest(parts: Parts): boolean {
  if (parts.config.thinSeconds === 0) return false
  if (parts.rewriting?.form === 'thinned') return true
  const { store, acknowledged, asItIs } = parts
  const segment = oldestToThin(store, acknowledged, asItIs)
  if (!segment) return false
  parts.rewriting?.cancel()
  startRewriting(parts, segment, 'thinned')
  return true
}

function packOldest(parts: Parts): void {
  if (parts.rewriting) return
  const { store, acknowledged, asItIs, config } = parts
  const segment = oldestToPack(store, acknowledged, asItIs)
  const hasRoom = segment && freeBytes(parts.directory) > config.minFreeMb * MB + segment.sizeBytes
  if (hasRoom) startRewriting(parts, segment, 'packed')
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
    reduce(parts, segment, kept)
    counters.discarded += count
    log.warn({ cause, count, kept: kept.length }, 'Oldest samples were given up and recorded as a gap')
    return true
  } catch (error) {
    log.error({ err: error }, 'Oldest samples could not be given up')
    return false
  }
}

function reduce(parts: Parts, segment: SegmentSummary, rows: readonly SegmentRow[]): void {
  const file = parts.store.replacement(segment, 'reduced')
  try {
    file.add(rows)
    parts.store.replace(segment, file)
  } catch (error) {
    file.discard()
    throw error
  }
  parts.unpacked.clear()
}
