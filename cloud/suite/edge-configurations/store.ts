import { type Selectable, sql } from 'kysely'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { ConfigurationPush } from '#shared/contracts/edge-configuration.ts'
import type { Wanted } from './state.ts'

interface ConfigurationsTable {
  edge_id: string
  version: number
  org_id: string
  hash: string
  document: string
  source: 'person' | 'edge'
  made_by: string
  made_at: Date
  reason: string | null
}

interface PushesTable {
  id: string
  org_id: string
  edge_id: string
  version: number
  replaces: string
  signature: string
  pushed_by: string
  pushed_at: Date
  reason: string | null
  status: ConfigurationPush['status']
  error: string | null
  settled_at: Date | null
}

type Tables = { edge_configurations: ConfigurationsTable; edge_configuration_pushes: PushesTable }

export type ConfigurationRow = Selectable<ConfigurationsTable>
export type PushRow = Selectable<PushesTable>
/** A version without its text. */
export type VersionRow = Omit<ConfigurationRow, 'document'>

const VERSION_COLUMNS = ['edge_id', 'version', 'org_id', 'hash', 'source', 'made_by', 'made_at', 'reason'] as const

/** All SQL of configurations, inside one organisation. */
export function configurationStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  const latest = async (edgeId: string) => {
    const row = await db
      .selectFrom('edge_configurations')
      .select((e) => e.fn.max('version').as('version'))
      .where('edge_id', '=', edgeId)
      .executeTakeFirst()
    return row?.version ?? 0
  }
  return {
    /** Adds the next version; two at once wait for each other. */
    async add(row: Omit<ConfigurationRow, 'version'>): Promise<number> {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`edge-configuration ${row.edge_id}`}, 0))`.execute(tx)
      const version = (await latest(row.edge_id)) + 1
      await db
        .insertInto('edge_configurations')
        .values({ ...row, version })
        .execute()
      return version
    },
    versions: (edgeId: string): Promise<VersionRow[]> =>
      db
        .selectFrom('edge_configurations')
        .select(VERSION_COLUMNS)
        .where('edge_id', '=', edgeId)
        .orderBy('version', 'desc')
        .limit(500)
        .execute(),
    one: (edgeId: string, version: number): Promise<ConfigurationRow | undefined> =>
      db
        .selectFrom('edge_configurations')
        .selectAll()
        .where('edge_id', '=', edgeId)
        .where('version', '=', version)
        .executeTakeFirst(),
    /** The newest version with this text. */
    byHash: (edgeId: string, hash: string): Promise<ConfigurationRow | undefined> =>
      db
        .selectFrom('edge_configurations')
        .selectAll()
        .where('edge_id', '=', edgeId)
        .where('hash', '=', hash)
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst(),
  }
}

/** All SQL of pushes, inside one organisation. */
export function pushStore(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    add: (row: Omit<PushRow, 'status' | 'error' | 'settled_at'>) =>
      db
        .insertInto('edge_configuration_pushes')
        .values({ ...row, status: null, error: null, settled_at: null })
        .execute(),
    settle: (id: string, outcome: Pick<PushRow, 'status' | 'error' | 'settled_at'>) =>
      db
        .updateTable('edge_configuration_pushes')
        .set(outcome)
        .where('id', '=', id)
        .where('status', 'is', null)
        .execute(),
    of: (edgeId: string): Promise<PushRow[]> =>
      db
        .selectFrom('edge_configuration_pushes')
        .selectAll()
        .where('edge_id', '=', edgeId)
        .orderBy('pushed_at', 'desc')
        .orderBy('id', 'desc')
        .limit(200)
        .execute(),
    /** Of each edge, the version of its last push that was taken. */
    async wanted(): Promise<ReadonlyMap<string, Wanted>> {
      const rows = await db
        .selectFrom('edge_configuration_pushes as p')
        .innerJoin('edge_configurations as c', (j) =>
          j.onRef('c.edge_id', '=', 'p.edge_id').onRef('c.version', '=', 'p.version'),
        )
        .distinctOn('p.edge_id')
        .select(['p.edge_id', 'p.version', 'c.hash', 'p.replaces', 'p.settled_at'])
        .where('p.status', '=', 'done')
        .orderBy('p.edge_id')
        .orderBy('p.pushed_at', 'desc')
        .orderBy('p.id', 'desc')
        .execute()
      return new Map(
        rows.map(({ edge_id, settled_at, ...push }) => [edge_id, { ...push, takenAt: settled_at?.getTime() ?? 0 }]),
      )
    },
  }
}
