import { offsetsOf } from '#shared/sparkplug/completeness.ts'
import { decodePayload, type Payload } from '#shared/sparkplug/payload.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { EdgeShard, Waiting } from '../shard/edge-shard.ts'
import type { JournalState } from '../shard/journal-state.ts'
import { storedGap, storeGap, unnumberedGap } from './gaps.ts'
import type { HostContext } from './host-context.ts'

/** A payload of a journal comes again while nobody acknowledges it; after so many failures it no longer holds up what follows. */
const MOST_FAILURES = 3
/** Payloads of one edge that are kept for whoever mends the fault; later ones are counted alone. */
const MOST_KEPT = 100
const MOST_REMEMBERED = 1000

/**
 * Puts away a payload on which the host's own code failed, so that everybody else goes on: what it had begun to add to history
 * is taken back, it is counted and shown as a fault of its edge. Data of a journal is tried again when it is sent again; at
 * the third failure, and at once where nobody sends again, the bytes are kept and the range becomes a recorded gap.
 */
export function setAside(host: HostContext, shard: EdgeShard, message: Waiting, cause: unknown): void {
  host.writer.batch.rollBack()
  // What is left of it is to be committed, whatever comes after it.
  host.writer.changed()
  note(host, shard, message, cause)
  if (message.message.endsWith('BIRTH')) host.rebirths.want(shard, 'birth-not-taken')
  const isData = message.message.endsWith('DATA')
  const range = isData ? rangeOf(shard, message) : undefined
  if (range && !isHopeless(shard, range.first)) return
  keep(host, shard, message)
  if (range) closeRange(host, shard, message, range)
  else if (isData && !shard.journal) recordLoss(host, shard, message)
}

function note(host: HostContext, shard: EdgeShard, { message }: Waiting, cause: unknown): void {
  const error = cause instanceof Error ? cause.message : String(cause)
  const { count, kept, error: before } = shard.setAside ?? { count: 0, kept: 0 }
  shard.setAside = { count: count + 1, kept, at: host.clock(), error }
  host.metrics.count('payloads_set_aside_total', 1, { message })
  if (error !== before) host.log.error({ err: cause, ...shard.ref, message }, 'A payload could not be taken')
}

/** Offsets that a payload carries; `ranges` leaves out those between the samples of a thinned one. */
interface Carried {
  readonly journal: JournalState
  readonly first: bigint
  readonly ranges: RangeSet
}

function rangeOf(shard: EdgeShard, message: Waiting): Carried | undefined {
  const { journal } = shard
  const payload = read(message)
  if (!journal || !payload) return undefined
  try {
    const offsets = offsetsOf(payload, shard.born(message.device).offsets)
    if (!offsets) return undefined
    const ranges = new RangeSet()
    if (!offsets.isThinned) ranges.add(offsets.first, offsets.last)
    else for (let i = 0; i < offsets.samples; i++) ranges.add(offsets.offsetAt(i), offsets.offsetAt(i))
    return { journal, first: offsets.first, ranges }
  } catch {
    return undefined
  }
}

function read({ payload }: Waiting): Payload | undefined {
  try {
    return decodePayload(payload)
  } catch {
    return undefined
  }
}

/** True at the last failure that is waited for. */
function isHopeless({ failures }: EdgeShard, first: bigint): boolean {
  const times = (failures.get(first) ?? 0) + 1
  failures.delete(first)
  if (times >= MOST_FAILURES) return true
  if (failures.size >= MOST_REMEMBERED) failures.clear()
  failures.set(first, times)
  return false
}

/** What history lacks of it becomes a gap; what it has is only closed for detection, which may be what failed. */
function closeRange(host: HostContext, shard: EdgeShard, { device }: Waiting, { journal, ranges }: Carried): void {
  const { epoch } = journal
  const now = host.clock()
  for (const { first, last } of ranges.ranges) {
    for (const hole of journal.missing(first, last)) {
      const times = { count: hole.last - hole.first + 1n, firstTime: null, lastTime: null }
      const what = { ...hole, ...times, device: device ?? null, cause: 'set-aside' } as const
      storeGap(host, shard, storedGap(shard, journal, what, now))
    }
    shard.detection.onGap({ epoch, first, last }, device)
  }
}

function recordLoss(host: HostContext, shard: EdgeShard, message: Waiting): void {
  const payload = read(message)
  const now = host.clock()
  const said = payload?.timestamp ?? now
  const at = said <= LATEST_MS ? said : now
  const count = BigInt(payload?.count ?? 0)
  host.writer.batch.addGap(unnumberedGap(shard, { cause: 'set-aside', from: at, to: at, count, now }))
  host.writer.changed()
}

function keep(host: HostContext, shard: EdgeShard, message: Waiting): void {
  const { setAside: state } = shard
  if (!state || state.kept >= MOST_KEPT) return
  state.kept += 1
  host.later(() => host.store.keepPayload(shard, message, { at: new Date(state.at), error: state.error }))
}
