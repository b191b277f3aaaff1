import { mkdirSync } from 'node:fs'
import type { TagSample } from '#edge/model.ts'
import type { GapCause, GapRecord } from '#shared/contracts/gap.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import { ALARM_EVENT, GAP } from '#shared/sparkplug/metric-names.ts'
import { JOURNAL_DEFAULTS, type JournalConfig } from './config.ts'
import { conformTime, conformValue, wholeMillis } from './conform.ts'
import { oldestToDiscard, planDiscard } from './discard.ts'
import { type Counting, createIdentity, type Identity } from './identity.ts'
import type { Accepted, Clock, Journal, JournalClass, JournalRecord, JournalStatus } from './journal.ts'
import { unpackSamples } from './record-codec.ts'
import { openRegistry, type Registry } from './registry.ts'
import { isFull, isNoRoom } from './segment.ts'
import { type Ballast, ballastOf, freeBytes } from './space.ts'
import { openStore, type Store, type StoreRow } from './store.ts'
import { createWriter, type Writer } from './writer.ts'

const MB = 1024 * 1024
/** An unclean stop moves the next offset this far on, so that a disk that lied about a flush never makes one offset mean two samples. */
const UNCLEAN_JUMP = 1n << 32n
const HOUSEKEEPING_MS = 5000
/** Gateway time that moved this much against the monotonic clock was set by somebody. */
const CLOCK_JUMP_MS = 2000
const SAVE_ACK_MS = 2000
/** Below this much room an input/output error is taken for a full disk. */
const SCARCE_BYTES = 8 * MB
/** How far back the last samples of tags are looked up at start: more than the 2 s in which a source time can repeat. */
const REMEMBERED_OFFSETS = 20_000n

export interface JournalOptions {
  /** Made when it does not exist. One process at a time. */
  readonly directory: string
  readonly config?: Partial<JournalConfig>
  readonly clock: Clock
  readonly log: Log
}

interface Parts {
  readonly directory: string
  readonly config: JournalConfig
  readonly clock: Clock
  readonly log: Log
  readonly registry: Registry
  readonly store: Store
  readonly identity: Identity
  readonly ballast: Ballast
  readonly counters: Counting
  readonly listeners: Set<(records: readonly JournalRecord[]) => void>
  /** Damaged rows found while reading, whose gap record is on its way. */
  readonly damaged: Set<bigint>
  readonly gapTag: number
  readonly alarmTag: number
  writer: Writer
  acknowledged: bigint
  savedAt: number
  checkedAt: number
  isClosed: boolean
  /** Gateway time less monotonic time at the last append; undefined without a monotonic clock. */
  clockOffset: number | undefined
}

/**
 * Opens the journal of a directory, or makes it. After an unclean stop the next offset jumps 2^32 ahead, and the jump is
 * journaled as a gap of count 0.
 * @throws Error when another process has it open or its version is another.
 */
export function openJournal({ directory, config, clock, log }: JournalOptions): Journal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const settings = { ...JOURNAL_DEFAULTS, ...config }
  const segmentMb = Math.min(settings.segmentMb, settings.maxMb / 4)
  const segmentMs = settings.segmentMinutes * 60_000
  const ballast = ballastOf(directory, settings.ballastMb)
  const registry = openRoomy(ballast, () => openRegistry(directory))
  const store = openRoomy(ballast, () => openStore({ directory, segmentBytes: segmentMb * MB, segmentMs }))
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
    gapTag: registry.tagId(undefined, GAP, 'string'),
    alarmTag: registry.tagId(undefined, ALARM_EVENT, 'string'),
    writer: idleWriter,
    acknowledged: registry.acknowledged,
    savedAt: clock.now(),
    checkedAt: clock.now(),
    isClosed: false,
    clockOffset: clockOffset(clock),
  }
  parts.writer = writerOf(parts)
  parts.ballast.restore(settings.minFreeMb * MB)
  resume(parts)
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
  discarded: 0,
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

/** Finds the place to go on from, and journals what an unclean stop or a damaged file has cost. */
function resume(parts: Parts): void {
  const { store, registry, clock, log } = parts
  const lost = store.damaged
  const lastDamaged = lost.at(-1)
  const isTailLost = lastDamaged !== undefined && lastDamaged.first > store.newest
  const base = [store.newest, parts.acknowledged, ...(isTailLost ? [lastDamaged.first - 1n] : [])].reduce(max)
  const isUnclean = !registry.wasClosed || isTailLost
  const next = base + 1n + (isUnclean ? UNCLEAN_JUMP : 0n)
  const newestAt = store.segments.at(-1)?.newestAt ?? null
  rememberLast(parts)
  store.begin(next, clock.now())
  const gaps: GapRecord[] = lost
    .filter(({ first, last }) => last >= first && last > parts.acknowledged)
    .map(({ first, last }) => gap({ first, last, count: Number(last - first + 1n) }, 'corrupt', null, null))
  if (isUnclean) {
    const cause = isTailLost ? 'corrupt' : 'unclean-stop'
    gaps.push(gap({ first: base + 1n, last: next - 1n, count: 0 }, cause, newestAt, clock.now()))
    log.warn({ next: String(next), cause }, 'The last stop was unclean, offsets jump ahead')
  }
  if (gaps.length > 0) parts.writer.commitNow([{ class: 'gap', samples: gaps.map((each) => gapSample(parts, each)) }])
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

function gap(
  range: { first: bigint; last: bigint; count: number },
  cause: GapCause,
  firstTime: number | null,
  lastTime: number | null,
): GapRecord {
  return { first: String(range.first), last: String(range.last), count: range.count, cause, firstTime, lastTime }
}

const gapSample = (parts: Parts, record: GapRecord): TagSample =>
  textSample(parts.gapTag, JSON.stringify(record), parts.clock.now())

const textSample = (tagId: number, value: string, sourceAt: number): TagSample => ({
  tagId,
  sourceAt,
  value,
  quality: GOOD,
})

function rememberLast({ store, identity }: Parts): void {
  const from = store.newest - REMEMBERED_OFFSETS
  for (const row of store.rows(from > 0n ? from : 1n, Number(REMEMBERED_OFFSETS), false).reverse()) {
    for (const sample of samplesOf(row)?.reverse() ?? []) identity.remember(sample)
  }
}

/** Samples of a row; undefined when its bytes are damaged. */
function samplesOf(row: StoreRow): TagSample[] | undefined {
  try {
    return row.data && unpackSamples(row.data)
  } catch {
    return undefined
  }
}

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
      parts.writer.flush()
      parts.isClosed = true
      saveAcknowledged(parts, now())
      store.close()
      registry.close()
    },
  }
}

const clockOffset = (clock: Clock): number | undefined => clock.monotonic && clock.now() - clock.monotonic()

/** Records that gateway time was set: the time between is a hole or a fold in the history. */
function noticeClockJump(parts: Parts, now: number): void {
  const offset = clockOffset(parts.clock)
  if (offset === undefined || parts.clockOffset === undefined) return
  const jump = offset - parts.clockOffset
  parts.clockOffset = offset
  if (Math.abs(jump) < CLOCK_JUMP_MS) return
  const [firstTime, lastTime] = jump > 0 ? [now - jump, now] : [now, now - jump]
  const record = gap({ first: 0n, last: 0n, count: 0 }, 'clock-jump', Math.round(firstTime), Math.round(lastTime))
  parts.log.warn({ jumpMs: Math.round(jump) }, 'Gateway time was set')
  parts.writer.append({ class: 'gap', samples: [gapSample(parts, record)] }).catch((error: unknown) => {
    parts.log.error({ err: error }, 'Gap of a clock jump was not journaled')
  })
}

function conform(parts: Parts, samples: readonly TagSample[], kind: JournalClass): TagSample[] {
  const now = parts.clock.now()
  noticeClockJump(parts, now)
  return samples.map((sample) => {
    const tag = parts.registry.tag(sample.tagId)
    if (!tag) throw new RangeError(`Tag ${sample.tagId} is not registered in the journal`)
    const typed = conformValue(sample, tag.type, parts.counters)
    return kind === 'live' ? conformTime(typed, now, parts.counters) : wholeMillis(typed)
  })
}

function readRecords(parts: Parts, from: bigint, limit: number, isUrgentOnly: boolean): JournalRecord[] {
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

function acknowledge(parts: Parts, offset: bigint): void {
  if (offset <= parts.acknowledged || offset > parts.store.newest) return
  parts.acknowledged = offset
  if (!parts.store.segments.slice(0, -1).some(({ last }) => last <= offset)) return
  saveAcknowledged(parts, parts.clock.now())
  parts.store.free(offset)
}

/** An acknowledgement that could not be written costs nothing but sending again after a restart. */
function saveAcknowledged(parts: Parts, now: number): void {
  parts.savedAt = now
  try {
    parts.registry.saveAcknowledged(parts.acknowledged)
  } catch (error) {
    if (!isNoRoom(error)) throw error
    parts.log.warn({ err: error }, 'Acknowledgement was not written, the disk is full')
  }
}

function afterCommit(parts: Parts, records: readonly JournalRecord[]): void {
  const now = parts.clock.now()
  parts.counters.gaps += records.filter((record) => record.class === 'gap').length
  for (const listener of parts.listeners) listener(records)
  if (now - parts.savedAt >= SAVE_ACK_MS || now < parts.savedAt) saveAcknowledged(parts, now)
  const isOverSize = sizeOf(parts.store) > parts.config.maxMb * MB
  if (!isOverSize && Math.abs(now - parts.checkedAt) < HOUSEKEEPING_MS) return
  parts.checkedAt = now
  setImmediate(() => keepHouse(parts, now))
}

const sizeOf = (store: Store): number => store.segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** Keeps the limits of size, age and free disk, one segment at a time. */
function keepHouse(parts: Parts, now: number): void {
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
function relieve(parts: Parts, error: unknown): boolean {
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

function statusOf(parts: Parts): JournalStatus {
  const { store, acknowledged, registry, counters } = parts
  const depth = store.segments.reduce((sum, segment) => sum + unacknowledgedOf(segment, acknowledged), 0)
  const oldest = depth === 0 ? undefined : readRecords(parts, acknowledged + 1n, 1, false)[0]
  return {
    epoch: registry.epoch,
    newest: store.newest,
    acknowledged,
    depth,
    segments: store.segments.length,
    sizeBytes: sizeOf(store),
    oldestAt: oldest?.samples[0]?.sourceAt,
    counters: { ...counters },
  }
}

function unacknowledgedOf(segment: Store['segments'][number], acknowledged: bigint): number {
  if (segment.last <= acknowledged) return 0
  return segment.first > acknowledged ? segment.samples : Math.min(segment.samples, Number(segment.last - acknowledged))
}
