import { parentPort, workerData } from 'node:worker_threads'
import type { HistoryBatch } from '../batch.ts'
import type { BucketRequest, RawRequest } from '../historian.ts'
import { type Blocks, openBlocks } from './blocks.ts'
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
}

/** After these DuckDB answers every later statement with an error, also when the disk has space again. */
const isFatal = (error: Error): boolean => /FATAL|has been invalidated/.test(error.message)

interface Parts {
  readonly store: Store
  readonly reader: Reader
  readonly blocks: Blocks
}

async function serve(port: NonNullable<typeof parentPort>, options: StoreOptions): Promise<void> {
  const store = await openStore(options, Date.now())
  const parts = { store, reader: await openReader(store), blocks: await openBlocks(store) }
  const calls = callsOf(parts, (error) => port.postMessage({ id: -1, error: plain(error) } satisfies Reply))
  port.on('message', async ({ id, call, argument }: Request) => {
    try {
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
  await settle(parts, (error) => port.postMessage({ id: -1, error: plain(error) } satisfies Reply))
}

function callsOf(
  parts: Parts,
  report: (error: Error) => void,
): { [Call in keyof Calls]: (argument: Calls[Call]) => unknown } {
  const { store, reader, blocks } = parts
  return {
    commit: async (batch) => {
      await store.commit(batch)
      if (isFull(store)) sealAndSort(parts, report)
    },
    marks: () => store.marks(),
    gaps: () => store.gaps(),
    buckets: (request) => reader.buckets(request),
    raw: (request) => reader.raw(request),
    last: ({ tags, before }) => reader.last(tags, before),
    status: () => store.status(),
    settle: async () => {
      if (store.slot.rows > 0) await store.seal(Date.now())
      await blocks.settle(Date.now())
    },
    close: async () => {
      await blocks.close()
      await reader.close()
      await store.close()
    },
  }
}

function isFull({ slot, options }: Store): boolean {
  if (slot.rows === 0) return false
  return slot.rows >= options.slotRows || Date.now() - slot.openedAt >= options.slotMs
}

function sealAndSort(parts: Parts, report: (error: Error) => void): void {
  void parts.store
    .seal(Date.now())
    .then(() => settle(parts, report))
    .catch(report)
}

/** A sort that fails loses nothing: its slot stays a table and the next one tries again. */
async function settle({ blocks }: Parts, report: (error: Error) => void): Promise<void> {
  await blocks.settle(Date.now()).catch(report)
}

const plain = ({ name, message }: Error) => ({ name, message })

/** Buffers that can move to the other thread instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return []
  return Object.values(result).flatMap((value) => (value instanceof Float64Array ? [value.buffer as ArrayBuffer] : []))
}

if (parentPort) await serve(parentPort, workerData as StoreOptions)
