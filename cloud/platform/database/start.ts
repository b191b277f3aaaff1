import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, type ClientConfig } from 'pg'
import type { Log } from '#shared/log/log.ts'
import type { Database } from './database.ts'
import { type EmbeddedServer, startServer } from './embedded/server.ts'
import { migrate, readMigrations } from './migrate.ts'
import { type DatabaseAddress, openDatabase } from './pools.ts'
import { DatabaseRefusal, DirectoryInUse } from './refusal.ts'
import { prepareRoles } from './roles.ts'

export interface DatabaseOptions {
  readonly dataDir: string
  /** The installation's secret. */
  readonly secret: string
  /** An existing PostgreSQL, by a user who may create roles; absent: the embedded one. */
  readonly url?: string | undefined
  readonly log: Log
}

/** The database with everything that must be stopped with it. */
export interface RunningDatabase {
  readonly db: Database
  readonly address: DatabaseAddress
  /** The embedded server; undefined for one of the operator's own. */
  readonly server: EmbeddedServer | undefined
  /** Closes the pools, then stops the embedded server. */
  close(): Promise<void>
}

/** `cloud/migrations`. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url))

/** Starts or finds PostgreSQL, makes roles, applies migrations and opens the pools. Throws DatabaseRefusal. */
export async function startDatabase(options: DatabaseOptions): Promise<RunningDatabase> {
  const { dataDir, secret, log } = options
  if (options.url !== undefined) return connectExternal(options.url, options)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const server = await startServer({ home: join(dataDir, 'postgres'), log })
  try {
    const address = { host: server.host, port: server.port, database: 'andon' }
    writeFileSync(addressFile(dataDir), JSON.stringify(address), { mode: 0o600 })
    await ensureDatabase({ ...address, ...server.superuser })
    await prepare({ ...address, ...server.superuser }, secret, log)
    return running(address, options, server)
  } catch (error) {
    await server.stop()
    throw error
  }
}

const addressFile = (dataDir: string) => join(dataDir, 'postgres', 'address.json')

/** For a command beside a running service: joins its database, or starts the database for as long as the command runs. */
export async function joinDatabase(options: DatabaseOptions): Promise<RunningDatabase> {
  try {
    return await startDatabase(options)
  } catch (error) {
    if (!(error instanceof DirectoryInUse)) throw error
    const address = JSON.parse(readFileSync(addressFile(options.dataDir), 'utf8')) as DatabaseAddress
    return running(address, options, undefined)
  }
}

async function connectExternal(url: string, options: DatabaseOptions): Promise<RunningDatabase> {
  const { hostname, port, pathname, searchParams } = parseUrl(url)
  await prepare({ connectionString: url }, options.secret, options.log)
  const ssl = ['require', 'verify-full', 'verify-ca'].includes(searchParams.get('sslmode') ?? '')
  const address = {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(port || 5432),
    database: decodeURIComponent(pathname.slice(1)) || 'andon',
    ...(ssl ? { ssl: true } : {}),
  }
  return running(address, options, undefined)
}

function parseUrl(url: string): URL {
  try {
    return new URL(url)
  } catch (error) {
    throw new DatabaseRefusal('DATABASE_URL is not an address like postgresql://user:password@host:5432/andon', {
      cause: error,
    })
  }
}

function running(
  address: DatabaseAddress,
  { secret, log }: DatabaseOptions,
  server: EmbeddedServer | undefined,
): RunningDatabase {
  const db = openDatabase({ address, secret, log })
  return {
    db,
    address,
    server,
    async close() {
      await db.close()
      await server?.stop()
    },
  }
}

async function ensureDatabase(config: ClientConfig & { readonly database: string }): Promise<void> {
  await withClient({ ...config, database: 'postgres' }, async (client) => {
    const known = await client.query('select 1 from pg_database where datname = $1', [config.database])
    if (known.rowCount === 0) await client.query(`create database ${config.database}`)
  })
}

async function prepare(config: ClientConfig, secret: string, log: Log): Promise<void> {
  await withClient(config, async (client) => {
    await prepareRoles(client, secret)
    const applied = await migrate(client, readMigrations(MIGRATIONS))
    if (applied.length > 0) log.info({ applied }, 'Migrations applied')
  })
}

/** Runs `work` on a connection of its own. */
export async function withClient<R>(config: ClientConfig, work: (client: Client) => Promise<R>): Promise<R> {
  const client = new Client({ ...config, application_name: 'andon admin' })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    throw new DatabaseRefusal(`PostgreSQL cannot be reached: ${(error as Error).message}`, { cause: error })
  }
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
