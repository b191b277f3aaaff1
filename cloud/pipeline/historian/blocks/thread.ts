import { Worker } from 'node:worker_threads'

/** A worker thread that answers calls by number. */
export interface CalledThread {
  call(call: string, argument: unknown, more?: object): Promise<unknown>
  close(): Promise<void>
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

/** Starts a thread; when it ends by itself, open and later calls are refused and `onEnd` hears why. */
export function startCalledThread(file: URL, name: string, onEnd: (cause: Error) => void): CalledThread {
  const worker = new Worker(file, { name })
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let number = 0
  let isClosing = false
  let ended: Error | undefined
  const end = (cause: Error) => {
    if (ended) return
    ended = cause
    for (const request of waiting.values()) request.reject(cause)
    waiting.clear()
    if (!isClosing) onEnd(cause)
  }
  worker.on('message', ({ id, result, error }: Answer) => {
    const request = waiting.get(id)
    waiting.delete(id)
    if (error) request?.reject(Object.assign(new Error(error.message), { name: error.name }))
    else request?.resolve(result)
  })
  worker.on('error', end)
  worker.on('exit', () => end(new Error(`The thread ${name} ended`)))
  return {
    call(call, argument, more = {}) {
      if (ended) return Promise.reject(ended)
      const request = Promise.withResolvers<unknown>()
      const id = number++
      waiting.set(id, request)
      worker.postMessage({ id, call, argument, ...more })
      return request.promise
    },
    async close() {
      isClosing = true
      await worker.terminate()
    },
  }
}
