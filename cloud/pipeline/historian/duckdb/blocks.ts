import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { NumberColumns } from '../batch.ts'
import type { MergeOrder } from '../blocks/merge.ts'
import type { SortedFile, SortOrder } from '../blocks/sort-slot.ts'
import type { CalledThread } from '../blocks/thread.ts'
import type { WrittenBlock } from '../blocks/writer.ts'
import { parquet, type WideFile, writeWide } from './block-file.ts'
import { addFile, type BlockFile, type Kind, nextBlock, recordDeletion, removeFiles, tableOf } from './catalogue.ts'
import { doubles } from './columns.ts'
import { type MergePlan, planMerges } from './merge-plan.ts'
import { expired } from './retention.ts'
import type { Slot, Store } from './store.ts'

const DAY_MS = 86_400_000
const dayOf = (at: number): number => Math.floor(at / DAY_MS)

/** Turns sealed slots into sorted files and small blocks into bigger ones, beside the writer, and ends what is kept no longer. */
export interface Blocks {
  /** Sorts every sealed slot. Calls made meanwhile are answered by the same run and one more; merges do not delay it. */
  sort(): Promise<void>
  /** Sorts too, and resolves as soon as the next slot is done. */
  sortNext(): Promise<void>
  /** Merges what is due and removes what retention ends. */
  tidy(now: number): Promise<void>
  close(): Promise<void>
}

interface Means {
  readonly store: Store
  readonly thread: CalledThread
  /** For wide values, which DuckDB sorts. */
  readonly connection: DuckDBConnection
  readonly retiring: Map<NodeJS.Timeout, readonly string[]>
}

/** Starts the sorting of a store on connections of its own. */
export async function openBlocks(store: Store, thread: CalledThread): Promise<Blocks> {
  const retiring = new Map<NodeJS.Timeout, readonly string[]>()
  const sorting: Means = { store, thread, retiring, connection: await store.connect() }
  const merging: Means = { ...sorting, connection: await store.connect() }
  let next = Promise.withResolvers<void>()
  const sort = oneAtATime(async () => {
    for (const slot of store.view.slots.slice(0, -1)) {
      await sortSlot(sorting, slot)
      next.resolve()
      next = Promise.withResolvers<void>()
    }
  })
  const tidy = oneAtATime(async (now: number) => {
    await expire(merging, now)
    for (let [plan] = plans(store, now); plan; [plan] = plans(store, now)) await merge(merging, plan)
  })
  return {
    sort: () => sort(0),
    sortNext: () => Promise.race([next.promise, sort(0)]),
    tidy,
    async close() {
      await Promise.allSettled([sort.tail(), tidy.tail()])
      for (const [timer, names] of retiring) {
        clearTimeout(timer)
        unlink(store, names)
      }
      for (const { connection } of [sorting, merging]) connection.closeSync()
    },
  }
}

const plans = (store: Store, now: number) => planMerges(store.view.files, dayOf(now), store.options)

/** Runs calls one after the other; `tail` ends with the last. */
function oneAtATime(work: (argument: number) => Promise<void>) {
  let tail: Promise<void> = Promise.resolve()
  const run = (argument: number): Promise<void> => {
    tail = tail.catch(() => undefined).then(() => work(argument))
    return tail
  }
  return Object.assign(run, { tail: () => tail })
}

async function sortSlot({ store, thread, connection }: Means, slot: Slot): Promise<void> {
  const block = await store.lock(() => nextBlock(store.writer))
  const table = tableOf('w', slot.id)
  const place = { block, level: 0, day: dayOf(slot.openedAt) }
  const made = await orNothing(store, block, async () => {
    const wide = slot.wideRows > 0 ? await numbersOf(connection, table) : NONE
    const order: SortOrder = { numbers: slot.hot.view(), wide, classes: store.classes, path: pathOf(store, block) }
    const sorted = (await thread.call('sort', order)) as SortedFile[]
    const files = sorted.map((file): BlockFile => ({ ...file, ...place, name: nameOf(block, file.class, file.kind) }))
    if (slot.wideRows === 0) return files
    return [...files, ...(await sortWide({ store, connection }, `SELECT * FROM ${table}`, place))]
  })
  await store.alter(
    async () => {
      for (const file of made) await addFile(store.writer, file)
      for (const kind of ['n', 'w'] as const) await store.writer.run(`DROP TABLE ${tableOf(kind, slot.id)}`)
      await store.writer.run(`DELETE FROM slots WHERE id = ${slot.id}`)
    },
    ({ files, slots }) => ({ files: [...files, ...made], slots: slots.filter((other) => other.id !== slot.id) }),
  )
  slot.hot.release()
  // The blocks of a dropped table come back only here. Refused while a write transaction is open: the next slot does it.
  await store.lock(() => store.writer.run('CHECKPOINT').catch(() => undefined))
}

const NONE: NumberColumns = {
  count: 0,
  tag: new Int32Array(0),
  ts: new Float64Array(0),
  v: new Float64Array(0),
  q: new Uint8Array(0),
}

/** The numbers in wide values, for the roll-ups. */
async function numbersOf(connection: DuckDBConnection, table: string): Promise<NumberColumns> {
  const result = await connection.run(
    `SELECT tag::DOUBLE, ts::DOUBLE, coalesce(i::DOUBLE, try_cast(t AS DOUBLE), 'nan'::DOUBLE), q::DOUBLE FROM ${table}`,
  )
  const [tag, ts, v, q] = doubles(result, [0, 1, 2, 3]) as [Float64Array, Float64Array, Float64Array, Float64Array]
  return { count: tag.length, tag: Int32Array.from(tag), ts, v, q: Uint8Array.from(q) }
}

type Place = Pick<BlockFile, 'block' | 'level' | 'day'>

/** Sorts wide values to a file for each class. */
async function sortWide(
  { store, connection }: Pick<Means, 'store' | 'connection'>,
  source: string,
  place: Place,
): Promise<BlockFile[]> {
  const made: BlockFile[] = []
  for (const cls of new Set([0, ...store.classes.values()])) {
    const path = join(store.blocks, nameOf(place.block, cls, 'w'))
    const file = await writeWide(connection, `SELECT * FROM (${source}) ${whereClass(store.classes, cls)}`, path)
    if (file) made.push(wideFile(file, { ...place, class: cls }))
  }
  return made
}

function whereClass(classes: ReadonlyMap<number, number>, cls: number): string {
  if (classes.size === 0) return ''
  const own = [...classes].filter(([, other]) => cls === 0 || other === cls).map(([tag]) => tag)
  return `WHERE tag ${cls === 0 ? 'NOT IN' : 'IN'} (${own.join(', ')})`
}

const wideFile = (file: WideFile, place: Place & { readonly class: number }): BlockFile => ({
  ...{ ...file, ...place, name: nameOf(place.block, place.class, 'w'), kind: 'w', indexAt: 0, groups: 0 },
})

const pathOf = (store: Store, block: number): string => join(store.blocks, String(block).padStart(8, '0'))
const nameOf = (block: number, cls: number, kind: Kind): string =>
  `${String(block).padStart(8, '0')}-${cls}-${kind}.parquet`

async function merge(means: Means, plan: MergePlan): Promise<void> {
  const { store, connection } = means
  const block = await store.lock(() => nextBlock(store.writer))
  const place = { block, level: plan.level, day: plan.day, class: plan.class }
  const from = plan.blocks.flatMap(({ files }) => files)
  const made = await orNothing(store, block, async () => {
    const files: BlockFile[] = []
    for (const kind of ['n', 'm', 'h'] as const) files.push(...(await mergeKind(means, from, { ...place, kind })))
    const wide = from.filter((file) => file.kind === 'w').map((file) => file.name)
    if (wide.length === 0) return files
    const path = join(store.blocks, nameOf(block, plan.class, 'w'))
    const file = await writeWide(connection, `SELECT * FROM ${parquet(store.blocks, wide)}`, path)
    return file ? [...files, wideFile(file, place)] : files
  })
  await replace(means, from, made)
}

async function mergeKind(
  { store, thread }: Means,
  from: readonly BlockFile[],
  place: Place & { readonly class: number; readonly kind: 'n' | 'm' | 'h' },
): Promise<BlockFile[]> {
  const own = from.filter((file) => file.kind === place.kind)
  if (own.length === 0) return []
  const name = nameOf(place.block, place.class, place.kind)
  const places = own.map(({ name: old, indexAt, groups }) => ({ path: join(store.blocks, old), indexAt, groups }))
  const order: MergeOrder = { kind: place.kind, from: places, path: join(store.blocks, name) }
  const written = (await thread.call('merge', order)) as WrittenBlock | undefined
  return written ? [{ ...written, ...place, name }] : []
}

/**
 * Makes the files of a block; when that fails removes what there is of it, or a full disk would stay full. Naming them in
 * the manifest is not part of it: when a commit fails nobody knows whether they are named.
 */
async function orNothing<T>(store: Store, block: number, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    const own = `${String(block).padStart(8, '0')}-`
    const left = readdirSync(store.blocks).filter((name) => name.startsWith(own))
    unlink(store, left)
    throw error
  }
}

/** Names the new files instead of the old in one transaction; queries under way still find the old ones for a while. */
async function replace(
  { store, retiring }: Pick<Means, 'store' | 'retiring'>,
  old: readonly BlockFile[],
  made: readonly BlockFile[],
  also: () => Promise<void> = async () => undefined,
): Promise<void> {
  const names = old.map((file) => file.name)
  const gone = new Set(names)
  await store.alter(
    async () => {
      for (const file of made) await addFile(store.writer, file)
      await removeFiles(store.writer, names)
      await also()
    },
    ({ files, slots }) => ({ slots, files: [...files.filter((file) => !gone.has(file.name)), ...made] }),
  )
  retire(store, retiring, names)
}

/** Removes what retention ends; the record of it is written in the same transaction. */
async function expire({ store, retiring }: Means, now: number): Promise<void> {
  const { files, deletions } = expired(store.view.files, store.options.retention, now)
  if (files.length === 0) return
  await replace({ store, retiring }, files, [], async () => {
    for (const deletion of deletions) await recordDeletion(store.writer, deletion)
  })
}

/** Unlinks files when no query can use them any more; after a crash the next start does it. */
function retire(store: Store, retiring: Map<NodeJS.Timeout, readonly string[]>, names: readonly string[]): void {
  const timer = setTimeout(() => {
    retiring.delete(timer)
    unlink(store, names)
  }, store.options.graceMs)
  retiring.set(timer, names)
}

function unlink(store: Store, names: readonly string[]): void {
  for (const name of names) rmSync(join(store.blocks, name), { force: true })
}
