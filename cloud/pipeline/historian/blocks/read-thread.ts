import { getPriority, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { type Breathe, type ReadSet, readBuckets, readRaw } from './read-blocks.ts'
import { type LastOrder, readLast } from './read-last.ts'
import { IndexCache } from './reader.ts'

/** What the read thread answers; a query gives way to others between row groups. */
export interface ReadCalls {
  raw: { readonly set: ReadSet; readonly tag: number; readonly rows: number }
  buckets: {
    readonly set: ReadSet
    readonly tags: readonly number[]
    readonly widthMs: number
    readonly origin: number
  }
  last: LastOrder
}

export interface ReadRequest {
  readonly id: number
  readonly call: keyof ReadCalls
  readonly argument: unknown
  /** ms; the answer is a HistoryTimeoutError when it takes longer. */
  readonly limitMs: number
}

/** How long a query keeps the thread before others get their turn. */
const TURN_MS = 5

const READER_NICE = 5

const cache = new IndexCache()

/**
 * On Linux 0 names the calling thread alone: questions wait for commits, samples and alarms. Elsewhere it is the process.
 * One that was started with a lower priority still has it already, and an ordinary user may not raise it again.
 */
if (process.platform === 'linux' && getPriority(0) < READER_NICE) setPriority(0, READER_NICE)

function breathing(limitMs: number): Breathe {
  const end = performance.now() + limitMs
  let turnEnd = performance.now() + TURN_MS
  return async () => {
    const now = performance.now()
    if (now > end) {
      const error = new Error(`The query was stopped after ${limitMs} ms; ask for a shorter time or fewer tags`)
      error.name = 'HistoryTimeoutError'
      throw error
    }
    if (now < turnEnd) return
    await new Promise((resolve) => setImmediate(resolve))
    turnEnd = performance.now() + TURN_MS
  }
}

async function answer({ call, argument, limitMs }: ReadRequest): Promise<unknown> {
  const breathe = breathing(limitMs)
  if (call === 'last') return readLast(argument as LastOrder, cache, breathe)
  if (call === 'raw') return readRaw(argument as ReadCalls['raw'], cache, breathe)
  return readBuckets(argument as ReadCalls['buckets'], cache, breathe)
}

/** Whole buffers of typed arrays; a part of one is copied, because moving it would move its neighbours. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const value of Object.values(result ?? {})) {
    if (value instanceof Float64Array && value.byteLength === value.buffer.byteLength && value.byteLength > 0) {
      buffers.add(value.buffer as ArrayBuffer)
    }
  }
  return [...buffers]
}

parentPort?.on('message', async (request: ReadRequest) => {
  const { id } = request
  try {
    const result = await answer(request)
    parentPort?.postMessage({ id, result }, buffersOf(result))
  } catch (error) {
    parentPort?.postMessage({ id, error: { name: (error as Error).name, message: (error as Error).message } })
  }
})
