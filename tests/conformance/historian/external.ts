import { sql } from 'kysely'
import type { Historian } from '#cloud/pipeline/historian/historian.ts'
import { type InfluxHistorianOptions, openInfluxHistorian } from '#cloud/pipeline/historian/influx/client.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import type { TestEngine } from '#tests/support/victoria-metrics.ts'
import { GROUP, type HistorianBench, labelsOf } from './contract.ts'

/** An engine with the PostgreSQL that keeps its ranges. */
export interface ExternalBench extends HistorianBench {
  readonly engine: TestEngine
  readonly database: TestDatabase
  open(options?: Partial<InfluxHistorianOptions>): Promise<Historian>
}

/** Starts PostgreSQL beside an engine and registers the group of the contract's tags. */
export async function externalBench(engine: TestEngine): Promise<ExternalBench> {
  const database = await startTestDatabase()
  const org = await database.newOrg()
  await sql`insert into edge_groups (group_id, org_id) values (${GROUP}, ${org})`.execute(database.db.system)
  return {
    engine,
    database,
    server: engine,
    open: (options = {}) =>
      openInfluxHistorian({
        ...{ url: engine.url, db: database.db, labelsOf, clock: Date.now, log: silentLog },
        ...options,
      }),
    async close() {
      await engine.close()
      await database.close()
    },
  }
}
