import { mkdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Log } from '#shared/log/log.ts'
import { type Historian, HistoryCommitError, HistoryTimeoutError, type LastValue } from '../historian.ts'
import type { StoreOptions } from './store.ts'
import type { Calls, Reply, Request } from './worker.ts'

export interface DuckDbOptions extends Partial<StoreOptions> {
  readonly dir: string
  readonly log: Log
}

const DEFAULTS: Omit<StoreOptions, 'dir'> = {
  memoryLimit: '256MB',
  tempLimit: '8GB',
  threads: 1,
  // 2 s at a million values a second, 42 MB in memory, half a second to sort.
  slotRows: 2_000_000,
  slotMs: 600_000,
  waitingSlots: 4,
  mergeBlocks: 16,
  mergeRows: 512_000_000,
  graceMs: 60_000,
  queryLimitMs: 10_000,
  retention: {},
  lowSpaceBytes: 2 * 2 ** 30,
}

/** The embedded history: DuckDB in a thread of its own. */
export interface DuckDbHistorian extends Historian {
  /** Sorts the open slot into files now; backups and tests use it. */
  settle(): Promise<void>
}

interface Thread {
  call(call: keyof Calls, argument: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown>
  readonly ended: Promise<void>
  hasEnded(): boolean
}

/**
 * Opens the embedded history in a folder, made when it is missing.
 * @throws Error when another process has it open, a file that it names is missing, or its format is another.
 */
export async function openDuckDbHistorian({ dir, log, ...given }: DuckDbOptions): Promise<DuckDbHistorian> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const options: StoreOptions = { ...DEFAULTS, ...given, dir }
  const state: ThreadState = { faults: [] }
  let isClosed = false
  let thread = startThread(options, log, state)
  await thread.catch((cause: Error) => {
    if (!/lock on file/.test(cause.message)) throw cause
    throw new Error(`The history in ${dir} is open in another process; stop that one first`, { cause })
  })
  // One thread at a time: two instances on one file would lose committed rows.
  const living = async (): Promise<Thread> => {
    const before = thread
    const found = await before.catch(() => undefined)
    if (found && !found.hasEnded()) return found
    if (thread === before) thread = startThread(options, log, state)
    return thread
  }
  const call: Call = async (name, argument, transfer = []) => {
    if (isClosed) throw new Error('The history is closed')
    return (await living()).call(name, argument, transfer)
  }
  return historianOn(
    call,
    () => state.faults,
    async () => {
      if (isClosed) return
      const last = await living()
      isClosed = true
      await last.call('close', undefined, [])
      await last.ended
    },
  )
}

type Call = (name: keyof Calls, argument: unknown, transfer?: readonly ArrayBuffer[]) => Promise<unknown>

function historianOn(call: Call, faults: () => readonly string[], close: () => Promise<void>): DuckDbHistorian {
  const ask =
    <R>(name: keyof Calls) =>
    (argument?: unknown) =>
      call(name, argument) as Promise<R>
  return {
    async commit(batch) {
      const { tag, ts, v, q } = batch.numbers
      const buffers = [tag, ts, v, q].map((column) => column.buffer as ArrayBuffer)
      await call('commit', batch, buffers).catch((cause: Error) => {
        throw new HistoryCommitError(`History did not commit: ${cause.message}`, { cause })
      })
    },
    marks: ask('marks'),
    gaps: ask('gaps'),
    buckets: ask('buckets'),
    raw: ask('raw'),
    last: (tags, before) => call('last', { tags, before }) as Promise<LastValue[]>,
    classify: ask('classify'),
    deletions: ask('deletions'),
    faults,
    status: ask('status'),
    settle: ask('settle'),
    close,
  }
}

interface ThreadState {
  faults: readonly string[]
}

/** Starts the thread and waits until the database is open. */
function startThread(options: StoreOptions, log: Log, state: ThreadState): Promise<Thread> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: options, name: 'history' })
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let number = 0
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const settle = ({ id, result, error, faults }: Reply) => {
    const request = waiting.get(id)
    waiting.delete(id)
    if (faults) tellFaults(faults)
    else if (id === -1 && error)
      log.error({ err: error }, 'History could not sort a slot; it tries again with the next')
    else if (id === -1) opened.resolve()
    else if (error) request?.reject(revive(error))
    else request?.resolve(result)
  }
  const tellFaults = (faults: readonly string[]) => {
    for (const fault of faults) log.error(fault)
    if (faults.length === 0 && state.faults.length > 0) log.info('The disk of history has space again')
    state.faults = faults
  }
  let isEnded = false
  const end = (cause: Error) => {
    isEnded = true
    opened.reject(cause)
    for (const request of waiting.values()) request.reject(cause)
    waiting.clear()
    ended.resolve()
  }
  worker.on('message', settle)
  worker.on('error', end)
  worker.on('exit', () => end(new Error('The history thread ended; it is opened again at the next call')))
  const call: Thread['call'] = (name, argument, transfer) =>
    new Promise((resolve, reject) => {
      const id = number++
      waiting.set(id, { resolve, reject })
      worker.postMessage({ id, call: name, argument } satisfies Request, transfer as ArrayBuffer[])
    })
  return opened.promise.then(() => ({ call, ended: ended.promise, hasEnded: () => isEnded }))
}

function revive({ name, message }: { readonly name: string; readonly message: string }): Error {
  return name === 'HistoryTimeoutError' ? new HistoryTimeoutError(message) : new Error(message)
}
