import type { JsonObject } from '../database/tables.ts'

/** One job as the engine keeps it. */
export interface EngineJob {
  readonly id: string
  readonly queue: string
  readonly org: string
  readonly data: JsonObject
  /** Not before. */
  readonly when: Date
  /** Tries, the first included. */
  readonly attempts: number
}

/** A job engine: pg-boss on the product's own PostgreSQL, or another one for scale. Every adapter passes `engine.test.ts`. */
export interface JobEngine {
  /** Keeps the job; one with the same id is kept as it is. */
  put(job: EngineJob): Promise<void>
  /** Forgets a job that has not begun; unknown ids do nothing. */
  cancel(id: string): Promise<void>
  /** Runs jobs as they become due; a throw is tried again with back-off. Called once. */
  work(run: (job: Omit<EngineJob, 'when' | 'attempts'>) => Promise<void>): Promise<void>
  /** Waits up to 2 s for running jobs; what does not end in time runs again after the next start. */
  close(): Promise<void>
}
