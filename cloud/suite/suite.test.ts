import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Alarm, AlarmActionResult, AlarmDetail } from '#shared/contracts/alarm.ts'
import type { Asset } from '#shared/contracts/asset.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { InboxItem } from '#shared/contracts/inbox.ts'
import type { ActionOffer, Incident, IncidentSummary, TimelineEntry } from '#shared/contracts/incident.ts'
import type { Card, Channel, Message } from '#shared/contracts/message.ts'
import type { Person } from '#shared/contracts/person.ts'
import type { Retro, RetroSummary } from '#shared/contracts/retro.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { GROUP, RUNNING, STOPPED, startTestSuite, type TestSuite } from '#tests/support/suite.ts'

const MINUTE = 60_000

let test: TestSuite

beforeAll(async () => {
  test = await startTestSuite()
})
afterAll(() => test.close())

const { get, post, call, reads, eventually } = {
  get: <T>(who: string, url: string) => test.get<T>(who, url),
  post: <T>(who: string, url: string, body: object, status = 200) => test.post<T>(who, url, body, status),
  call: <T>(...args: Parameters<TestSuite['call']>) => test.call<T>(...args),
  reads: (values: Parameters<TestSuite['reads']>[0]) => test.reads(values),
  eventually: <T>(check: () => Promise<T | false | undefined>) => test.eventually(check),
}

describe('the people side of a plant, from a registered edge to an approved retro', () => {
  let incident: Incident
  let order: WorkOrder
  let people: Record<string, Person>

  it('knows the people of the organisation file by name, pinyin and initials', async () => {
    const { items } = await get<PageOf<Person>>('operator', '/api/people')
    expect(items).toHaveLength(30)
    people = Object.fromEntries(items.map((p) => [p.userName ?? p.id, p]))
    for (const q of ['张伟', 'zhangwei', 'zw', 'maintainer']) {
      const found = await get<PageOf<Person>>('operator', `/api/people?q=${encodeURIComponent(q)}`)
      expect(found.items.map((p) => p.name)).toContain('张伟')
    }
    expect(people.maintainer?.isOnDuty).toBe(true)
    expect(people.electrician?.isOnDuty).toBe(true)
  })

  it('registers an edge whose secret is shown once, by those who may', async () => {
    await post('operator', '/api/edges', { group: GROUP, edge: 'line-2' }, 403)
    await test.connectLine()
    const tags = await get<PageOf<Tag>>('operator', '/api/tags?limit=500')
    expect(tags.items).toHaveLength(3)
  })

  it('opens one incident with its room and pages the crew when the compressor fails', async () => {
    test.clock.advance(MINUTE)
    await reads({ 'motor-temperature': 50 })
    const items = await eventually(async () => {
      const page = await get<PageOf<IncidentSummary>>('operator', '/api/incidents')
      return page.items.length > 0 && page.items
    })
    expect(items).toHaveLength(1)
    incident = await get<Incident>('operator', `/api/incidents/${items[0]?.number}`)
    expect(incident).toMatchObject({ state: 'open', severity: 'S2' })
    expect(incident.alarms[0]).toMatchObject({ isFirstOut: true, occurrenceId: incident.causeId })
    // The mild alarm of the same instant stands beside the grave one.
    expect(incident.alarms.map((a) => a.name.en)).toEqual(['Motor temperature low-low', 'Motor temperature falling'])
    expect(incident.responders.map((r) => r.person.name).sort()).toEqual(['张伟', '王强'].sort())
    const room = await get<Channel>('operator', `/api/channels/${incident.channelId}`)
    expect(room.members.length).toBeGreaterThanOrEqual(3)
  })

  it('waits in the inbox of each called person, and a page sheet that answers nothing by being read', async () => {
    const { items } = await get<PageOf<InboxItem>>('maintainer', '/api/inbox')
    const item = items.find((i) => i.isUrgent)
    expect(item).toMatchObject({ kind: 'acknowledge', severity: 'S2', record: { id: incident.id, type: 'incident' } })
    const sheet = await get<object>('maintainer', `/api/pages/${item?.pageId}`)
    expect(sheet).toMatchObject({ incident: { id: incident.id }, seenAt: null, value: 50, setpoint: 55 })
    await post('maintainer', `/api/inbox/${item?.id}/completions`, {}, 409)
  })

  it('says the same on the alarm, in the room and on the card, each with what the viewer may do', async () => {
    const { items } = await get<PageOf<Alarm>>('operator', '/api/alarms?priority=high')
    const alarm = items.find((a) => a.alarm === 'motor-temperature-low')
    expect(alarm).toMatchObject({
      state: 'B',
      isFirstOut: true,
      incident: { id: incident.id },
      asset: { code: 'COMP-1' },
    })
    const { items: said } = await get<PageOf<Message>>('operator', `/api/channels/${incident.channelId}/messages`)
    expect(said.map((m) => m.seq)).toEqual(said.map((_, i) => i + 1))
    expect(said.find((m) => m.kind === 'card')?.recordId).toBe(incident.id)
    const card = await get<Card>('maintainer', `/api/records/${incident.id}/card`)
    expect(card.actions.find((a) => a.isPrimary)?.action).toBe('accept')
    const assets = await get<PageOf<Asset>>('manager', '/api/assets')
    const site = assets.items.find((a) => a.code === 'SMF')
    expect(site).toMatchObject({ worstPriority: 'high', openIncidentCount: 1 })
  })

  it('takes a further alarm of the same machine into the same incident, in first-out order', async () => {
    test.clock.advance(MINUTE)
    await reads({ state: STOPPED })
    incident = await eventually(async () => {
      const now = await get<Incident>('operator', `/api/incidents/${incident.id}`)
      return now.alarms.some((a) => a.name.en === 'Compressor tripped') && now
    })
    expect(incident.alarms.map((a) => [a.order, a.isFirstOut])).toContainEqual([1, true])
    expect(incident.alarms.find((a) => a.name.en === 'Compressor tripped')?.isFirstOut).toBe(false)
    expect(incident.restore.waitingFor).toBe('running:COMP-1')
    expect((await get<PageOf<IncidentSummary>>('operator', '/api/incidents?show=all')).items).toHaveLength(1)
  })

  it('acknowledges an alarm without answering the incident', async () => {
    const alarmId = incident.alarms.find((a) => a.isFirstOut)?.alarmId ?? ''
    const url = `/api/alarms/${alarmId}/acknowledgements`
    const result = await post<AlarmActionResult>('operator', url, { comment: 'seen on the board' })
    expect(result).toMatchObject({ status: 'applied', state: 'C', error: null })
    await post('manager', url, {}, 403)
    const again = await post<AlarmActionResult>('operator', url, {})
    expect(again).toMatchObject({ status: 'refused', error: 'alarm.not-unacknowledged' })
    const { log } = await get<AlarmDetail>('operator', `/api/alarms/${alarmId}`)
    expect(log[0]).toMatchObject({ transition: 'acknowledged', by: { name: '王芳' }, comment: 'seen on the board' })
    expect((await get<Incident>('operator', `/api/incidents/${incident.id}`)).state).toBe('open')
  })

  it('shelves an alarm for a while with a reason, and lifts it', async () => {
    const alarmId = incident.alarms.find((a) => a.isFirstOut)?.alarmId ?? ''
    const url = `/api/alarms/${alarmId}/shelvings`
    await post('operator', url, { minutes: 15 }, 400)
    const shelved = await post<AlarmActionResult>('operator', url, { minutes: 15, reason: 'crew works on it' })
    expect(shelved).toMatchObject({ status: 'applied', state: 'G' })
    expect((await get<PageOf<Alarm>>('operator', '/api/alarms?show=shelved')).items.map((a) => a.id)).toEqual([alarmId])
    expect(await call<AlarmActionResult>('operator', 'DELETE', url)).toMatchObject({ status: 'applied' })
  })

  it('calls the backup when nobody of a trade has accepted in time, and notes it in room and list', async () => {
    await test.advance(5 * MINUTE)
    await test.settled()
    incident = await get<Incident>('operator', `/api/incidents/${incident.id}`)
    expect(incident.responders.map((r) => r.person.name).sort()).toEqual(['孙浩', '张伟', '王强', '赵敏'].sort())
  })

  it("sets each person's own clock: seen, accept, arrive", async () => {
    const respond = (who: string, body: object, status = 200) =>
      post<Incident>(who, `/api/incidents/${incident.id}/responses`, body, status)
    await respond('maintainer', { response: 'arrive' }, 409)
    expect((await respond('electrician', { response: 'seen' })).state).toBe('acknowledged')
    incident = await respond('maintainer', { response: 'accept', etaMinutes: 5 })
    expect(incident.state).toBe('working')
    expect(incident.actions.find((a) => a.isPrimary)?.action).toBe('arrive')
    incident = await respond('maintainer', { response: 'arrive' })
    const own = incident.responders.find((r) => r.person.name === '张伟')
    for (const at of [own?.pagedAt, own?.seenAt, own?.acceptedAt, own?.arrivedAt]) expect(at).toBeTruthy()
    expect(own?.etaMinutes).toBe(5)
    expect(incident.clocks.find((c) => c.clock === 'acknowledge')?.by?.name).toBe('王强')
    const { items } = await get<PageOf<InboxItem>>('maintainer', '/api/inbox')
    expect(items.filter((i) => i.isUrgent)).toEqual([])
  })

  it('stops calling the trade that has accepted and goes on with the other', async () => {
    await test.advance(6 * MINUTE)
    await test.settled()
    const called = (await get<Incident>('operator', `/api/incidents/${incident.id}`)).responders
    const electrical = called.filter((r) => r.trade === 'electrical').map((r) => r.person.name)
    expect(electrical.length).toBeGreaterThan(2)
    expect(
      called
        .filter((r) => r.trade === 'mechanical')
        .map((r) => r.person.name)
        .sort(),
    ).toEqual(['孙浩', '张伟'])
  })

  it('talks in the room; sending again with the same key says it once', async () => {
    const body = { channelId: incident.channelId, text: '轴承过热，准备停机检修' }
    const headers = { 'idempotency-key': 'phone-1' }
    const first = await call<Message>('maintainer', 'POST', '/api/messages', { body, headers, status: 201 })
    const again = await call<Message>('maintainer', 'POST', '/api/messages', { body, headers, status: 201 })
    expect(again.id).toBe(first.id)
    const { items } = await get<PageOf<Message>>('lead', `/api/channels/${incident.channelId}/messages`)
    expect(items.filter((m) => m.kind === 'text')).toHaveLength(1)
  })

  it('dispatches a work order to who accepted, and refuses to be done without tasks and failure report', async () => {
    const { items } = await get<PageOf<WorkOrder>>('maintainer', '/api/work-orders?show=mine')
    expect(items).toHaveLength(1)
    order = items[0] as WorkOrder
    expect(order).toMatchObject({ state: 'arrived', kind: 'corrective', incident: { number: incident.number } })
    const url = `/api/work-orders/${order.number}/transitions`
    await post('electrician', url, { to: 'in_progress' }, 403)
    const running = await post<WorkOrder>('maintainer', url, { to: 'in_progress' })
    // A hold is a step aside: it does not become the next act because tasks are still open.
    const marked = (list: readonly ActionOffer[]) =>
      list.filter((offer) => offer.isPrimary).map((offer) => offer.action)
    expect(running.actions.map((offer) => offer.action)).toContain('on_hold')
    expect(marked(running.actions)).toEqual([])
    const failure = { mode: '电机过热', cause: '轴承磨损', remedy: '更换轴承' }
    await post('maintainer', url, { to: 'done', failure }, 409)
    for (const task of order.tasks) {
      const path = `/api/work-orders/${order.id}/tasks/${task.id}`
      await call('maintainer', 'PATCH', path, { body: { result: true } })
    }
    await post('maintainer', url, { to: 'done' }, 409)
    test.clock.advance(20 * MINUTE)
    order = await post<WorkOrder>('maintainer', url, { to: 'done', failure })
    expect(order).toMatchObject({ state: 'done', failure, labourSeconds: 1200 })
    // Finished work is judged by somebody else.
    expect(order.actions).toEqual([])
    for (const to of ['verified', 'rejected']) await post('maintainer', url, { to, reason: 'x' }, 403)
    expect(marked((await get<WorkOrder>('lead', `/api/work-orders/${order.number}`)).actions)).toEqual(['verified'])
  })

  it("is restored by the machine's own state tag, and drafts the retro at once", async () => {
    await reads({ 'motor-temperature': 85, state: RUNNING })
    incident = await eventually(async () => {
      const now = await get<Incident>('operator', `/api/incidents/${incident.id}`)
      return now.state === 'restored' && now.retroId !== null && now
    })
    expect(incident.restore).toEqual({ provenBy: 'state-tag', waitingFor: null })
    const { actions } = await get<Incident>('lead', `/api/incidents/${incident.id}`)
    expect(actions.find((offer) => offer.isPrimary)?.action).toBe('review')
    const retro = await get<Retro>('manager', `/api/retros/${incident.retroId}`)
    expect(retro.firstOut[0]?.occurrenceId).toBe(incident.causeId)
    expect(retro.downtimeSeconds).toBeGreaterThan(1800)
    expect(retro.workOrders[0]?.failure?.cause).toBe('轴承磨损')
    expect(retro.draftSummary['zh-CN']).toContain('空压机 1')
    const types = retro.timeline.map((entry) => entry.type)
    for (const type of ['alarm.activated', 'incident.opened', 'page.sent', 'incident.accepted', 'message.posted']) {
      expect(types).toContain(type)
    }
    expect(types).toContain('work-order.done')
    const { items } = await get<{ items: TimelineEntry[] }>('lead', `/api/incidents/${incident.id}/timeline`)
    const times = items.map((entry) => Date.parse(entry.at))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('is closed when its retro is approved, which needs prose, a cause and an action', async () => {
    await post('manager', `/api/incidents/${incident.number}/transitions`, { to: 'review' })
    const { items } = await get<PageOf<RetroSummary>>('manager', '/api/retros')
    const url = `/api/retros/${items[0]?.number}`
    const draft = await get<Retro>('manager', url)
    await call('maintainer', 'PATCH', url, { body: { summary: 'x' }, status: 428 })
    await call('maintainer', 'PATCH', url, { body: { summary: 'x' }, headers: { 'if-match': '"99"' }, status: 412 })
    const body = {
      summary: '轴承磨损导致电机过热跳机。',
      whys: ['润滑周期过长'],
      actions: [{ text: '润滑周期改为 500 h', type: 'prevent', ownerId: people.maintainer?.id }],
    }
    const headers = { 'if-match': `"${draft.revision}"` }
    const edited = await call<Retro>('lead', 'PATCH', url, { body, headers })
    expect(edited.missing).toEqual([])
    await post('maintainer', `${url}/transitions`, { to: 'in_review' })
    const { items: waiting } = await get<PageOf<InboxItem>>('manager', '/api/inbox')
    expect(waiting.map((i) => i.kind)).toContain('approve')
    await post('maintainer', `${url}/transitions`, { to: 'approved' }, 403)
    // Sent back with a sentence, which its author reads until it is sent in again.
    const back = await post<Retro>('manager', `${url}/transitions`, { to: 'drafting', reason: '谁负责？' })
    expect(back.returned).toMatchObject({ by: { name: '刘洋' }, reason: '谁负责？' })
    const { items: mine } = await get<PageOf<InboxItem>>('maintainer', '/api/inbox')
    expect(mine.filter((i) => i.record.number === back.number).map((i) => i.kind)).toEqual(['fill'])
    expect((await post<Retro>('maintainer', `${url}/transitions`, { to: 'in_review' })).returned).toBeNull()
    // The lead wrote it: allowed by role, refused as its author, and told so beforehand.
    const refused = await post<{ code: string }>('lead', `${url}/transitions`, { to: 'approved' }, 403)
    expect(refused.code).toBe('retro.own-approval')
    const { offers } = await get<Retro>('lead', url)
    const own = { action: 'approved', isEnabled: false, isPrimary: false, reason: 'retro.own-approval' }
    expect(offers).toContainEqual(own)
    // The manager mends the wording in review; the second person still approves.
    const mended = {
      body: { summary: '轴承磨损，电机过热跳机。' },
      headers: { 'if-match': `"${(await get<Retro>('manager', url)).revision}"` },
    }
    await call('manager', 'PATCH', url, mended)
    const approved = await post<Retro>('manager', `${url}/transitions`, { to: 'approved' })
    expect(approved).toMatchObject({
      state: 'approved',
      summary: '轴承磨损，电机过热跳机。',
      approvedBy: { name: '刘洋' },
      approvedAt: new Date(test.clock.now()).toISOString(),
      offers: [],
    })
    const late = { body: { summary: 'x' }, headers: { 'if-match': `"${approved.revision}"` } }
    await call('manager', 'PATCH', url, { ...late, status: 409 })
    const closed = await eventually(async () => {
      const now = await get<Incident>('operator', `/api/incidents/${incident.id}`)
      return now.state === 'closed' && now
    })
    expect(closed.closedAt).toBeTruthy()
  })
})
