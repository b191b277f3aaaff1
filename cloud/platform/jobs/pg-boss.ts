import type { ClientConfig } from 'pg'
import { PgBoss } from 'pg-boss'
import type { Log } from '#shared/log/log.ts'
import type { JsonObject } from '../database/tables.ts'
import type { EngineJob, JobEngine } from './engine.ts'

/** One queue for all kinds of jobs: one poll instead of one for each kind. */
const QUEUE = 'andon'
/** Covers jobs whose due time this process did not see coming. */
const POLL_S = 1
/** Due times further away than this are left to the poll. */
const FARTHEST_TIMER_MS = 3_600_000
const HOUR_S = 3_600

interface Envelope {
  readonly queue: string
  readonly org: string
  readonly data: JsonObject
}

/** pg-boss on the product's own PostgreSQL, in the schema `pgboss`, as andon_system. */
export async function startPgBoss(connection: ClientConfig, log: Log): Promise<JobEngine> {
  const boss = new PgBoss({
    ...(connection as object),
    application_name: 'andon jobs',
    max: 2,
    schema: 'pgboss',
    createSchema: false,
    schedule: false,
    superviseIntervalSeconds: 300,
    maintenanceIntervalSeconds: HOUR_S,
    monitorIntervalSeconds: 300,
    queueCacheIntervalSeconds: 300,
    bamIntervalSeconds: 600,
    flowIntervalSeconds: HOUR_S,
    clockMonitorIntervalSeconds: 600,
  })
  boss.on('error', (err) => log.warn({ err }, 'The job engine lost the database; it goes on when that is back'))
  await boss.start()
  await boss.createQueue(QUEUE, { retryBackoff: true, retryDelay: 1, retentionSeconds: 366 * 24 * HOUR_S })
  const timers = new Set<NodeJS.Timeout>()
  let worker: string | undefined
  const wakeAt = (when: Date) => {
    const inMs = when.getTime() - Date.now()
    if (inMs > FARTHEST_TIMER_MS) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (worker) boss.notifyWorker(worker)
    }, Math.max(0, inMs) + 5)
    timers.add(timer)
  }
  return {
    async put(job) {
      await boss.send(QUEUE, envelope(job), { id: job.id, startAfter: job.when, retryLimit: job.attempts - 1 })
      wakeAt(job.when)
    },
    cancel: async (id) => void (await boss.cancel(QUEUE, id)),
    async work(run) {
      const options = { pollingIntervalSeconds: POLL_S, batchSize: 1 }
      worker = await boss.work<Envelope>(QUEUE, options, async ([job]) => {
        if (!job) return
        await run({ id: job.id, ...job.data })
        // More may be due at the same moment: the next one is fetched at once.
        wakeAt(new Date())
      })
      wakeAt(new Date())
    },
    async close() {
      for (const timer of timers) clearTimeout(timer)
      await boss.stop({ graceful: true, timeout: 2_000 })
    },
  }
}

const envelope = ({ queue, org, data }: EngineJob): Envelope => ({ queue, org, data })
