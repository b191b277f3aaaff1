/** A PostgreSQL for the scale-out set-up: runs the server in the directory given until one of both ends. */
import { startServer } from '#cloud/platform/database/embedded/server.ts'
import { withClient } from '#cloud/platform/database/start.ts'
import { createLog } from '#shared/log/log.ts'

const [home = ''] = process.argv.slice(2)
const server = await startServer({ home, log: createLog({ program: 'cloud', level: 'warn' }) })
const access = { host: server.host, port: server.port, ...server.superuser, database: 'postgres' }
await withClient(access, async (client) => {
  const { rowCount } = await client.query("select 1 from pg_database where datname = 'andon'")
  if (rowCount === 0) await client.query('create database andon')
})
process.once('SIGTERM', () => void server.stop())
const { code } = await server.ended
process.exit(code ?? 1)
