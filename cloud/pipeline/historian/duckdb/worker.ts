import { parentPort, workerData } from 'node:worker_threads'
import type { HistoryBatch } from '../batch.ts'
import { type CalledThread, startCalledThread } from '../blocks/thread.ts'
import type { BucketRequest, RawRequest } from '../historian.ts'
import { type Blocks, openBlocks } from './blocks.ts'
import { readDeletions } from './catalogue.ts'
import { type DiskWatch, watchDisk } from './disk.ts'
import { openReader, type Reader } from './read.ts'
import { openStore, type Store, type StoreOptions } from './store.ts'

/** What the client may ask for, with its argument. */
export interface Calls {
  commit: HistoryBatch
  marks: undefined
  gaps: undefined
  buckets: BucketRequest
  raw: RawRequest
  last: { readonly tags: readonly number[]; readonly before?: number }
  classify: readonly { readonly tag: number; readonly class: number }[]
  deletions: undefined
  status: undefined
  settle: undefined
  close: undefined
}

export interface Request {
  readonly id: number
  readonly call: keyof Calls
  readonly argument: unknown
}

/** Answer to a request, or, with id −1, something that happened by itself. */
export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string }
  /** What is wrong with the disk from now on. */
  readonly faults?: readonly string[]
}

/** After these DuckDB answers every later statement with an error, also when the disk has space again. */
const isFatal = (error: Error): boolean => /FATAL|has been invalidated/.test(error.message)

interface Parts {
  readonly store: Store
  readonly reader: Reader
  readonly blocks: Blocks
  readonly threads: readonly CalledThread[]
  readonly disk: DiskWatch
  readonly keepUp: () => void
}

/** How often retention, merges of ended days and the disk are looked after when nothing is sealed. */
const TIDY_EVERY_MS = 60_000

async function serve(port: NonNullable<typeof parentPort>, options: StoreOptions): Promise<void> {
  const report = (error: Error) => port.postMessage({ id: -1, error: plain(error) } satisfies Reply)
  const disk = watchDisk(options, (faults) => port.postMessage({ id: -1, faults } satisfies Reply))
  const store = await openStore(options, Date.now())
  // A helper thread that dies takes this one with it; the client opens all of them again.
  const start = (name: string) =>
    startCalledThread(new URL(`../blocks/${name}-thread.ts`, import.meta.url), name, (cause) => {
      throw cause
    })
  const threads = [start('sort'), start('read')] as const
  const [reader, blocks] = [await openReader(store, threads[1]), await openBlocks(store, threads[0])]
  const parts: Parts = { store, reader, blocks, threads, disk, keepUp: keeper(blocks, report) }
  const timer = setInterval(parts.keepUp, TIDY_EVERY_MS)
  const calls = callsOf(parts)
  port.on('message', async ({ id, call, argument }: Request) => {
    try {
      if (call === 'close') clearInterval(timer)
      const result = await calls[call](argument as never)
      port.postMessage({ id, result } satisfies Reply, buffersOf(result))
      if (call === 'close') port.close()
    } catch (error) {
      port.postMessage({ id, error: plain(error as Error) } satisfies Reply)
      // The client starts a new thread, which reads the marks again: the outcome of this commit is unknown.
      if (isFatal(error as Error)) process.exit(1)
    }
  })
  port.postMessage({ id: -1, result: 'open' } satisfies Reply)
  parts.keepUp()
}

function callsOf(parts: Parts): { [Call in keyof Calls]: (argument: Calls[Call]) => unknown } {
  const { store, reader, blocks, threads, disk, keepUp } = parts
  return {
    commit: async (batch) => {
      disk.assertSpace()
      // One is room enough: waiting for all of them would hold edges up for seconds.
      while (store.view.slots.length > store.options.waitingSlots) await blocks.sortNext()
      await store.commit(batch)
      if (isFull(store)) await store.seal(Date.now())
      if (store.view.slots.length > 1) keepUp()
    },
    marks: () => store.marks(),
    gaps: () => store.gaps(),
    buckets: (request) => reader.buckets(request),
    raw: (request) => reader.raw(request),
    last: ({ tags, before = Number.MAX_SAFE_INTEGER }) => reader.last(tags, before),
    classify: (tags) => store.classify(tags),
    deletions: () => store.lock(() => readDeletions(store.writer)),
    status: () => store.status(),
    settle: async () => {
      if (rowsOf(store) > 0) await store.seal(Date.now())
      await blocks.sort()
      await blocks.tidy(Date.now())
    },
    close: async () => {
      disk.close()
      await blocks.close()
      await reader.close()
      for (const thread of threads) await thread.close()
      await store.close()
    },
  }
}

function rowsOf({ view }: Store): number {
  const slot = view.slots.at(-1)
  return slot ? slot.hot.count + slot.wideRows : 0
}

function isFull(store: Store): boolean {
  const { options, view } = store
  const rows = rowsOf(store)
  if (rows === 0) return false
  return rows >= options.slotRows || Date.now() - (view.slots.at(-1)?.openedAt ?? 0) >= options.slotMs
}

/** After a failure, e.g. on a full disk, the next try waits this long: a try costs a second of CPU. */
const RETRY_MS = 10_000

/**
 * Sorts and merges beside the commits when it is called, and while it does so already, not once more. A slot that cannot be
 * sorted stays a table and loses nothing.
 */
function keeper({ sort, tidy }: Blocks, report: (error: Error) => void): () => void {
  const tidyUp = unlessBusy(() => tidy(Date.now()), report)
  return unlessBusy(async () => {
    await sort()
    tidyUp()
  }, report)
}

function unlessBusy(work: () => Promise<void>, report: (error: Error) => void): () => void {
  let isBusy = false
  let retryAt = 0
  return () => {
    if (isBusy || Date.now() < retryAt) return
    isBusy = true
    void work()
      .catch((error: Error) => {
        report(error)
        retryAt = Date.now() + RETRY_MS
      })
      .finally(() => {
        isBusy = false
      })
  }
}

const plain = ({ name, message }: Error) => ({ name, message })

/** Buffers that can move to the other thread instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return []
  return Object.values(result).flatMap((value) => (value instanceof Float64Array ? [value.buffer as ArrayBuffer] : []))
}

if (parentPort) await serve(parentPort, workerData as StoreOptions)
