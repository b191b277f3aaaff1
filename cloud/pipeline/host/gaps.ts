import { createHash } from 'node:crypto'
import { Value } from 'typebox/value'
import { type GapCause, GapRecord } from '#shared/contracts/gap.ts'
import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { StoredGap } from '../historian/historian.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { JournalState } from '../shard/journal-state.ts'
import { isStorable } from '../shard/slots.ts'
import type { HostContext } from './host-context.ts'

type Hole = Pick<StoredGap, 'device' | 'first' | 'last' | 'count' | 'cause' | 'firstTime' | 'lastTime'>

/** Reads the text of an `Andon/Gap` metric; undefined when it is not a gap record. */
export function readGap(text: unknown): Hole | undefined {
  const record = parse(text)
  if (!Value.Check(GapRecord, record)) return undefined
  const [first, last] = [BigInt(record.first), BigInt(record.last)]
  if (first < 1n || last < first || last > LARGEST_OFFSET || record.count > Number.MAX_SAFE_INTEGER) return undefined
  const device = record.device !== undefined && isStorable(record.device) ? record.device : null
  const [firstTime, lastTime] = [timeOf(record.firstTime), timeOf(record.lastTime)]
  return { device, first, last, count: BigInt(record.count), cause: record.cause, firstTime, lastTime }
}

/** Offsets are numbers of 64 bits; a larger one would fail the commit of everybody. */
const LARGEST_OFFSET = 2n ** 64n - 1n

const timeOf = (at: number | null): number | null => (at !== null && at >= 0 && at <= LATEST_MS ? at : null)

function parse(text: unknown): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the edge no longer has and the host never got: everything missing below the oldest offset the edge holds. */
export function freedGap(shard: EdgeShard, journal: JournalState, now: number): StoredGap | undefined {
  const missing = journal.missing(1n, journal.first - 1n)
  const [lowest] = missing
  const highest = missing.at(-1)
  if (!lowest || !highest) return undefined
  const count = missing.reduce((sum, range) => sum + (range.last - range.first + 1n), 0n)
  const hole = { device: null, first: lowest.first, last: highest.last, count, cause: 'freed' } as const
  return storedGap(shard, journal, { ...hole, firstTime: null, lastTime: null }, now)
}

/** A hole in what an edge without a journal said: it has times and no offsets. Times in ms since 1970. */
export function unnumberedGap(shard: EdgeShard, hole: UnnumberedHole): StoredGap {
  const { group, edge } = shard.ref
  const { cause, from, to, count, now } = hole
  return {
    ...{ group, edge, epoch: 0n, device: null, first: 0n, last: 0n, count, cause },
    ...{ firstTime: from, lastTime: to, recordedAt: now },
    id: uuidOf(JSON.stringify([group, edge, from, to, cause])),
  }
}

interface UnnumberedHole {
  readonly cause: GapCause
  readonly from: number
  readonly to: number
  /** Samples that are missing; 0 when nobody knows. */
  readonly count: bigint
  readonly now: number
}

/** A hole as history keeps it; its id follows from what it is, so that a resend makes no second one. */
export function storedGap(shard: EdgeShard, { epoch }: JournalState, hole: Hole, now: number): StoredGap {
  const { group, edge } = shard.ref
  const name = JSON.stringify([group, edge, `${epoch}`, `${hole.first}`, `${hole.last}`, hole.cause])
  return { ...hole, group, edge, epoch, id: uuidOf(name), recordedAt: now }
}

/** UUIDv8 from SHA-256 (RFC 9562, 5.8). */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Hands a gap to history and closes its range there and in detection. */
export function storeGap(host: HostContext, shard: EdgeShard, gap: StoredGap): void {
  const { epoch, first, last, device } = gap
  const { batch } = host.writer
  batch.addGap(gap)
  batch.addRange({ ...shard.ref, epoch }, first, last)
  shard.journals.get(epoch)?.take(first, last)
  shard.detection.onGap({ epoch, first, last }, device ?? undefined)
  host.writer.changed()
}
