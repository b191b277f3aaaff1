import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Asset } from '#shared/contracts/asset.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Session } from '#shared/contracts/person.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { startTestSuite, type TestSuite } from '#tests/support/suite.ts'

let test: TestSuite
let outsider: string
let elsewhere: string
beforeAll(async () => {
  test = await startTestSuite()
  outsider = await (await test.person(['external'])).cookie()
  elsewhere = await (await test.person(['engineer'])).cookie()
  await test.connectLine()
})
afterAll(() => test.close())

const LISTS = [
  '/api/people',
  '/api/departments',
  '/api/assets',
  '/api/tags',
  '/api/edges',
  '/api/devices',
  '/api/alarms?show=all',
  '/api/alarm-definitions',
  '/api/incidents?show=all&mine=true',
  '/api/channels',
  '/api/inbox?show=done',
  '/api/work-orders?show=mine',
  '/api/retros?show=all',
  '/api/schedules',
]

describe('every list of the console', () => {
  it.each(LISTS)('%s answers a page to staff', async (url) => {
    const page = await test.get<PageOf<object>>('operator', url)
    expect(Array.isArray(page.items)).toBe(true)
    expect(page.nextCursor).toBeNull()
  })

  it.each(LISTS)('%s is closed to who is not signed in', async (url) => {
    expect((await test.app.http.inject({ url })).statusCode).toBe(401)
  })

  it.each(LISTS)('%s shows nothing to outsiders, and nothing of this plant to another one', async (url) => {
    const closed = await test.app.http.inject({ url, headers: { cookie: outsider } })
    // Everyone has a list of their own; an outsider's is empty.
    expect(closed.statusCode).toBe(url.startsWith('/api/inbox') ? 200 : 403)
    const answer = await test.app.http.inject({ url, headers: { cookie: elsewhere } })
    expect(answer.json()).toEqual({ items: [], nextCursor: null })
  })
})

describe('what one screen asks for', () => {
  it('is who is signed in, with department, roles and duty', async () => {
    const { person, organisation } = await test.get<Session>('maintainer', '/api/session')
    expect(person).toMatchObject({ name: '张伟', roles: ['technician'], trades: ['mechanical'], isOnDuty: true })
    expect(person.department?.name['zh-CN']).toBe('机修班')
    expect(organisation.name['zh-CN']).toBe('旭日组件工厂')
  })

  it('is a tag with its limits, words and newest value, found by either name', async () => {
    const { items } = await test.get<PageOf<Tag>>('operator', `/api/tags?q=${encodeURIComponent('电机温度')}`)
    expect(items.map((t) => t.tag)).toEqual(['motor-temperature'])
    expect(items[0]).toMatchObject({ value: 85, quality: 'good', unit: '°F', decimals: 2 })
    expect(items[0]?.limits.map((l) => l.setpoint)).toContain(55)
  })

  it('is an asset by its parent, with the states of its machine', async () => {
    const { items } = await test.get<PageOf<Asset>>('operator', '/api/assets')
    const compressor = items.find((a) => a.code === 'COMP-1')
    expect(compressor?.path.map((a) => a.code)).toEqual(['SUNRISE', 'SMF', 'UTIL', 'AIR'])
    const util = items.find((a) => a.code === 'UTIL')
    const tags = await test.get<PageOf<Tag>>('operator', `/api/tags?asset=${util?.id}`)
    expect(tags.items).toHaveLength(3)
    expect(
      (await test.get<PageOf<Tag>>('operator', `/api/tags?asset=${items.find((a) => a.code === 'L1')?.id}`)).items,
    ).toEqual([])
    const [from, to] = [test.clock.now() - 60_000, test.clock.now() + 60_000].map((ms) => new Date(ms).toISOString())
    const states = await test.get<{ items: object[] }>(
      'operator',
      `/api/assets/${compressor?.id}/states?from=${from}&to=${to}`,
    )
    expect(states.items).toMatchObject([{ state: 'running', to: null }])
  })

  it('is history of several tags; an unknown tag and an empty range are refused', async () => {
    const path = 'module-factory/line-1/compressor-1/motor-temperature'
    const [from, to] = [test.clock.now() - 60_000, test.clock.now() + 60_000].map((ms) => new Date(ms).toISOString())
    const query = new URLSearchParams({ tag: path, from: from ?? '', to: to ?? '', points: '100' })
    const history = await test.get<{ series: { path: string }[] }>('operator', `/api/history?${query}`)
    expect(history.series.map((s) => s.path)).toEqual([path])
    query.set('tag', 'module-factory/line-1/compressor-1/nothing')
    await test.call('operator', 'GET', `/api/history?${query}`, { status: 404 })
    query.set('from', to ?? '')
    await test.call('operator', 'GET', `/api/history?${query}`, { status: 400 })
  })

  it('pages by cursor and refuses one that it did not give', async () => {
    const first = await test.get<PageOf<Tag>>('operator', '/api/tags?limit=2')
    const second = await test.get<PageOf<Tag>>('operator', `/api/tags?limit=2&cursor=${first.nextCursor}`)
    expect([...first.items, ...second.items]).toHaveLength(3)
    expect(second.nextCursor).toBeNull()
    await test.call('operator', 'GET', '/api/incidents?cursor=nonsense', { status: 400 })
    await test.call('operator', 'GET', '/api/incidents/INC-2026-000009', { status: 404 })
  })

  it('is a thread on any record, opened when it is first needed', async () => {
    const { items } = await test.get<PageOf<Asset>>('operator', '/api/assets')
    const id = items.find((a) => a.code === 'LAM-1')?.id
    const first = await test.post<{ channelId: string }>('operator', `/api/records/${id}/thread`, {})
    const again = await test.post<{ channelId: string }>('lead', `/api/records/${id}/thread`, {})
    expect(again).toEqual(first)
    await test.post('operator', '/api/messages', { channelId: first.channelId, text: '密封圈下周到货' }, 201)
    const { items: channels } = await test.get<PageOf<{ id: string; unreadCount: number }>>('lead', '/api/channels')
    expect(channels).toMatchObject([{ id: first.channelId, unreadCount: 1 }])
    await test.post('lead', `/api/channels/${first.channelId}/reads`, { seq: 1 })
    expect((await test.get<PageOf<object>>('lead', '/api/channels')).items).toMatchObject([{ unreadCount: 0 }])
  })

  it('is a work order made by hand, with every fault of its body named', async () => {
    const { items } = await test.get<PageOf<Asset>>('operator', '/api/assets')
    const assetId = items.find((a) => a.code === 'LAM-1')?.id
    const fault = await test.post<{ code: string; errors: object[] }>(
      'lead',
      '/api/work-orders',
      { asset: assetId },
      400,
    )
    expect(fault.errors.length).toBeGreaterThan(1)
    const made = await test.post<{ state: string; number: string }>(
      'lead',
      '/api/work-orders',
      { assetId, title: '更换密封圈' },
      201,
    )
    expect(made).toMatchObject({ state: 'requested' })
    expect(made.number).toMatch(/^WO-\d{4}-\d{6}$/)
  })
})
