import { type DataColumns, HISTORICAL, MISFIT, WIDE } from '#shared/sparkplug/data-columns.ts'
import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { JournalState } from '../shard/journal-state.ts'
import type { TagColumns } from '../shard/tag-columns.ts'
import type { TagState } from '../shard/tag-state.ts'
import { tellTime } from './event-time.ts'
import type { HostContext } from './host-context.ts'

/** A payload read into columns, whose slots are the places of tags in the columns of their device. */
export interface ColumnArrival {
  readonly host: HostContext
  readonly shard: EdgeShard
  readonly data: DataColumns
  readonly tags: TagColumns
}

/**
 * Takes a data payload in, column by column, with the promises of data.ts, which takes what is rare over objects.
 * `andon bench ingest` measures it.
 */
export function takeColumns(arrival: ColumnArrival): void {
  const { host, shard, data } = arrival
  settle(arrival)
  if (shard.journal && data.hasOffsets) takeJournaled(arrival, shard.journal)
  else if (!shard.journal) takeUnjournaled(arrival)
  host.writer.changed()
  tellTime(shard, data.timestamp, data.count > 0 && ((data.flag[0] as number) & HISTORICAL) !== 0)
}

/** Gives samples without any time the time of arrival, and counts those that do not fit their type. */
function settle({ host, data }: ColumnArrival): void {
  const { count, ts, flag } = data
  let misfits = 0
  for (let i = 0; i < count; i++) {
    // Not a number, or a time that no calendar holds and history would choke on.
    if (!((ts[i] as number) <= LATEST_MS)) ts[i] = host.clock()
    if ((flag[i] as number) & MISFIT) misfits++
  }
  if (misfits > 0) host.metrics.count('values_misfit_total', misfits)
}

/** Runs of offsets that history lacks go there; what it has, or cannot take now, is judged and shown alone. */
function takeJournaled(arrival: ColumnArrival, journal: JournalState): void {
  const { host, shard, data, tags } = arrival
  const { batch, isOpen } = host.writer
  const { firstOffset: first, lastOffset: last, count } = data
  let stored = 0
  for (const hole of isOpen ? journal.missing(first, last) : []) {
    const [from, to] = [Number(hole.first - first), Number(hole.last - first) + 1]
    batch.addColumns(data, tags.key, from, to)
    batch.addRange(journal.name, hole.first, hole.last)
    journal.take(hole.first, hole.last)
    stored += to - from
  }
  shard.session.lastSamplesAt = host.clock()
  shard.detection.onColumns({ data, tags, range: { epoch: journal.epoch, first, last } })
  if (stored < count) host.metrics.count(isOpen ? 'values_duplicate_total' : 'values_not_stored_total', count - stored)
  host.metrics.count('values_total', stored)
  host.live.publish(shard, show(arrival))
}

/** An edge without the completeness contract: what comes is written as it comes, and lost while history takes nothing. */
function takeUnjournaled(arrival: ColumnArrival): void {
  const { host, shard, data, tags } = arrival
  const { batch, isOpen } = host.writer
  if (isOpen) batch.addColumns(data, tags.key, 0, data.count)
  if (isWatched(arrival)) shard.detection.onColumns({ data, tags })
  host.metrics.count(isOpen ? 'values_total' : 'values_not_stored_total', data.count)
  host.live.publish(shard, show(arrival))
}

/** True when detection wants any of the samples. */
function isWatched({ data: { count, slot }, tags: { watch } }: ColumnArrival): boolean {
  for (let i = 0; i < count; i++) if ((watch[slot[i] as number] as number) >= 0) return true
  return false
}

/** Moves the newest values on; answers the tags that somebody looks at. */
function show({ data, tags }: ColumnArrival): readonly TagState[] {
  const { count, slot, ts, v, q } = data
  const changed: TagState[] = []
  for (let i = 0; i < count; i++) {
    const place = slot[i] as number
    if ((ts[i] as number) < (tags.ts[place] as number)) continue
    tags.ts[place] = ts[i] as number
    tags.v[place] = v[i] as number
    tags.q[place] = q[i] as number
    showWide(data, i, tags)
    if (tags.shown[place] === 1) changed.push(tags.tags[place] as TagState)
  }
  return changed
}

function showWide({ slot, flag, wide }: DataColumns, i: number, tags: TagColumns): void {
  const place = slot[i] as number
  const isWide = ((flag[i] as number) & WIDE) !== 0
  if (isWide || tags.wide[place] !== undefined) tags.wide[place] = isWide ? wide[i] : undefined
}
