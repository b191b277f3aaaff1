import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'
import { DatabaseRefusal } from './refusal.ts'

/** One file of `cloud/migrations`. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** Any number; the same in every process, so that two never migrate at once. */
const LOCK = 5_263_901

/** Reads `0001-platform.sql` … in order. Throws when two share a number. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
  const migrations = names.sort().map((name) => {
    const sql = readFileSync(join(folder, name), 'utf8')
    return { version: Number(name.slice(0, 4)), name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
  const twice = migrations.find((m, i) => migrations[i - 1]?.version === m.version)
  if (twice) throw new Error(`Two migrations have the number ${twice.version}: ${twice.name} is the second`)
  return migrations
}

/**
 * Applies what is missing, each file in a transaction of its own, as andon_owner. Forward only. Throws DatabaseRefusal when
 * the database was made by a newer version or an applied file has changed since.
 */
export async function migrate(admin: Client, migrations: readonly Migration[]): Promise<string[]> {
  await admin.query('select pg_advisory_lock($1)', [LOCK])
  try {
    await admin.query('set role andon_owner')
    const applied = await readApplied(admin)
    refuseStrangers(applied, migrations)
    const missing = migrations.filter((m) => !applied.has(m.version))
    for (const migration of missing) await apply(admin, migration)
    return missing.map((m) => m.name)
  } finally {
    await admin.query('reset role')
    await admin.query('select pg_advisory_unlock($1)', [LOCK])
  }
}

type Applied = ReadonlyMap<number, { readonly name: string; readonly checksum: string }>

async function readApplied(admin: Client): Promise<Applied> {
  await admin.query(`create table if not exists migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`)
  const { rows } = await admin.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from migrations',
  )
  return new Map(rows.map((row) => [row.version, row]))
}

function refuseStrangers(applied: Applied, migrations: readonly Migration[]): void {
  const own = new Map(migrations.map((m) => [m.version, m]))
  const newest = migrations.at(-1)?.name ?? 'none'
  for (const [version, { name, checksum }] of applied) {
    const known = own.get(version)
    if (!known) {
      throw new DatabaseRefusal(
        `The database was made by a newer version of Andon: it holds the migration ${name}, this version ends with ${newest}. ` +
          'Start the newer version, or restore a backup from before it.',
      )
    }
    if (known.checksum !== checksum) {
      throw new DatabaseRefusal(
        `The migration ${known.name} was applied to this database in another form, so it belongs to another version of Andon. ` +
          'Start that version, or begin with an empty data directory (demo: --fresh).',
      )
    }
  }
}

async function apply(admin: Client, { version, name, sql, checksum }: Migration): Promise<void> {
  await admin.query('begin')
  try {
    await admin.query(sql)
    await admin.query('insert into migrations (version, name, checksum) values ($1, $2, $3)', [version, name, checksum])
    await admin.query('commit')
  } catch (error) {
    await admin.query('rollback')
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error })
  }
}
