import { Kysely, PostgresDialect, sql } from 'kysely'
import { type ClientConfig, Pool } from 'pg'
import type { Log } from '#shared/log/log.ts'
import type { Database, Tx } from './database.ts'
import { createListener } from './listener.ts'
import { type LoginRole, rolePassword } from './roles.ts'
import type { PlatformTables } from './tables.ts'

/** Where the product's database is; user and password are added per role. */
export interface DatabaseAddress {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly ssl?: ClientConfig['ssl']
}

export interface PoolOptions {
  readonly address: DatabaseAddress
  /** The installation's secret, from which the roles' passwords follow. */
  readonly secret: string
  readonly log: Log
  /** Most connections of the pools of requests and of the system. */
  readonly size?: number
  /** Settings of every connection, e.g. `andon.fence`; neither names nor values hold blanks. */
  readonly settings?: Readonly<Record<string, string>>
}

/** How the given role connects. */
export function connectionOf(address: DatabaseAddress, secret: string, role: LoginRole): ClientConfig {
  return { ...address, user: role, password: rolePassword(secret, role), application_name: `andon ${role}` }
}

/** Handlers take turns on few connections of their own, so that a storm of them never holds up relay and pipeline. */
const HANDLER_CONNECTIONS = 4

/** Opens the pools. Nothing is connected before the first query. */
export function openDatabase({ address, secret, log, size = 8, settings = {} }: PoolOptions): Database {
  const options = Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
  const pool = (role: LoginRole, max: number) => {
    const made = new Pool({ ...connectionOf(address, secret, role), options, max, idleTimeoutMillis: 20_000 })
    made.on('error', (err) => log.debug({ err, role }, 'An idle connection was lost'))
    // One that breaks while it works tells it twice: the query rejects, and this event would end the process unheard.
    made.on('connect', (client) => client.on('error', (err) => log.debug({ err, role }, 'A connection was lost')))
    return made
  }
  const kysely = (role: LoginRole, max = size) =>
    new Kysely<PlatformTables>({ dialect: new PostgresDialect({ pool: pool(role, max) }) })
  const app = kysely('andon_app')
  const system = kysely('andon_system')
  const handlers = kysely('andon_system', Math.min(HANDLER_CONNECTIONS, size))
  const listener = createListener(connectionOf(address, secret, 'andon_system'), log)
  return {
    app,
    system,
    inOrg: (org, work) =>
      app.transaction().execute(async (tx) => {
        await sql`select set_config('andon.org', ${org}, true)`.execute(tx)
        return work(tx)
      }),
    asSystem: <R>(work: (tx: Tx) => Promise<R>) => system.transaction().execute(work),
    asHandler: <R>(work: (tx: Tx) => Promise<R>) => handlers.transaction().execute(work),
    listen: listener.listen,
    async close() {
      await listener.close()
      await Promise.all([app.destroy(), system.destroy(), handlers.destroy()])
    },
  }
}
