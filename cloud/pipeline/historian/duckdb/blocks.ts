import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { parquet, type SortedFile, writeSorted } from './block-file.ts'
import {
  addFile,
  type BlockFile,
  files,
  inTransaction,
  KINDS,
  type Kind,
  nextFileNumber,
  slots,
  tableOf,
} from './catalogue.ts'
import type { Store } from './store.ts'

const DAY_MS = 86_400_000
const dayOf = (at: number): number => Math.floor(at / DAY_MS)

/** Turns sealed slots into sorted files, and small files into bigger ones, one at a time, beside the writer. */
export interface Blocks {
  /** Sorts every sealed slot, then merges what is due. Calls made meanwhile are answered by the same run and one more. */
  settle(now: number): Promise<void>
  close(): Promise<void>
}

/** Starts the sorting of a store on its own connection. */
export async function openBlocks(store: Store): Promise<Blocks> {
  const sorter = await store.connect()
  const retiring = new Map<NodeJS.Timeout, readonly string[]>()
  let tail: Promise<void> = Promise.resolve()
  const settle = async (now: number) => {
    const sealed = (await store.lock(() => slots(store.writer))).filter((slot) => slot.id !== store.slot.id)
    for (const slot of sealed) await sortSlot(store, sorter, slot)
    for (const plan of planMerges(await store.lock(() => files(store.writer)), dayOf(now), store.options.mergeFiles)) {
      await mergeFiles(store, sorter, plan)
      retire(store, retiring, plan.from)
    }
  }
  return {
    settle(now) {
      tail = tail.catch(() => undefined).then(() => settle(now))
      return tail
    },
    async close() {
      await tail.catch(() => undefined)
      for (const [timer, names] of retiring) {
        clearTimeout(timer)
        unlink(store, names)
      }
      sorter.closeSync()
    },
  }
}

interface SealedSlot {
  readonly id: number
  readonly openedAt: number
}

async function sortSlot(store: Store, sorter: DuckDBConnection, slot: SealedSlot): Promise<void> {
  const made: BlockFile[] = []
  for (const kind of KINDS) {
    const target = { kind, level: 0, day: dayOf(slot.openedAt) }
    const file = await writeFile(store, sorter, { ...target, source: tableOf(kind, slot.id) })
    if (file) made.push(file)
  }
  await store.lock(async () => {
    await inTransaction(store.writer, async () => {
      for (const file of made) await addFile(store.writer, file)
      for (const kind of KINDS) await store.writer.run(`DROP TABLE ${tableOf(kind, slot.id)}`)
      await store.writer.run(`DELETE FROM slots WHERE id = ${slot.id}`)
    })
    // The blocks of a dropped table come back only here. Refused while a write transaction is open: the next slot does it.
    await store.writer.run('CHECKPOINT').catch(() => undefined)
  })
}

interface FileTarget extends Pick<BlockFile, 'kind' | 'level' | 'day'> {
  /** A table, or a list of files. */
  readonly source: string
}

async function writeFile(store: Store, sorter: DuckDBConnection, target: FileTarget): Promise<BlockFile | undefined> {
  const number = String(await store.lock(() => nextFileNumber(store.writer))).padStart(8, '0')
  const { kind, level, day } = target
  const name = `${kind}-${number}.parquet`
  const sorted: SortedFile | undefined = await writeSorted(sorter, target.source, join(store.blocks, name))
  if (!sorted) return undefined
  return { name, kind, level, day, firstAt: sorted.firstAt, lastAt: sorted.lastAt, rows: sorted.rows }
}

export interface MergePlan {
  readonly kind: Kind
  readonly level: number
  readonly day: number
  readonly from: readonly string[]
}

/** Which files to merge: all of a day that has ended, and every `mergeFiles` files of slots of the present day. */
export function planMerges(all: readonly BlockFile[], today: number, mergeFiles: number): MergePlan[] {
  const groups = Map.groupBy(
    all.filter((file) => file.level < 2 && (file.day < today || file.level === 0)),
    (file) => `${file.kind}/${file.day}`,
  )
  return [...groups.values()].flatMap((group) => {
    const [one] = group
    if (!one) return []
    const isOver = one.day < today
    if (group.length < (isOver ? 2 : mergeFiles)) return []
    return [{ kind: one.kind, day: one.day, level: isOver ? 2 : 1, from: group.map((file) => file.name) }]
  })
}

async function mergeFiles(store: Store, sorter: DuckDBConnection, plan: MergePlan): Promise<void> {
  const source = parquet(store.blocks, plan.from)
  const file = await writeFile(store, sorter, { kind: plan.kind, level: plan.level, day: plan.day, source })
  await store.lock(() =>
    inTransaction(store.writer, async () => {
      if (file) await addFile(store.writer, file)
      const names = plan.from.map((name) => `'${name}'`).join(', ')
      await store.writer.run(`DELETE FROM files WHERE name IN (${names})`)
    }),
  )
}

/** Unlinks merged files when no query can use them any more; after a crash the next start does it. */
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
