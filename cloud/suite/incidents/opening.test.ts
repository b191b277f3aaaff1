import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { newId } from '#cloud/platform/id.ts'
import type { Jobs } from '#cloud/platform/jobs/jobs.ts'
import type { Alarm } from '#shared/contracts/alarm.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Incident, IncidentSummary } from '#shared/contracts/incident.ts'
import { GROUP, RUNNING, STOPPED, startTestSuite, type TestSuite } from '#tests/support/suite.ts'
import { createAssets } from '../assets/index.ts'
import { createDirectory } from '../directory/index.ts'
import { createNotifications } from '../notifications/index.ts'
import { createOnCall } from '../on-call/index.ts'
import { incidentCommands } from './commands.ts'

const MINUTE = 60_000
const POINT = newId()
const name = (en: string) => ({ en, 'zh-CN': en })
const DEFINITION: AlarmDefinition = {
  alarm: 'seal-leak',
  name: name('Seal leak'),
  tag: 'state',
  priority: 'high',
  condition: { kind: 'discrete', abnormal: [9] },
  incident: 'S2',
  trades: ['mechanical'],
}

let test: TestSuite
beforeAll(async () => {
  test = await startTestSuite()
})
afterAll(() => test.close())

/** An alarm of a device as detection tells it. */
function sounding(device: string, more: Partial<AlarmEvent> = {}): AlarmEvent {
  const at = test.clock.now()
  return {
    id: newId(),
    occurrenceId: newId(),
    pointId: newId(),
    group: GROUP,
    edge: 'line-1',
    device,
    tag: 'state',
    alarm: 'seal-leak',
    transition: 'activated',
    eventAt: at,
    recordedAt: at,
    state: 'B',
    condition: 'active',
    priority: 'high',
    isAnnunciated: true,
    isRaised: true,
    count: 1,
    isLate: false,
    ...more,
  }
}

function commandsWith(jobs: Jobs) {
  const deps = { ...test.app, jobs, pipeline: test.pipeline }
  const directory = createDirectory(deps, async () => new Set())
  const onCall = createOnCall(deps, directory)
  const assets = createAssets(deps, directory, async () => new Map())
  const notifications = createNotifications(deps, directory, onCall)
  const links = { workOrderNumbers: async () => new Map(), workOrderIds: async () => [], retroId: async () => null }
  return incidentCommands({ ...deps, directory, onCall, assets, notifications, links })
}

const hear = (event: AlarmEvent, jobs: Jobs = test.app.jobs, definition = DEFINITION) =>
  test.app.door.execute(commandsWith(jobs).sounding, systemActor(test.plantOrg), { event, definition })

const incidents = (show = 'all') =>
  test.get<PageOf<IncidentSummary>>('operator', `/api/incidents?show=${show}`).then((page) => page.items)
const at = (code: string) => incidents().then((all) => all.filter((i) => i.asset.code === code))
const read = (id: string) => test.get<Incident>('operator', `/api/incidents/${id}`)

async function rowCounts(): Promise<Record<string, number>> {
  const tables = [
    'records',
    'channels',
    'messages',
    'pages',
    'escalations',
    'inbox_items',
    'activity',
    'audit',
  ] as const
  const db = test.database.db.system.withTables<Record<string, { id: string }>>()
  const counts = tables.map(async (table) => [
    table,
    (
      await db
        .selectFrom(table)
        .select('org_id' as 'id')
        .execute()
    ).length,
  ])
  return Object.fromEntries(await Promise.all(counts))
}

describe('opening an incident', () => {
  it('happens once when eight alarms of one machine arrive at the same moment', async () => {
    const events = Array.from({ length: 8 }, () => sounding('laminator-1'))
    await Promise.all(events.map((event) => hear(event)))
    const [incident, ...others] = await at('LAM-1')
    expect(others).toEqual([])
    expect((await read(incident?.id ?? '')).alarms).toHaveLength(8)
  })

  it('happens once when the same alarm is told again and again', async () => {
    const event = sounding('laminator-2')
    await Promise.all([hear(event), hear(event), hear(event)])
    await hear({ ...event, id: newId(), transition: 're-alarmed', count: 2 })
    const [incident, ...others] = await at('LAM-2')
    expect(others).toEqual([])
    expect((await read(incident?.id ?? '')).alarms).toHaveLength(1)
  })

  it('leaves nothing half done when it fails at its last step', async () => {
    const before = await rowCounts()
    const broken: Jobs = { ...test.app.jobs, at: () => Promise.reject(new Error('the job table is gone')) }
    const event = sounding('stringer-1')
    await expect(hear(event, broken)).rejects.toThrow('the job table is gone')
    expect(await rowCounts()).toEqual(before)
    await hear(event)
    expect(await at('STR-1')).toHaveLength(1)
  })

  it('keeps two machines of a line apart', async () => {
    await hear(sounding('stringer-2'))
    expect((await at('STR-2'))[0]?.id).not.toBe((await at('STR-1'))[0]?.id)
  })

  it('needs a severity: an alarm for the operator alone calls nobody', async () => {
    const { incident: _, ...quiet } = DEFINITION
    await hear(sounding('meter-1'), test.app.jobs, quiet)
    expect(await at('MTR-1')).toEqual([])
  })

  it('gives a device that nobody has placed an asset of its own', async () => {
    await hear(sounding('robot-7'))
    const [incident] = await at('ROBOT-7')
    expect(incident?.assetPath.map((a) => a.code)).toEqual(['UNASSIGNED'])
  })

  it('does not wake anybody for what was found too late', async () => {
    const eventAt = test.clock.now() - 16 * MINUTE
    await hear(sounding('inverter-1', { isLate: true, eventAt }))
    await hear(sounding('inverter-1', { isLate: true, condition: 'normal' }))
    expect(await at('INV-1')).toEqual([])
    await hear(sounding('inverter-1', { isLate: true, eventAt: test.clock.now() - 14 * MINUTE }))
    expect(await at('INV-1')).toHaveLength(1)
  })

  it('calls the fallback role when nobody is on duty, never nobody', async () => {
    const db = test.database.db.system.withTables<{ schedule_rotations: { person_ids: string[] } }>()
    const before = await db.selectFrom('schedule_rotations').selectAll().execute()
    expect(before.length).toBeGreaterThan(0)
    await db.updateTable('schedule_rotations').set({ person_ids: [] }).execute()
    await hear(sounding('reactor-1'))
    const { responders } = await read((await at('REACTOR-1'))[0]?.id ?? '')
    expect(responders.map((r) => r.person.name)).toContain('赵磊')
    expect(responders.length).toBeGreaterThan(3)
  })
})

describe('an incident after its restore', () => {
  let id: string

  it('is not restored by a machine that never stood', async () => {
    await test.connectLine()
    test.clock.advance(MINUTE)
    await hear(sounding('compressor-1', { pointId: POINT }))
    id = (await at('COMP-1'))[0]?.id ?? ''
    test.clock.advance(MINUTE)
    await test.reads({ state: RUNNING })
    expect(await read(id)).toMatchObject({ state: 'open', restore: { provenBy: null, waitingFor: 'hand' } })
  })

  it('is restored by hand only with a reason, and marked so', async () => {
    const url = `/api/incidents/${id}/transitions`
    await test.post('operator', url, { to: 'restored' }, 409)
    await test.post('admin', url, { to: 'restored', reason: 'looked at it' }, 403)
    const restored = await test.post<Incident>('operator', url, { to: 'restored', reason: 'seal looked at, it is dry' })
    expect(restored).toMatchObject({ state: 'restored', restore: { provenBy: 'hand', waitingFor: null } })
    expect(restored.clocks.at(-1)).toMatchObject({ clock: 'restore', by: { name: '王芳' } })
  })

  it('opens again when the same alarm comes back within a day, and calls the crew anew', async () => {
    test.clock.advance(60 * MINUTE)
    await hear(sounding('compressor-1', { pointId: POINT }))
    const again = await read(id)
    expect(again).toMatchObject({ state: 'open', restoredAt: null })
    expect(await at('COMP-1')).toHaveLength(1)
    const pages = await test.database.db.system
      .withTables<{ pages: { record_id: string; step: number } }>()
      .selectFrom('pages')
      .select('step')
      .where('record_id', '=', id)
      .execute()
    expect(new Set(pages.map((p) => p.step)).size).toBe(2)
  })

  it('opens a new one for another alarm', async () => {
    const url = `/api/incidents/${id}/transitions`
    await test.post('lead', url, { to: 'restored', reason: 'replaced the seal' })
    test.clock.advance(60 * MINUTE)
    await hear(sounding('compressor-1'))
    expect(await at('COMP-1')).toHaveLength(2)
  })

  it('knows that the machine stood already when the alarm came', async () => {
    await test.reads({ state: STOPPED })
    const open = await test.eventually(async () => {
      const [newest] = await at('COMP-1')
      const incident = newest && (await read(newest.id))
      return incident?.restore.waitingFor === 'running:COMP-1' && incident
    })
    test.clock.advance(MINUTE)
    await test.reads({ state: RUNNING })
    const restored = await test.eventually(async () => {
      const now = await read(open.id)
      return now.state === 'restored' && now
    })
    expect(restored.restore.provenBy).toBe('state-tag')
  })
})

describe('the cause of an incident', () => {
  it('is the mild alarm that stood before and called nobody', async () => {
    test.clock.advance(26 * 60 * MINUTE)
    const known = new Set((await incidents()).map((i) => i.id))
    await test.reads({ 'motor-temperature': 58 })
    await test.eventually(async () => {
      const { items } = await test.get<PageOf<Alarm>>('operator', '/api/alarms')
      return items.some((a) => a.alarm === 'motor-temperature-falling')
    })
    expect((await incidents()).every((i) => known.has(i.id))).toBe(true)
    test.clock.advance(5 * MINUTE)
    await test.reads({ 'motor-temperature': 50 })
    const opened = await test.eventually(async () => (await at('COMP-1')).find((i) => !known.has(i.id)))
    const { alarms, causeId, startedAt } = await read(opened.id)
    expect(alarms.map((a) => [a.name.en, a.isFirstOut])).toEqual([
      ['Motor temperature falling', true],
      ['Motor temperature low-low', false],
    ])
    expect(causeId).toBe(alarms[0]?.occurrenceId)
    expect(startedAt).toBe(alarms[1]?.activatedAt)
  })
})
