import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { type Migration, migrate, readMigrations } from './migrate.ts'
import { MIGRATIONS, withClient } from './start.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await startTestDatabase()
})
afterAll(() => test.close())

const asAdmin = async <R>(work: (client: Client) => Promise<R>) => {
  const { address } = await test.fresh()
  return withClient({ ...address, ...test.server.superuser }, work)
}
const extra = (version: number, sql: string): Migration => ({
  version,
  name: `${version}-extra.sql`,
  sql,
  checksum: sql,
})

describe('migrating', () => {
  const own = readMigrations(MIGRATIONS)

  it('applies what is missing once, in order, as the owner', async () => {
    await asAdmin(async (client) => {
      const more = [...own, extra(9000, 'create table one (id int)'), extra(9001, 'alter table one add column two int')]
      expect(await migrate(client, more)).toEqual(['9000-extra.sql', '9001-extra.sql'])
      expect(await migrate(client, more)).toEqual([])
      const { rows } = await client.query("select tableowner from pg_tables where tablename = 'one'")
      expect(rows).toEqual([{ tableowner: 'andon_owner' }])
    })
  })

  it('leaves nothing of a file that fails', async () => {
    await asAdmin(async (client) => {
      const broken = [...own, extra(9000, 'create table half (id int); select nonsense')]
      await expect(migrate(client, broken)).rejects.toThrow(/9000-extra.sql failed/)
      expect((await client.query("select 1 from pg_tables where tablename = 'half'")).rowCount).toBe(0)
      expect(await migrate(client, own)).toEqual([])
    })
  })

  it('refuses a database of a newer version and a file that changed after it was applied', async () => {
    await asAdmin(async (client) => {
      await expect(migrate(client, own.slice(0, -1))).rejects.toThrow(/newer version of Andon/)
      const changed = own.map((m, i) => (i === 0 ? { ...m, checksum: 'other' } : m))
      await expect(migrate(client, changed)).rejects.toThrow(/another form/)
    })
  })
})
