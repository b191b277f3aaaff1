import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Log, LogOptions } from '#shared/log/log.ts'
import type { CloudConfig } from '../config.ts'
import type { Pipeline, PipelineMetrics } from '../pipeline/index.ts'
import { type AskingChannel, portChannel } from '../pipeline/remote/channel.ts'
import { localParts } from '../pipeline/remote/local-parts.ts'
import { unpackError } from '../pipeline/remote/packed-error.ts'
import { remotePipeline } from '../pipeline/remote/remote.ts'
import type { Database } from '../platform/database/database.ts'
import type { DatabaseAddress } from '../platform/database/pools.ts'
import type { ThreadData, ThreadRefusal } from './work.ts'

export interface ThreadOptions {
  readonly config: CloudConfig
  /** For what is read in this thread. */
  readonly db: Database
  readonly address: DatabaseAddress
  readonly secret: string
  readonly log: Log
  readonly metrics: PipelineMetrics
  /** Ends a start, also one that waits for another process to end. */
  readonly signal?: AbortSignal | undefined
}

/** The machine side at work in a thread of its own. */
export interface MachineThread {
  readonly pipeline: Pipeline
  /** Resolves with a sentence when the thread ended by itself. */
  readonly failed: Promise<string>
}

/** What the pipeline leaves behind when it has closed ends within this time, or is cut off. */
const END_WITHIN_MS = 2000

/**
 * Starts broker, host, historian and detection in a thread of their own, so that nothing that requests and people do here
 * holds up a sample or an alarm. Throws what the start of the pipeline throws.
 */
export async function startMachineThread(options: ThreadOptions): Promise<MachineThread> {
  const { db, config, metrics, log } = options
  const local = localParts(db, config.profilesDir)
  const { worker, channel } = startWorker(options)
  let isClosing = false
  const ended = endOf(worker, log, () => isClosing)
  const ways = [channel]
  const open = async () => ways.pop() ?? Promise.reject(new Error('The thread has ended'))
  const remote = remotePipeline({ open, local, metrics })
  const refused = once(worker, 'message').then(([refusal]) => {
    throw unpackError(refusal as ThreadRefusal)
  })
  const died = ended.then((reason) => {
    throw new Error(reason)
  })
  const aborted = Promise.withResolvers<never>()
  options.signal?.addEventListener('abort', () => aborted.reject(options.signal?.reason))
  // Later ends are told by `failed`.
  for (const outcome of [refused, died, aborted.promise]) outcome.catch(() => undefined)
  try {
    await Promise.race([remote.ready, refused, died, aborted.promise])
  } catch (error) {
    remote.leave()
    await worker.terminate()
    throw error
  }
  const closing = closeOnce(remote, worker)
  const close = () => {
    isClosing = true
    return closing()
  }
  return { pipeline: { ...remote, mqtt: remote.mqtt, close }, failed: ended }
}

function startWorker({ config, address, secret, log }: ThreadOptions): { worker: Worker; channel: AskingChannel } {
  const { port1, port2 } = new MessageChannel()
  const level = log.level as LogOptions['level']
  const workerData: ThreadData = { config, address, secret, level, port: port2 }
  const options = { name: 'machine-side', workerData, transferList: [port2] }
  const worker = new Worker(new URL('./thread.ts', import.meta.url), options)
  return { worker, channel: portChannel(port1) }
}

/** Resolves when the thread has ended without being told to, in words. */
function endOf(worker: Worker, log: Log, isClosing: () => boolean): Promise<string> {
  return new Promise((resolve) => {
    worker.once('error', (err) => {
      log.fatal({ err }, 'The thread of the machine side failed')
      resolve(`The thread of the machine side failed: ${(err as Error).message}`)
    })
    worker.once('exit', (code) => {
      if (!isClosing()) resolve(`The thread of the machine side ended by itself (exit code ${code})`)
    })
  })
}

function closeOnce(remote: { close(): Promise<void> }, worker: Worker): () => Promise<void> {
  let closing: Promise<void> | undefined
  const close = async () => {
    const exit = once(worker, 'exit')
    try {
      await remote.close()
      await Promise.race([exit, wait(END_WITHIN_MS, undefined, { ref: false })])
    } finally {
      await worker.terminate()
    }
  }
  return () => {
    closing ??= close()
    return closing
  }
}
