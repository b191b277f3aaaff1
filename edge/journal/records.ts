import type { TagSample } from '#edge/model.ts'
import { isBlock, packBlock, unpackBlock } from './block-codec.ts'
import type { JournalClass, JournalRecord } from './journal.ts'
import { packSamples, unpackSamples } from './record-codec.ts'
import type { SegmentRow } from './segment.ts'

/** Most samples of one record, so that a payload and what reads it stay small. */
const RECORD_SAMPLES = 1000
/** Most samples of one block that a commit writes: what must be unpacked to read any of them. */
const BLOCK_SAMPLES = 8192

/** Alarm events and gaps come first, in the journal and on the wire. */
export const CLASS_ORDER: readonly JournalClass[] = ['alarm', 'gap', 'live', 'backfill']

/** Device of a tag; undefined for a metric of the node. */
export type DeviceOf = (tagId: number) => string | undefined

/**
 * Cuts the samples of one commit and class into records, one device each, sorted by source time, and gives them offsets
 * from `next` on.
 */
export function cutRecords(
  kind: JournalClass,
  samples: readonly TagSample[],
  next: bigint,
  deviceOf: DeviceOf,
): JournalRecord[] {
  const records: JournalRecord[] = []
  let first = next
  for (const [device, unsorted] of byDevice(samples, deviceOf)) {
    const own = inTimeOrder(unsorted)
    for (let i = 0; i < own.length; i += RECORD_SAMPLES) {
      const part = own.length <= RECORD_SAMPLES ? own : own.slice(i, i + RECORD_SAMPLES)
      const last = first + BigInt(part.length) - 1n
      records.push({ first, last, class: kind, device, samples: part })
      first = last + 1n
    }
  }
  return records
}

/** The samples of each device. Those of one come mostly one after the other, often alone: then nothing is copied. */
function byDevice(samples: readonly TagSample[], deviceOf: DeviceOf): Map<string | undefined, readonly TagSample[]> {
  const found = new Map<string | undefined, readonly TagSample[]>()
  for (let from = 0; from < samples.length; ) {
    const device = deviceOf((samples[from] as TagSample).tagId)
    let to = from + 1
    while (to < samples.length && deviceOf((samples[to] as TagSample).tagId) === device) to += 1
    const run = from === 0 && to === samples.length ? samples : samples.slice(from, to)
    const before = found.get(device)
    found.set(device, before ? before.concat(run) : run)
    from = to
  }
  return found
}

/** The samples in the order of time: the same list when they are already. */
function inTimeOrder(samples: readonly TagSample[]): readonly TagSample[] {
  for (let i = 1; i < samples.length; i++)
    if ((samples[i] as TagSample).sourceAt < (samples[i - 1] as TagSample).sourceAt)
      return samples.toSorted((a, b) => a.sourceAt - b.sourceAt)
  return samples
}

/** Rows of a segment for records in the order of their offsets: alarm events and gaps one each, samples in blocks. */
export function rowsOf(records: readonly JournalRecord[]): SegmentRow[] {
  const rows: SegmentRow[] = []
  let block: JournalRecord[] = []
  let count = 0
  const endBlock = () => {
    if (block.length > 0) rows.push(blockRow(block, 'arrival'))
    block = []
    count = 0
  }
  for (const record of records) {
    const isUrgent = record.class === 'alarm' || record.class === 'gap'
    if (isUrgent || count + record.samples.length > BLOCK_SAMPLES) endBlock()
    if (isUrgent) rows.push(singleRow(record))
    else {
      block.push(record)
      count += record.samples.length
    }
  }
  endBlock()
  return rows
}

/** A row that holds one record alone. */
export const singleRow = ({ first, last, class: kind, samples }: JournalRecord): SegmentRow => ({
  first,
  last,
  count: samples.length,
  class: kind,
  data: packSamples(samples),
})

/** A row that holds a block of records. */
export function blockRow(records: readonly JournalRecord[], order: 'arrival' | 'by-tag'): SegmentRow {
  return {
    first: records[0]?.first ?? 0n,
    last: records.at(-1)?.last ?? 0n,
    count: records.reduce((sum, { samples }) => sum + samples.length, 0),
    class: 'live',
    data: packBlock(
      records.map(({ class: kind, ...record }) => ({ ...record, class: kind === 'live' ? 'live' : 'backfill' })),
      order,
    ),
  }
}

/** The records in a row's bytes. @throws PayloadError when they are damaged. */
export function recordsIn(row: Omit<SegmentRow, 'count'>, deviceOf: DeviceOf): JournalRecord[] {
  if (!isBlock(row.data)) {
    const samples = unpackSamples(row.data)
    const device = samples[0] && deviceOf(samples[0].tagId)
    return [{ first: row.first, last: row.last, class: row.class, device, samples }]
  }
  return unpackBlock(row.first, row.data).map(({ class: kind, first, samples, offsets }) => ({
    first,
    last: offsets?.at(-1) ?? first + BigInt(samples.length) - 1n,
    class: kind,
    device: samples[0] && deviceOf(samples[0].tagId),
    samples,
    ...(offsets && { offsets }),
  }))
}
