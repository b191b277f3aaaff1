import { offsetsOf, type PayloadOffsets } from '#shared/sparkplug/completeness.ts'
import type { Payload } from '#shared/sparkplug/payload.ts'
import type { DetectionSample } from '../detection/contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { JournalState } from '../shard/journal-state.ts'
import { type Slot, slotOf } from '../shard/slots.ts'
import type { TagState } from '../shard/tag-state.ts'
import { askRebirth } from './commands.ts'
import { readGap, storedGap, storeGap } from './gaps.ts'
import type { HostContext } from './host-context.ts'
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
  if (payload.timestamp !== undefined) shard.detection.onEventTime(payload.timestamp)
}

interface Arrival {
  readonly host: HostContext
  readonly shard: EdgeShard
  readonly payload: Payload
  readonly slots: readonly Slot[]
}

/** Samples of a journal: each is taken once, whatever is sent again, and its offset goes to history with it. */
function takeSamples(arrival: Arrival, offsets: PayloadOffsets, journal: JournalState): void {
  const { host, shard, slots } = arrival
  if (!host.writer.isOpen) return void host.metrics.count('payloads_not_taken_total', 1)
  shard.session.lastSamplesAt = host.clock()
  const changed: TagState[] = []
  const watched: DetectionSample[] = []
  let duplicates = 0
  for (let i = 0; i < slots.length; i++) {
    const offset = offsets.offsetAt(i)
    const isKnown = journal.has(offset)
    if (isKnown) duplicates += 1
    else if (offsets.isThinned) noteRange(arrival, journal, { first: offset, last: offset })
    takeSample(arrival, { index: i, offset, isKnown, changed, watched })
  }
  if (!offsets.isThinned) {
    for (const hole of journal.missing(offsets.first, offsets.last)) noteRange(arrival, journal, hole)
  }
  takeGaps(arrival, journal)
  const { first, last } = offsets
  shard.detection.onSamples({ samples: watched, range: { epoch: journal.epoch, first, last } })
  if (duplicates > 0) host.metrics.count('values_duplicate_total', duplicates)
  host.metrics.count('values_total', slots.length - duplicates)
  host.writer.changed()
  host.live.publish(shard, changed)
}

interface Range {
  readonly first: bigint
  readonly last: bigint
}

function noteRange({ host, shard }: Arrival, journal: JournalState, { first, last }: Range): void {
  host.writer.batch.addRange({ ...shard.ref, epoch: journal.epoch }, first, last)
  journal.take(first, last)
}

interface Sample {
  readonly index: number
  readonly offset?: bigint
  /** In history already, or on the way: only detection may still want it. */
  readonly isKnown: boolean
  readonly changed: TagState[]
  readonly watched: DetectionSample[]
}

function takeSample({ host, payload, slots }: Arrival, { index, offset, isKnown, changed, watched }: Sample): void {
  const slot = slots[index]
  const tag = slot?.tag
  if (!slot || !tag) return
  const read = readValue(payload, index, slot, () => host.metrics.count('values_misfit_total', 1))
  const sourceAt = read.sourceAt ?? host.clock()
  if (tag.watch >= 0) {
    const { value, quality } = read
    watched.push({ tag: tag.watch, sourceAt, value, quality, ...(offset === undefined ? {} : { offset }) })
  }
  if (isKnown) return
  host.writer.batch.add(tag.key, sourceAt, read.value, read.quality)
  if (tag.sourceAt !== null && sourceAt < tag.sourceAt) return
  tag.value = read.value
  tag.quality = read.quality
  tag.sourceAt = sourceAt
  changed.push(tag)
}

/** Gap records stand among the samples; each closes its range. One that nobody can read is told and keeps its own offset. */
function takeGaps({ host, shard, payload, slots }: Arrival, journal: JournalState): void {
  for (let i = 0; i < slots.length; i++) {
    if (slots[i]?.role !== 'gap') continue
    const hole = readGap(payload.valueAs(i, 'string'))
    if (hole) storeGap(host, shard, storedGap(shard, journal, hole, host.clock()))
    else host.broker.refuse('unreadable-gap', `${shard.ref.group}/${shard.ref.edge}`)
  }
}

/** An edge without the completeness contract: what comes is written as it comes. */
function takeThirdParty(arrival: Arrival): void {
  const { host, shard, slots } = arrival
  if (!host.writer.isOpen) return void host.metrics.count('payloads_not_taken_total', 1)
  const changed: TagState[] = []
  const watched: DetectionSample[] = []
  for (let i = 0; i < slots.length; i++) takeSample(arrival, { index: i, isKnown: false, changed, watched })
  if (watched.length > 0) shard.detection.onSamples({ samples: watched })
  host.metrics.count('values_total', changed.length)
  host.writer.changed()
  host.live.publish(shard, changed)
}
