import { mkdirSync } from 'node:fs'
import type { TagSample } from '#edge/model.ts'
import type { Log } from '#shared/log/log.ts'
import { ALARM_EVENT, GAP } from '#shared/sparkplug/metric-names.ts'
import { JOURNAL_DEFAULTS, type JournalConfig, segmentBytesOf } from './config.ts'
import { conformTime, conformValue, mapped, wholeMillis } from './conform.ts'
import { type ClockJump, createGatewayClock, type GatewayClock } from './gateway-clock.ts'
import { type Counting, createIdentity } from './identity.ts'
import type { Accepted, Clock, Journal, JournalClass, JournalRecord } from './journal.ts'
import { keepHouse, relieve } from './limits.ts'
import { gap, gapSample, MB, type Parts, saveAcknowledged, sizeOf, textSample } from './parts.ts'
import { readRecords } from './reading.ts'
import { openRegistry } from './registry.ts'
import { resume } from './resume.ts'
import { type Ballast, ballastOf } from './space.ts'
import { statusOf } from './status.ts'
import { openStore } from './store.ts'
import { createWriter, type Writer } from './writer.ts'

const HOUSEKEEPING_MS = 5000
const SAVE_ACK_MS = 2000

export interface JournalOptions {
  /** Made when it does not exist. One process at a time. */
  readonly directory: string
  readonly config?: Partial<JournalConfig>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Opens the journal of a directory, or makes it. After an unclean stop the next offset jumps 2^32 ahead, and the jump is
 * journaled as a gap of count 0.
 * @throws Error when another process has it open or its version is another.
 */
export function openJournal({ directory, config, clock, log }: JournalOptions): Journal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const settings = { ...JOURNAL_DEFAULTS, ...config }
  const segmentMs = settings.segmentMinutes * 60_000
  const ballast = ballastOf(directory, settings.ballastMb)
  const registry = openRoomy(ballast, () => openRegistry(directory))
  const store = openRoomy(ballast, () => openStore({ directory, segmentBytes: segmentBytesOf(settings), segmentMs }))
  const parts: Parts = {
    directory,
    config: settings,
    clock,
    log: log.child({ part: 'journal' }),
    registry,
    store,
    identity: createIdentity(),
    ballast,
    counters: newCounters(),
    listeners: new Set(),
    damaged: new Set(),
    unpacked: new Map(),
    asItIs: new Set(),
    rewriting: undefined,
    gapTag: registry.tagId(undefined, GAP, 'string'),
    alarmTag: registry.tagId(undefined, ALARM_EVENT, 'string'),
    writer: idleWriter,
    acknowledged: registry.acknowledged,
    savedAt: clock.now(),
    checkedAt: clock.now(),
    segmentsSeen: store.segments.length + 1,
    isClosed: false,
    time: createGatewayClock(clock, store.segments.at(-1)?.newestAt),
  }
  parts.writer = writerOf(parts)
  parts.ballast.restore(settings.minFreeMb * MB)
  openRoomy(ballast, () => resume(parts))
  if (!parts.time.isBelieved)
    parts.log.warn({ now: clock.now() }, 'Gateway time cannot be right; samples are uncertain until it is set')
  return journalOf(parts)
}

/** Opens something that may have to write; on a full disk once more without the ballast. */
function openRoomy<T>(ballast: Ballast, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!ballast.drop()) throw error
    return open()
  }
}

const idleWriter: Writer = {
  append: () => Promise.reject(new Error('The journal is not open')),
  commitNow: () => ({ first: 1n, last: 0n }),
  flush: () => undefined,
}

const newCounters = (): Counting => ({
  accepted: 0,
  commits: 0,
  replaced: 0,
  shifted: 0,
  repeated: 0,
  retimed: 0,
  mistyped: 0,
  unsynchronised: 0,
  discarded: 0,
  thinned: 0,
  repacked: 0,
  gaps: 0,
})

const writerOf = (parts: Parts): Writer =>
  createWriter({
    ...parts,
    spacingMs: parts.config.commitSpacingMs,
    now: () => parts.clock.now(),
    onCommitted: (records) => afterCommit(parts, records),
    relieve: (error) => relieve(parts, error),
  })

function journalOf(parts: Parts): Journal {
  const { registry, store } = parts
  const now = () => parts.clock.now()
  const append = (kind: JournalClass, samples: readonly TagSample[]): Promise<Accepted> =>
    parts.isClosed ? Promise.reject(new Error('The journal is closed')) : parts.writer.append({ class: kind, samples })
  return {
    epoch: registry.epoch,
    get newest() {
      return store.newest
    },
    get acknowledged() {
      return parts.acknowledged
    },
    tagId: registry.tagId,
    tag: registry.tag,
    append: (samples, kind = 'live') => append(kind, conform(parts, samples, kind)),
    appendAlarmEvent: (json, at) => append('alarm', [wholeMillis(textSample(parts.alarmTag, json, at))]),
    appendGap: (record) => append('gap', [gapSample(parts, record)]),
    onCommit: (listener) => {
      parts.listeners.add(listener)
      return () => parts.listeners.delete(listener)
    },
    read: (from, limit) => readRecords(parts, from, limit, false),
    readUrgent: (from, limit) => readRecords(parts, from, limit, true),
    acknowledge: (offset) => acknowledge(parts, offset),
    nextBdSeq: () => registry.nextBdSeq(),
    status: () => statusOf(parts),
    close: async () => {
      if (parts.isClosed) return
      parts.rewriting?.cancel()
      parts.writer.flush()
      parts.isClosed = true
      saveAcknowledged(parts, now())
      store.close()
      registry.close()
    },
  }
}

/** Records that gateway time was set: the time between is a hole or a fold in the history. */
function noticeClockJump(parts: Parts, { from, to }: ClockJump): void {
  const times = [Math.round(from), Math.round(to)].sort((a, b) => a - b)
  const record = gap({ first: 0n, last: 0n, count: 0 }, 'clock-jump', times[0] ?? 0, times[1] ?? 0)
  parts.log.warn({ jumpMs: Math.round(to - from), isBelieved: parts.time.isBelieved }, 'Gateway time was set')
  parts.writer.append({ class: 'gap', samples: [gapSample(parts, record)] }).catch((error: unknown) => {
    parts.log.error({ err: error }, 'Gap of a clock jump was not journaled')
  })
}

function conform(parts: Parts, samples: readonly TagSample[], kind: JournalClass): readonly TagSample[] {
  const { registry, counters, time } = parts
  const { now, jump } = time.look()
  if (jump) noticeClockJump(parts, jump)
  return mapped(samples, (sample) => {
    const tag = registry.tag(sample.tagId)
    if (!tag) throw new RangeError(`Tag ${sample.tagId} is not registered in the journal`)
    const typed = conformValue(sample, tag.type, counters)
    if (kind !== 'live') return wholeMillis(typed)
    const timed = conformTime(typed, now, counters)
    return time.isBelieved ? timed : doubted(timed, time, counters)
  })
}

/** A sample read while gateway time cannot be right: kept, and uncertain. */
function doubted(sample: TagSample, time: GatewayClock, counters: Counting): TagSample {
  counters.unsynchronised += 1
  return { ...sample, quality: time.qualityOf(sample.quality) }
}

function acknowledge(parts: Parts, offset: bigint): void {
  if (offset <= parts.acknowledged || offset > parts.store.newest) return
  parts.acknowledged = offset
  if (!parts.store.segments.slice(0, -1).some(({ last }) => last <= offset)) return
  saveAcknowledged(parts, parts.clock.now())
  parts.store.free(offset)
}

function afterCommit(parts: Parts, records: readonly JournalRecord[]): void {
  const now = parts.clock.now()
  parts.counters.gaps += records.filter((record) => record.class === 'gap').length
  for (const listener of parts.listeners) listener(records)
  if (now - parts.savedAt >= SAVE_ACK_MS || now < parts.savedAt) saveAcknowledged(parts, now)
  const isOverSize = sizeOf(parts.store) > parts.config.maxMb * MB
  const hasClosedOne = parts.store.segments.length > parts.segmentsSeen
  parts.segmentsSeen = parts.store.segments.length
  if (!isOverSize && !hasClosedOne && Math.abs(now - parts.checkedAt) < HOUSEKEEPING_MS) return
  parts.checkedAt = now
  setImmediate(() => keepHouse(parts, now))
}
