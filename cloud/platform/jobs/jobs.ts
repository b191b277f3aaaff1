import type { Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'

/** Names a kind of job and the shape of its data. */
export interface JobQueue<T extends JsonObject> {
  readonly name: string
  /** Tries before it is given up, the first included; each waits longer. 5 unless told. */
  readonly attempts?: number
  /** Never read; carries the type. */
  readonly sample?: T
}

/** Does the jobs of one queue. May run twice for one job after a crash: it must be idempotent by the job's id. */
export interface JobWorker<T extends JsonObject = JsonObject> {
  readonly queue: JobQueue<T>
  run(data: T, job: { readonly id: string; readonly org: string }): Promise<void>
}

export interface JobRequest<T extends JsonObject> {
  readonly org: string
  /** UUID that names the job: asking again with the same id changes nothing. Unless told, a new one. */
  readonly id?: string
  readonly data: T
}

/**
 * Work for later. A request is written in the caller's transaction and reaches the engine after commit, so that no job exists
 * for a change that was rolled back and none is lost for one that was not.
 */
export interface Jobs {
  /** As soon as possible. Returns the job's id. */
  send<T extends JsonObject>(tx: Tx, queue: JobQueue<T>, request: JobRequest<T>): Promise<string>
  /** Not before `when`, and within about a second of it. Returns the job's id. */
  at<T extends JsonObject>(tx: Tx, queue: JobQueue<T>, request: JobRequest<T> & { when: Date }): Promise<string>
  /** Takes a job back that has not begun. */
  cancel(tx: Tx, org: string, id: string): Promise<void>
}

/** Declares a queue with its data type. */
export const defineQueue = <T extends JsonObject>(name: string, attempts = 5): JobQueue<T> => ({ name, attempts })

/** Declares a worker with its data type inferred; widened for a module's list. */
export const defineWorker = <T extends JsonObject>(worker: JobWorker<T>): JobWorker => worker as unknown as JobWorker
