import { sql } from 'kysely'
import type { Database } from '../database/database.ts'
import type { Metrics } from '../metrics/registry.ts'
import type { HttpApp } from './app.ts'

export interface HealthOptions {
  readonly db: Database
  readonly metrics: Metrics
  /** What is wrong with the other parts, in words; empty when all is well. */
  readonly faults: () => Promise<readonly string[]>
}

/** `GET /healthz`: the process answers. `GET /readyz`: it can do its work, else 503 with the reasons. `GET /metrics`. */
export function healthRoutes(app: HttpApp, { db, metrics, faults }: HealthOptions): void {
  const open = { config: { access: 'public' as const }, schema: { hide: true } }
  app.get('/healthz', open, () => ({ status: 'ok' }))
  app.get('/readyz', open, async (_request, reply) => {
    const wrong = [...(await databaseFault(db)), ...(await faults())]
    return reply
      .code(wrong.length === 0 ? 200 : 503)
      .send({ status: wrong.length === 0 ? 'ready' : 'not-ready', faults: wrong })
  })
  metrics.collect('process_resident_memory_bytes', () => process.memoryUsage.rss())
  metrics.collect('process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  app.get('/metrics', open, (_request, reply) => reply.type('text/plain; version=0.0.4').send(metrics.text()))
}

async function databaseFault(db: Database): Promise<string[]> {
  try {
    await sql`select 1`.execute(db.app)
    return []
  } catch (error) {
    return [`PostgreSQL does not answer: ${(error as Error).message}`]
  }
}
