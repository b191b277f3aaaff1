import fc from 'fast-check'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate, readMigrations } from '#cloud/platform/database/migrate.ts'
import { openDatabase } from '#cloud/platform/database/pools.ts'
import { prepareRoles } from '#cloud/platform/database/roles.ts'
import { MIGRATIONS, withClient } from '#cloud/platform/database/start.ts'
import { alarmRule, INITIAL_STATE } from '#shared/alarms/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import { silentLog } from '#shared/log/log.ts'
import { newOrganisation, startTestDatabase, TEST_SECRET, type TestDatabase } from '#tests/support/postgres.ts'
import { AlarmPoint } from './alarm-point.ts'
import { PointCheckpoint } from './checkpoint.ts'
import { loadEdges } from './load.ts'
import { idBytes, packMemory, unpackMemory } from './memory.ts'
import type { DetectionTables, PointMemory } from './tables.ts'
import type { PointSlot } from './work.ts'

const name = (en: string) => ({ en, 'zh-CN': en })
const HIGH: AlarmDefinition = {
  alarm: 'temperature-high',
  name: name('Temperature high'),
  tag: 'temperature',
  priority: 'high',
  condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90 }] },
}

const time = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 })
/** JSON has no negative zero, and no alarm tells it from zero. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => (Object.is(v, -0) ? 0 : v))
const entries = fc.array(fc.tuple(time, number), { maxLength: 5 })
const memory: fc.Arbitrary<PointMemory> = fc.record({
  value: fc.oneof(number, fc.boolean(), fc.string({ unit: 'binary' }), fc.constant(null)),
  valueAt: fc.option(time),
  rate: fc.option(fc.record({ base: fc.option(number), entries })),
})

const slotOf = (alarm: string, valueAt: number): PointSlot =>
  new AlarmPoint({
    edge: { org: '', group: 'works', edge: 'line-1' },
    device: 'oven-1',
    profile: 'oven',
    rule: alarmRule(`works/line-1/oven-1/${alarm}`, 1, { ...HIGH, alarm }),
    state: { ...INITIAL_STATE, value: 20, valueAt },
    changedAt: 0,
    isRetired: false,
  })

describe('what points remember, as bytes', () => {
  it('comes back as it was, whatever the values', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.uuid(), memory), (points) => {
        const read = new Map<string, PointMemory>()
        const records = Object.entries(points).map(([id, one]) => ({ id: idBytes(id), memory: one }))
        unpackMemory(packMemory(records), read)
        const seen = Object.entries(points).filter(([, one]) => one.valueAt !== null)
        expect(Object.fromEntries(read)).toEqual(Object.fromEntries(seen))
      }),
    )
  })

  it('is refused when it ends within a point', () => {
    const bytes = packMemory([
      { id: idBytes(slotOf('a', 1).rule.pointId), memory: { value: 'x', valueAt: 1, rate: null } },
    ])
    expect(() => unpackMemory(bytes.subarray(0, bytes.length - 1), new Map())).toThrow(RangeError)
  })
})

describe('the checkpoint of an edge’s points', () => {
  const slots = Array.from({ length: 100 }, (_, i) => slotOf(`alarm-${i}`, 1))
  const idsIn = (bytes: Buffer | undefined) => {
    const read = new Map<string, PointMemory>()
    if (bytes) unpackMemory(bytes, read)
    return new Set(read.keys())
  }
  const move = (count: number, at: number) => {
    for (const slot of slots.slice(0, count)) slot.state = { ...slot.state, valueAt: at }
    return new Set(slots.slice(0, count).map(({ rule }) => rule.pointId))
  }

  it('writes all once, then what changed since, then a new base when that has grown', () => {
    const checkpoint = new PointCheckpoint()
    expect(idsIn(checkpoint.take(slots).base).size).toBe(100)
    const ten = move(10, 2)
    expect(checkpoint.take(slots)).toMatchObject({ base: undefined })
    expect(idsIn(checkpoint.take(slots).changes)).toEqual(ten)
    const twenty = move(20, 3)
    expect(idsIn(checkpoint.take(slots).changes)).toEqual(twenty)
    move(30, 4)
    const again = checkpoint.take(slots)
    expect(idsIn(again.base).size).toBe(100)
    expect(again.changes.length).toBe(0)
    expect(checkpoint.take(slots)).toMatchObject({ base: undefined, changes: Buffer.alloc(0) })
  })
})

describe('a checkpoint of before 0007', () => {
  let postgres: TestDatabase
  beforeAll(async () => {
    postgres = await startTestDatabase()
  })
  afterAll(() => postgres.close())

  it('is read as it was after the migration', async () => {
    const admin = { ...postgres.address, ...postgres.server.superuser }
    await withClient({ ...admin, database: 'postgres' }, (client) => client.query('create database andon_before'))
    const address = { ...postgres.address, database: 'andon_before' }
    const db = openDatabase({ address, secret: TEST_SECRET, log: silentLog, size: 2 })
    const points = [slotOf('number', 0), slotOf('text', 0), slotOf('rising', 0), slotOf('unseen', 0)].map(
      ({ rule }) => rule.pointId,
    )
    const remembered = [
      { value: 80.5, valueAt: 1_780_000_000_123, rate: null },
      { value: '异常 "x"', valueAt: 1_780_000_000_124.5, rate: null },
      { value: 5, valueAt: 1_780_000_000_125, rate: { base: null, entries: [[1, 2.5]] } },
      { value: null, valueAt: null, rate: null },
    ]
    const machines = { 'oven-1': { valueAt: 5, told: 'running' } }
    const before = {
      eventAt: 1_780_000_000_200,
      points: Object.fromEntries(points.map((id, i) => [id, remembered[i]])),
      machines,
    }
    try {
      await withClient({ ...admin, database: 'andon_before' }, async (client) => {
        await prepareRoles(client, TEST_SECRET)
        const migrations = readMigrations(MIGRATIONS)
        const older = migrations.filter(({ version }) => version < 7)
        await migrate(client, older)
        const org = await newOrganisation(db, 'Works')
        await client.query(
          `insert into detection_checkpoints (group_key, edge, org_id, memory) values ('works', 'line-1', $1, $2)`,
          [org, before],
        )
        await migrate(client, migrations)
      })
      const [edge] = await loadEdges(db.system as unknown as Kysely<DetectionTables>, 0)
      expect(edge?.memory).toEqual({
        ...{ revision: 0, eventAt: before.eventAt, machines },
        points: new Map(points.slice(0, 3).map((id, i) => [id, remembered[i] as PointMemory])),
      })
    } finally {
      await db.close()
    }
  })
})
