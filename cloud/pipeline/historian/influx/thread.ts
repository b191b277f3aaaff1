import { Worker } from 'node:worker_threads'
import { HistoryTimeoutError } from '../historian.ts'
import type { HistoryEngine } from '../history-engine.ts'
import { EngineRefusal } from './engine.ts'
import type { Calls, EngineSettings, Reply, Request } from './worker.ts'

/** A thread that speaks to the engine, so that neither lines nor long answers hold up alarms. */
export interface EngineThread {
  /** @throws what the thread threw, or Error when it ended; the next call starts it again. */
  call<Call extends keyof Calls>(
    call: Call,
    argument: Calls[Call]['argument'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Calls[Call]['answer']>
  close(): Promise<void>
}

export interface ThreadOptions {
  readonly name: string
  readonly settings: EngineSettings
  /** ms since 1970 */
  readonly clock: () => number
}

interface Running {
  send(call: keyof Calls, argument: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown>
  hasEnded(): boolean
  readonly opened: Promise<HistoryEngine>
  readonly worker: Worker
}

/** Starts a thread and opens the engine in it. @throws EngineRefusal as detectEngine() does. */
export async function startThread(options: ThreadOptions): Promise<EngineThread & { readonly facts: HistoryEngine }> {
  let running = run(options)
  let isClosed = false
  const facts = await running.opened.catch(async (error: Error) => {
    await running.worker.terminate()
    throw error
  })
  return {
    facts,
    async call(call, argument, transfer = []) {
      if (isClosed) throw new Error('The history is closed')
      if (running.hasEnded()) running = run(options)
      const current = running
      await current.opened.catch(async (error: Error) => {
        await current.worker.terminate()
        throw error
      })
      return (await current.send(call, argument, transfer)) as never
    },
    async close() {
      isClosed = true
      await running.worker.terminate()
    },
  }
}

function run({ name, settings, clock }: ThreadOptions): Running {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let number = 0
  let isEnded = false
  const end = (cause: Error) => {
    isEnded = true
    for (const request of waiting.values()) request.reject(cause)
    waiting.clear()
  }
  worker.on('message', ({ id, result, error }: Reply) => {
    const request = waiting.get(id)
    waiting.delete(id)
    if (error) request?.reject(revive(error))
    else request?.resolve(result)
  })
  worker.on('error', end)
  worker.on('exit', () => end(new Error('The thread of the external history ended; it is started again')))
  const send: Running['send'] = (call, argument, transfer) => {
    const request = Promise.withResolvers<unknown>()
    waiting.set(number, request)
    worker.postMessage({ id: number++, call, argument, at: clock() } satisfies Request, [...transfer])
    return request.promise
  }
  const opened = send('open', settings, []) as Promise<HistoryEngine>
  return { send, worker, opened, hasEnded: () => isEnded }
}

function revive({ name, message }: { readonly name: string; readonly message: string }): Error {
  if (name === 'HistoryTimeoutError') return new HistoryTimeoutError(message)
  return name === 'EngineRefusal' ? new EngineRefusal(message) : new Error(message)
}
