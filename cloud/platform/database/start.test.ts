import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { newOrganisation, startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { joinDatabase, startDatabase, withClient } from './start.ts'

const options = { secret: 'start-test', log: silentLog }
let dataDir: string
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'andon-start-'))
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

describe('the product’s database', () => {
  it('is made at the first start, and joined by a command while the service runs', async () => {
    const service = await startDatabase({ ...options, dataDir })
    const id = await newOrganisation(service.db, 'Works')
    const command = await joinDatabase({ ...options, dataDir })
    expect(await command.db.system.selectFrom('organisations').select('id').execute()).toEqual([{ id }])
    await command.close()
    expect(await service.db.system.selectFrom('organisations').select('id').execute()).toEqual([{ id }])
    await service.close()
    const alone = await joinDatabase({ ...options, dataDir })
    expect(await alone.db.system.selectFrom('organisations').select('id').execute()).toEqual([{ id }])
    await alone.close()
  }, 60_000)
})

describe('an operator’s own database', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await startTestDatabase()
    const admin = { host: test.server.host, port: test.server.port, ...test.server.superuser, database: 'postgres' }
    await withClient(admin, async (client) => {
      for (const role of ['app', 'system', 'owner'])
        await client.query(`alter role andon_${role} rename to other_${role}`)
      await client.query("create role installer login createrole password 'it''s @ secret'")
      await client.query('create database works owner installer')
    })
  })
  afterAll(() => test.close())

  it('is prepared by a user who may create roles and owns it, without being a superuser', async () => {
    const password = encodeURIComponent("it's @ secret")
    const url = `postgresql://installer:${password}@localhost:${test.server.port}/works?host=${test.server.host}`
    for (let start = 0; start < 2; start++) {
      const database = await startDatabase({ ...options, dataDir, url })
      await database.db.system.selectFrom('organisations').select('id').execute()
      expect(await database.db.app.selectFrom('organisations').select('id').execute()).toEqual([])
      await database.close()
    }
  })

  it('that cannot be reached is told as such', async () => {
    const url = 'postgresql://installer:x@127.0.0.1:1/works'
    await expect(startDatabase({ ...options, dataDir, url })).rejects.toThrow(/cannot be reached.*ECONNREFUSED/)
  })
})
