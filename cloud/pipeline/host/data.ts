import { offsetsOf, type PayloadOffsets } from '#shared/sparkplug/completeness.ts'
import type { Payload } from '#shared/sparkplug/payload.ts'
import type { DetectionSample } from '../detection/contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { JournalState } from '../shard/journal-state.ts'
import { type Slot, slotOf } from '../shard/slots.ts'
import type { TagState } from '../shard/tag-state.ts'
import { takeAlarmEvents } from './alarm-events.ts'
import { askRebirth } from './commands.ts'
import { tellTime } from './event-time.ts'
import { readGap, storedGap, storeGap } from './gaps.ts'
import type { HostContext } from './host-context.ts'
import { takeReport } from './report.ts'
import { readValue } from './values.ts'

/** Takes an NDATA or DDATA payload in. @throws PayloadError when its offsets make no sense; nothing of it is used then. */
export function takeData(host: HostContext, shard: EdgeShard, device: string | undefined, payload: Payload): void {
  const born = shard.born(device)
  const offsets = offsetsOf(payload, born.offsets)
  const slots: (Slot | undefined)[] = []
  const samples = offsets?.samples ?? payload.count
  for (let i = 0; i < samples; i++) slots.push(slotOf(born, payload, i))
  if (slots.includes(undefined)) {
    host.metrics.count('payloads_rejected_total', 1, { reason: 'unknown-alias' })
    askRebirth(host, shard, 'unknown-alias')
    return
  }
  const arrival = { host, shard, payload, slots: slots as Slot[] }
  if (offsets && shard.journal) takeSamples(arrival, offsets, shard.journal)
  else if (!shard.journal) takeThirdParty(arrival)
  if (!offsets && device === undefined) takeReport(host, shard, payload)
  tellTime(shard, payload.timestamp, payload.count > 0 && payload.isHistorical(0))
}

interface Arrival {
  readonly host: HostContext
  readonly shard: EdgeShard
  readonly payload: Payload
  readonly slots: readonly Slot[]
}

/**
 * Samples of a journal: each is taken once, whatever is sent again, and its offset goes to history with it. While history
 * takes nothing, detection and the screens go on; the samples come again because nobody acknowledges them.
 */
function takeSamples(arrival: Arrival, offsets: PayloadOffsets, journal: JournalState): void {
  const { host, shard, slots } = arrival
  const isOpen = host.writer.isOpen
  const taken: Taken = { changed: [], watched: [] }
  const early = earlyGaps(arrival, journal)
  let stored = 0
  for (let i = 0; i < slots.length; i++) {
    const offset = offsets.offsetAt(i)
    const isNew = isOpen && !early.has(i) && !journal.has(offset)
    if (isNew) stored += 1
    takeSample(arrival, { index: i, offset, isNew }, taken)
  }
  if (isOpen) {
    noteOffsets({ arrival, journal, offsets, early })
    takeGaps(arrival, journal, early)
  }
  takeAlarmEvents(host, shard, arrival)
  const { first, last } = offsets
  shard.session.lastSamplesAt = host.clock()
  shard.detection.onSamples({ samples: taken.watched, range: { epoch: journal.epoch, first, last } })
  host.metrics.count(isOpen ? 'values_duplicate_total' : 'values_not_stored_total', slots.length - stored)
  finish(arrival, taken, stored)
}

/** What one payload changes: tags to show, samples to judge. */
interface Taken {
  readonly changed: TagState[]
  readonly watched: DetectionSample[]
}

function finish({ host, shard }: Arrival, { changed }: Taken, stored: number): void {
  host.metrics.count('values_total', stored)
  host.writer.changed()
  host.live.publish(shard, changed)
}

/**
 * Gaps of a thinned backlog that came before all that stayed in their range: such a sample was lost on the way. Closing the
 * range would make the edge free it, so the gap waits for being sent again, behind the sample.
 */
function earlyGaps({ payload, slots }: Arrival, journal: JournalState): ReadonlySet<number> {
  if (!slots.some((slot) => slot.role === 'gap')) return NONE
  const early = slots.keys().filter((i) => {
    const hole = slots[i]?.role === 'gap' ? readGap(payload.valueAs(i, 'string')) : undefined
    return hole?.cause === 'thinned' && missingIn(journal, hole) > hole.count
  })
  return new Set(early)
}

const NONE: ReadonlySet<number> = new Set()

const missingIn = (journal: JournalState, { first, last }: { first: bigint; last: bigint }): bigint =>
  journal.missing(first, last).reduce((sum, hole) => sum + hole.last - hole.first + 1n, 0n)

interface Noting {
  readonly arrival: Arrival
  readonly journal: JournalState
  readonly offsets: PayloadOffsets
  readonly early: ReadonlySet<number>
}

/** Puts the offsets of a payload on the way to history. Those between the samples of a thinned record come with its gap. */
function noteOffsets({ arrival: { host, slots }, journal, offsets, early }: Noting): void {
  const note = (first: bigint, last: bigint) => {
    for (const hole of journal.missing(first, last)) {
      host.writer.batch.addRange(journal.name, hole.first, hole.last)
      journal.take(hole.first, hole.last)
    }
  }
  if (!offsets.isThinned && early.size === 0) note(offsets.first, offsets.last)
  else for (let i = 0; i < slots.length; i++) if (!early.has(i)) note(offsets.offsetAt(i), offsets.offsetAt(i))
}

interface Sample {
  readonly index: number
  /** Absent for an edge without a journal. */
  readonly offset?: bigint
  /** False when history has it, has it on the way, or takes nothing. */
  readonly isNew: boolean
}

function takeSample({ host, payload, slots }: Arrival, { index, offset, isNew }: Sample, taken: Taken): void {
  const slot = slots[index]
  const tag = slot?.tag
  if (!slot || !tag) return
  const read = readValue(payload, index, slot, () => host.metrics.count('values_misfit_total', 1))
  const { value, quality } = read
  const sourceAt = read.sourceAt ?? host.clock()
  if (tag.watch >= 0) {
    taken.watched.push({ tag: tag.watch, sourceAt, value, quality, ...(offset === undefined ? {} : { offset }) })
  }
  if (isNew) host.writer.batch.add(tag.key, sourceAt, value, quality)
  if (tag.sourceAt !== null && sourceAt < tag.sourceAt) return
  tag.show(value, quality, sourceAt)
  taken.changed.push(tag)
}

/** Gap records stand among the samples; each closes its range. One that nobody can read is told and keeps its own offset. */
function takeGaps({ host, shard, payload, slots }: Arrival, journal: JournalState, early: ReadonlySet<number>): void {
  for (let i = 0; i < slots.length; i++) {
    if (slots[i]?.role !== 'gap' || early.has(i)) continue
    const hole = readGap(payload.valueAs(i, 'string'))
    if (hole) storeGap(host, shard, storedGap(shard, journal, hole, host.clock()))
    else host.broker.refuse('unreadable-gap', `${shard.ref.group}/${shard.ref.edge}`)
  }
}

/** An edge without the completeness contract: what comes is written as it comes, and lost while history takes nothing. */
function takeThirdParty(arrival: Arrival): void {
  const { host, shard, slots } = arrival
  const isNew = host.writer.isOpen
  const taken: Taken = { changed: [], watched: [] }
  for (let i = 0; i < slots.length; i++) takeSample(arrival, { index: i, isNew }, taken)
  if (taken.watched.length > 0) shard.detection.onSamples({ samples: taken.watched })
  if (!isNew) host.metrics.count('values_not_stored_total', slots.length)
  finish(arrival, taken, isNew ? slots.length : 0)
}
