import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asJson, type Database } from '#cloud/platform/database/database.ts'
import { type EmbeddedServer, startServer } from '#cloud/platform/database/embedded/server.ts'
import { migrate, readMigrations } from '#cloud/platform/database/migrate.ts'
import { type DatabaseAddress, openDatabase } from '#cloud/platform/database/pools.ts'
import { prepareRoles } from '#cloud/platform/database/roles.ts'
import { MIGRATIONS, withClient } from '#cloud/platform/database/start.ts'
import { newId } from '#cloud/platform/id.ts'
import { silentLog } from '#shared/log/log.ts'

/** The secret of every test installation; role passwords follow from it. */
export const TEST_SECRET = 'test-secret'

/** Speed, not safety: a test's data need not survive a power cut. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'autovacuum=off', 'shared_buffers=16MB']

/** A real PostgreSQL of this test file's own, with every migration applied. */
export interface TestDatabase {
  readonly db: Database
  readonly address: DatabaseAddress
  readonly server: EmbeddedServer
  /** Makes an organisation and returns its id. */
  newOrg(name?: string): Promise<string>
  /** A second database on the same server, migrated and empty. */
  fresh(): Promise<{ readonly db: Database; readonly address: DatabaseAddress }>
  close(): Promise<void>
}

/**
 * Starts it in about 0.3 s: a migrated data directory is made once per machine and set of migrations, then copied.
 * Call in `beforeAll`, `close` in `afterAll`. The server dies with the test process.
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  const template = await templateCluster()
  const home = mkdtempSync(join(tmpdir(), 'andon-test-'))
  cpSync(template, home, { recursive: true })
  const server = await startServer({ home, log: silentLog, settings: FAST })
  const opened: Database[] = []
  const open = (database: string) => {
    const address = { host: server.host, port: server.port, database }
    const db = openDatabase({ address, secret: TEST_SECRET, log: silentLog, size: 6 })
    opened.push(db)
    return { db, address }
  }
  const first = open('andon')
  return {
    ...first,
    server,
    newOrg: (name = 'Test works') => newOrganisation(first.db, name),
    async fresh() {
      const name = `andon_${newId().replaceAll('-', '')}`
      await withClient({ ...first.address, ...server.superuser, database: 'postgres' }, (client) =>
        client.query(`create database ${name} template pristine`),
      )
      return open(name)
    },
    async close() {
      await Promise.all(opened.map((db) => db.close()))
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Makes an organisation as the seed would. */
export async function newOrganisation(db: Database, name: string): Promise<string> {
  const id = newId()
  await db.system
    .insertInto('organisations')
    .values({ id, key: `org-${id}`, name: asJson({ en: name, 'zh-CN': name }), created_at: new Date() })
    .execute()
  return id
}

/** A data directory with the databases `andon` and `pristine`, migrated; made by whoever comes first. */
async function templateCluster(): Promise<string> {
  const folder = join(tmpdir(), `andon-test-template-${process.getuid?.() ?? 0}-${fingerprint()}`)
  if (existsSync(folder)) return folder
  const home = mkdtempSync(join(tmpdir(), 'andon-test-making-'))
  const server = await startServer({ home, log: silentLog, settings: FAST })
  const admin = { host: server.host, port: server.port, ...server.superuser }
  try {
    await withClient({ ...admin, database: 'postgres' }, (c) => c.query('create database andon'))
    await withClient({ ...admin, database: 'andon' }, async (client) => {
      await prepareRoles(client, TEST_SECRET)
      await migrate(client, readMigrations(MIGRATIONS))
    })
    await withClient({ ...admin, database: 'postgres' }, (c) => c.query('create database pristine template andon'))
  } catch (error) {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
    throw error
  }
  await server.stop()
  rmSync(join(home, 'lock'), { force: true })
  publish(home, folder)
  return folder
}

function publish(home: string, folder: string): void {
  try {
    renameSync(home, folder)
  } catch {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Whatever the template is made of: the migrations and the code that makes roles and directories. */
function fingerprint(): string {
  const platform = join(MIGRATIONS, '../platform/database')
  const made = ['roles.ts', 'embedded/cluster.ts'].map((file) => join(platform, file))
  const sql = readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => join(MIGRATIONS, name))
  const hash = createHash('sha256')
  for (const file of [...made, ...sql.sort()]) hash.update(file).update(readFileSync(file))
  mkdirSync(tmpdir(), { recursive: true })
  return hash.digest('hex').slice(0, 12)
}
