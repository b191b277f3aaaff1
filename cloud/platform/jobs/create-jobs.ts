import type { Log } from '#shared/log/log.ts'
import type { Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import { newId } from '../id.ts'
import { emit } from '../outbox/emit.ts'
import type { EventHandler } from '../outbox/event.ts'
import type { JobEngine } from './engine.ts'
import type { JobQueue, JobRequest, Jobs, JobWorker } from './jobs.ts'

const REQUESTED = 'job.requested'
const CANCELLED = 'job.cancelled'
const ATTEMPTS = 5

/** Makes the jobs port: requests are outbox events, so that they commit with the change that asks for them. */
export function createJobs(clock: () => number): Jobs {
  const request = async (tx: Tx, queue: JobQueue<JsonObject>, { org, id = newId(), data, when }: Timed) => {
    const at = new Date(clock())
    const job = { id, queue: queue.name, attempts: queue.attempts ?? ATTEMPTS, when: (when ?? at).toISOString(), data }
    await emit(tx, { org, type: REQUESTED, topics: [], at, data: job })
    return id
  }
  return {
    send: (tx, queue, job) => request(tx, queue as JobQueue<JsonObject>, job),
    at: (tx, queue, job) => request(tx, queue as JobQueue<JsonObject>, job),
    async cancel(tx, org, id) {
      await emit(tx, { org, type: CANCELLED, topics: [], at: new Date(clock()), data: { id } })
    },
  }
}

type Timed = JobRequest<JsonObject> & { readonly when?: Date }

interface Requested {
  readonly id: string
  readonly queue: string
  readonly attempts: number
  readonly when: string
  readonly data: JsonObject
}

/** Hands requested jobs to the engine. The engine keeps a job once however often it is handed over. */
export function jobHandler(engine: JobEngine): EventHandler {
  return {
    name: 'platform.jobs',
    types: ['job.*'],
    async handle({ type, org, data }) {
      const job = data as unknown as Requested
      if (type === CANCELLED) return engine.cancel(job.id)
      const { id, queue, attempts, when } = job
      await engine.put({ id, queue, org, attempts, when: new Date(when), data: job.data })
    },
  }
}

/** Lets each queue's worker do its jobs. Throws when two workers share a queue. */
export async function startWorkers(engine: JobEngine, workers: readonly JobWorker[], log: Log): Promise<void> {
  const byQueue = new Map(workers.map((worker) => [worker.queue.name, worker]))
  if (byQueue.size < workers.length) throw new Error('Two workers share a job queue')
  await engine.work(async ({ id, queue, org, data }) => {
    const worker = byQueue.get(queue)
    if (!worker) throw new Error(`No worker knows the job queue ${queue}`)
    try {
      await worker.run(data, { id, org })
    } catch (err) {
      log.warn({ err, queue, job: id }, 'A job failed; it is tried again')
      throw err
    }
  })
}
