import { performance } from 'node:perf_hooks'
import type { TagSample } from '#edge/model.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import type { Counting, Identity } from './identity.ts'
import { type Accepted, type JournalClass, JournalFullError, type JournalRecord } from './journal.ts'
import { CLASS_ORDER, cutRecords, rowsOf } from './records.ts'
import type { Registry } from './registry.ts'
import { isNoRoom } from './segment.ts'
import type { Store } from './store.ts'

/** Samples that wait for the next commit. */
export interface Batch {
  readonly class: JournalClass
  readonly samples: readonly TagSample[]
}

interface Waiting extends Batch {
  readonly resolve: (accepted: Accepted) => void
  readonly reject: (error: Error) => void
}

export interface WriterParts {
  readonly store: Store
  readonly registry: Registry
  readonly identity: Identity
  readonly counters: Counting
  readonly spacingMs: number
  readonly now: () => number
  /** Called after each commit, in the same turn. */
  readonly onCommitted: (records: readonly JournalRecord[]) => void
  /** Makes room on a full disk; false when the error says something else, or nothing more can be given up. */
  readonly relieve: (error: unknown) => boolean
}

/** Gathers batches and commits them together: one commit at a time, the next takes all that came meanwhile. */
export interface Writer {
  append(batch: Batch): Promise<Accepted>
  /** Commits a batch at once, past the queue. @throws Error when the disk refuses it. */
  commitNow(batches: readonly Batch[]): Accepted
  /** Commits what waits. */
  flush(): void
}

export function createWriter(parts: WriterParts): Writer {
  let waiting: Waiting[] = []
  let timer: NodeJS.Timeout | undefined
  let endedAt = -Infinity
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const batches = waiting
    waiting = []
    if (batches.length > 0) settle(parts, batches)
    endedAt = performance.now()
  }
  return {
    append: (batch) =>
      new Promise((resolve, reject) => {
        waiting.push({ ...batch, resolve, reject })
        timer ??= setTimeout(flush, Math.max(0, parts.spacingMs - (performance.now() - endedAt)))
      }),
    commitNow: (batches) => {
      const { accepted, records } = commit(parts, batches)
      parts.onCommitted(records)
      return accepted
    },
    flush,
  }
}

/** Commits, making room as often as the disk is full, and tells everyone who waits. */
function settle(parts: WriterParts, waiting: readonly Waiting[]): void {
  for (;;) {
    const outcome = attempt(parts, waiting)
    if ('committed' in outcome) {
      for (const { resolve } of waiting) resolve(outcome.committed.accepted)
      parts.onCommitted(outcome.committed.records)
      return
    }
    if (isNoRoom(outcome.error) && parts.relieve(outcome.error)) continue
    refuse(waiting, outcome.error)
    return
  }
}

function attempt(parts: WriterParts, waiting: readonly Waiting[]): { committed: Committed } | { error: unknown } {
  try {
    return { committed: commit(parts, waiting) }
  } catch (error) {
    return { error }
  }
}

function refuse(waiting: readonly Waiting[], error: unknown): void {
  const refusal = isNoRoom(error) ? new JournalFullError('The disk is full', { cause: error }) : asError(error)
  for (const { reject } of waiting) reject(refusal)
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

interface Committed {
  readonly accepted: Accepted
  readonly records: readonly JournalRecord[]
}

function commit(parts: WriterParts, batches: readonly Batch[]): Committed {
  const { store, identity } = parts
  let records: JournalRecord[]
  let first: bigint
  try {
    parts.registry.flushTags()
    store.rotate(parts.now())
    first = store.next
    records = recordsOf(parts, batches)
    if (records.length > 0) store.commit(rowsOf(records), newestOf(records))
  } catch (error) {
    identity.forget()
    throw error
  }
  identity.confirm()
  parts.counters.commits += 1
  parts.counters.accepted += records.reduce((sum, record) => sum + record.samples.length, 0)
  return { accepted: { first, last: store.next - 1n }, records }
}

const newestOf = (records: readonly JournalRecord[]): number =>
  Math.max(...records.map(({ samples }) => samples.at(-1)?.sourceAt ?? 0))

function recordsOf({ store, registry, identity, counters }: WriterParts, batches: readonly Batch[]): JournalRecord[] {
  const records: JournalRecord[] = []
  let next = store.next
  for (const kind of CLASS_ORDER) {
    const samples = samplesOf(batches, kind)
    if (samples.length === 0) continue
    const admitted = kind === 'alarm' || kind === 'gap' ? samples : identity.admit(samples, counters)
    const placed = kind === 'gap' ? admitted.map((sample, i) => withOwnOffset(sample, next + BigInt(i))) : admitted
    const cut = cutRecords(kind, placed, next, (id) => registry.tag(id)?.device)
    records.push(...cut)
    next = (cut.at(-1)?.last ?? next - 1n) + 1n
  }
  return records
}

function samplesOf(batches: readonly Batch[], kind: JournalClass): readonly TagSample[] {
  const own = batches.filter((batch) => batch.class === kind)
  if (own.length === 1 && own[0]) return own[0].samples
  return ([] as TagSample[]).concat(...own.map(({ samples }) => samples))
}

/** A gap in time alone names no offsets; on its way it names its own, so that a host has nothing more to close. */
function withOwnOffset(sample: TagSample, offset: bigint): TagSample {
  const record = JSON.parse(String(sample.value)) as GapRecord
  if (record.first !== '0') return sample
  return { ...sample, value: JSON.stringify({ ...record, first: String(offset), last: String(offset) }) }
}
