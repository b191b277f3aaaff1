import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { newId } from '../id.ts'
import { asJson, asWholeSystem, enterOrg } from './database.ts'

let test: TestDatabase
let org: string
let other: string

beforeAll(async () => {
  test = await startTestDatabase()
  org = await test.newOrg('One')
  other = await test.newOrg('Two')
})
afterAll(() => test.close())

const record = (id: string, orgId: string) => ({
  id,
  org_id: orgId,
  type: 'thing',
  number: null,
  title: asJson({ en: 'A', 'zh-CN': 'A' }),
  state: 'open',
  owner_id: null,
  department_id: null,
  region: null,
  cause_id: null,
  data: asJson({}),
  created_at: new Date(),
  updated_at: new Date(),
})

describe('row-level security', () => {
  it('is forced on every table that has an organisation, with a policy for requests and one for the system', async () => {
    const { rows } = await sql<{ name: string; forced: boolean; policies: string[] }>`
      select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
             array(select policyname::text from pg_policies p where p.tablename = c.relname order by 1) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') and exists (
        select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)`.execute(
      test.db.system,
    )
    expect(rows.length).toBeGreaterThan(10)
    for (const row of rows) {
      expect(row).toMatchObject({ forced: true, policies: ['one_organisation', 'whole_system'] })
    }
  })

  it('shows a request no row of any table while no organisation is set', async () => {
    await test.db.asSystem((tx) => tx.insertInto('records').values(record(newId(), org)).execute())
    const { rows: tables } = await sql<{ name: string }>`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and has_table_privilege('andon_app', c.oid, 'select')`.execute(test.db.system)
    expect(tables.length).toBeGreaterThan(8)
    for (const { name } of tables) {
      const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(test.db.app)
      expect([name, rows.length]).toEqual([name, 0])
    }
  })

  it('keeps a request inside its organisation, for reading and for writing', async () => {
    const id = newId()
    await test.db.inOrg(org, (tx) => tx.insertInto('records').values(record(id, org)).execute())
    const seen = await test.db.inOrg(other, (tx) =>
      tx.selectFrom('records').select('id').where('id', '=', id).execute(),
    )
    expect(seen).toEqual([])
    const theft = test.db.inOrg(other, (tx) => tx.insertInto('records').values(record(newId(), org)).execute())
    await expect(theft).rejects.toThrow(/row-level security/)
  })

  it('narrows a system transaction to one organisation and widens it again', async () => {
    await test.db.asSystem(async (tx) => {
      const count = async () => (await tx.selectFrom('organisations').select('id').execute()).length
      expect(await count()).toBe(2)
      await enterOrg(tx, org)
      expect(await count()).toBe(1)
      await asWholeSystem(tx)
      expect(await count()).toBe(2)
    })
  })

  it('gives the roles no way around it', async () => {
    const { rows } = await sql<{ rolname: string; rolsuper: boolean; rolbypassrls: boolean }>`
      select rolname, rolsuper, rolbypassrls from pg_roles where rolname like 'andon%' order by 1`.execute(test.db.app)
    expect(rows).toEqual(
      ['andon_app', 'andon_owner', 'andon_system'].map((rolname) => ({
        rolname,
        rolsuper: false,
        rolbypassrls: false,
      })),
    )
  })
})

describe('the audit table', () => {
  it('takes rows and never gives one up or changes it', async () => {
    for (const statement of ['update audit set command = $$x$$', 'delete from audit', 'truncate audit']) {
      await expect(sql.raw(statement).execute(test.db.system)).rejects.toThrow(/permission denied|append-only/)
    }
  })
})

describe('a fresh database', () => {
  it('is migrated, empty and apart from the first', async () => {
    const { db } = await test.fresh()
    expect(await db.system.selectFrom('organisations').select('id').execute()).toEqual([])
  })
})

describe('listening', () => {
  it('hears a notification and goes on hearing after its connection was cut', async () => {
    const heard: string[] = []
    let wake = () => {}
    await test.db.listen('andon_test', (payload) => {
      heard.push(payload)
      wake()
    })
    const hears = (payload: string) =>
      new Promise<void>((resolve) => {
        wake = () => heard.includes(payload) && resolve()
        wake()
      })
    const notify = (payload: string) => sql`select pg_notify('andon_test', ${payload})`.execute(test.db.system)
    await notify('one')
    await hears('one')
    heard.length = 0
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'`.execute(test.db.system)
    await hears('')
    await notify('two')
    await hears('two')
  })
})
