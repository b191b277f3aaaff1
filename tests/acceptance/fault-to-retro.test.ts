import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Alarm } from '#shared/contracts/alarm.ts'
import type { History } from '#shared/contracts/history.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { InboxItem } from '#shared/contracts/inbox.ts'
import type { Incident, IncidentSummary, TimelineEntry } from '#shared/contracts/incident.ts'
import type { Channel, Message } from '#shared/contracts/message.ts'
import type { Retro, RetroSummary } from '#shared/contracts/retro.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import type { Client } from '#tests/support/client.ts'
import { type Demo, startDemo } from '#tests/support/demo.ts'

describe('the compressor fails: from the first sample to the retro', () => {
  let demo: Demo
  let operator: Client
  let maintainer: Client
  let manager: Client
  let incident: Incident
  let order: WorkOrder

  const readIncident = () => operator.get<Incident>(`/api/incidents/${incident.id}`)
  const readOrder = () => maintainer.get<WorkOrder>(`/api/work-orders/${order.id}`)
  const walk = async (to: string, body: object = {}) => {
    const { status, body: answer } = await maintainer.post<WorkOrder>(`/api/work-orders/${order.id}/transitions`, {
      to,
      ...body,
    })
    expect(answer).toMatchObject({ state: to })
    expect(status).toBe(200)
  }

  beforeAll(async () => {
    demo = await startDemo({ speed: 4 })
    operator = await demo.signIn('operator')
    maintainer = await demo.signIn('maintainer')
    manager = await demo.signIn('manager')
  })

  afterAll(async () => {
    for (const client of [operator, maintainer, manager]) client?.close()
    expect(await demo?.stop()).toBe(0)
    demo?.remove()
  })

  it('shows at least 60 live tags over both protocols', async () => {
    const devices = await operator.until('60 good tags over both protocols', async () => {
      const page = await operator.get<PageOf<Tag>>('/api/tags?limit=500')
      const good = page.items.filter((tag) => tag.quality === 'good')
      const names = new Set(good.map((tag) => tag.device))
      return good.length >= 60 && names.has('reactor-1') && names
    })
    expect([...devices]).toEqual(expect.arrayContaining(['compressor-1', 'laminator-1', 'stringer-1', 'inverter-1']))
  })

  it('raises an alarm and opens one incident with a room, without anyone clicking', async () => {
    const summary = await operator.until(
      'an incident at the compressor',
      async () => {
        const { items } = await operator.get<PageOf<IncidentSummary>>('/api/incidents?show=open')
        return items.find((item) => item.asset.code.startsWith('COMP'))
      },
      150_000,
    )
    incident = await operator.get<Incident>(`/api/incidents/${summary.number}`)
    expect(incident.number).toMatch(/^INC-\d{4}-\d{6}$/)
    expect(incident.alarms[0]).toMatchObject({ isFirstOut: true, occurrenceId: incident.causeId })
    const room = await operator.get<Channel>(`/api/channels/${incident.channelId}`)
    expect(room.members.length).toBeGreaterThanOrEqual(2)
    const messages = await operator.get<PageOf<Message>>(`/api/channels/${incident.channelId}/messages`)
    expect(messages.items.some((m) => m.kind === 'card' && m.recordId === incident.id)).toBe(true)
  })

  it('pages the crew on duty: an urgent item waits in the inbox', async () => {
    const item = await maintainer.until('the page', async () => {
      const { items } = await maintainer.get<PageOf<InboxItem>>('/api/inbox?show=open')
      return items.find((i) => i.isUrgent && i.record.id === incident.id)
    })
    expect(item.pageId).not.toBeNull()
  })

  it('keeps acknowledging an alarm and accepting an incident apart', async () => {
    const first = incident.alarms[0]!
    const { status, body } = await operator.post<object>(`/api/alarms/${first.alarmId}/acknowledgements`, {
      comment: 'seen',
    })
    expect([200, 202]).toContain(status)
    expect(body).toMatchObject({ error: null })
    const alarm = await operator.until('the acknowledgement', async () => {
      const { items } = await operator.get<PageOf<Alarm>>('/api/alarms?show=all&limit=500')
      return items.find((a) => a.id === first.alarmId && !a.flags.includes('unacknowledged'))
    })
    expect(alarm.acknowledgedBy?.name).toBeTruthy()
    expect((await readIncident()).responders.every((r) => r.acceptedAt === null)).toBe(true)
  })

  it("sets the person's own clocks: seen with accept, then arrive", async () => {
    const answer = (response: string) =>
      maintainer.post<Incident>(`/api/incidents/${incident.id}/responses`, {
        response,
        etaMinutes: response === 'accept' ? 5 : undefined,
      })
    expect((await answer('accept')).status).toBe(200)
    expect((await answer('arrive')).status).toBe(200)
    const session = await maintainer.get<{ person: { id: string } }>('/api/session')
    incident = await readIncident()
    const mine = incident.responders.find((r) => r.person.id === session.person.id)
    expect(mine).toMatchObject({ etaMinutes: 5 })
    for (const at of [mine?.pagedAt, mine?.seenAt, mine?.acceptedAt, mine?.arrivedAt]) expect(at).toBeTruthy()
    expect(incident.state).toBe('working')
  })

  it('talks in the room', async () => {
    const { status } = await maintainer.post('/api/messages', {
      channelId: incident.channelId,
      text: '轴承过热，准备停机检修',
    })
    expect(status).toBe(201)
    const { items } = await operator.get<PageOf<Message>>(`/api/channels/${incident.channelId}/messages`)
    expect(items.at(-1)?.text).toBe('轴承过热，准备停机检修')
  })

  it('dispatches a work order that walks its states and refuses to be done without a failure report', async () => {
    order = await maintainer.until('the work order', async () => {
      const { items } = await maintainer.get<PageOf<WorkOrder>>(`/api/work-orders?incident=${incident.id}&show=all`)
      if (items[0]) return items[0]
      const made = await maintainer.post<WorkOrder>('/api/work-orders', {
        assetId: incident.asset.id,
        incidentId: incident.id,
        title: '压缩机电机检修',
      })
      return made.status === 201 && made.body
    })
    order = await readOrder()
    const path = ['accepted', 'arrived', 'in_progress']
    const from = path.indexOf(order.state)
    for (const to of path.slice(from + 1)) await walk(to)
    const refused = await maintainer.post<{ code: string }>(`/api/work-orders/${order.id}/transitions`, { to: 'done' })
    expect(refused.status).toBeGreaterThanOrEqual(400)
    for (const task of (await readOrder()).tasks) {
      const result = task.kind === 'number' ? (task.minimum ?? 1) : task.kind === 'text' ? 'ok' : true
      const { status } = await maintainer.patch(`/api/work-orders/${order.id}/tasks/${task.id}`, { result })
      expect(status).toBe(200)
    }
    await walk('done', { failure: { mode: '电机过热', cause: '轴承磨损', remedy: '更换轴承' } })
  })

  it("proves the restore by the machine's own state tag after the repair", async () => {
    incident = await operator.until(
      'the restore',
      async () => {
        const now = await readIncident()
        return now.restoredAt !== null && now
      },
      120_000,
    )
    expect(incident.restore.provenBy).toBe('state-tag')
  })

  it('drafts the retro with timeline, trend, clocks and first-out order', async () => {
    const close = async (to: string) =>
      manager.post(`/api/incidents/${incident.id}/transitions`, { to, reason: 'machine runs again' })
    await close('review')
    const summary = await manager.until('the retro', async () => {
      const { items } = await manager.get<PageOf<RetroSummary>>('/api/retros?show=all')
      return items.find((r) => r.incident.id === incident.id)
    })
    const retro = await manager.get<Retro>(`/api/retros/${summary.number}`)
    expect(retro.firstOut[0]?.occurrenceId).toBe(incident.causeId)
    expect(retro.timeline.length).toBeGreaterThanOrEqual(8)
    expect(retro.clocks.find((c) => c.clock === 'restore')?.at).toBeTruthy()
    expect(retro.workOrders[0]?.failure?.cause).toBe('轴承磨损')
    const { tags, from, to } = retro.trend
    const query = new URLSearchParams([
      ...tags.map((t) => ['tag', t] as [string, string]),
      ['from', from],
      ['to', to],
      ['points', '500'],
    ])
    const history = await manager.get<History>(`/api/history?${query}`)
    const first = retro.firstOut[0]
    const breach = history.series.find((s) => s.path === first?.tagPath)
    expect(Math.min(...(breach?.min ?? []).map(Number))).toBeLessThanOrEqual(Number(first?.value))
    expect(Math.max(...(breach?.max ?? []).map(Number))).toBeGreaterThanOrEqual(Number(first?.value))
  })

  it('tells one story in the timeline, every fact with its time', async () => {
    const { items } = await operator.get<{ items: TimelineEntry[] }>(`/api/incidents/${incident.id}/timeline`)
    const types = items.map((entry) => entry.type)
    expect(types).toEqual(
      expect.arrayContaining(['incident.opened', 'incident.accepted', 'incident.arrived', 'incident.restored']),
    )
    expect(items.map((e) => Date.parse(e.at))).toEqual(items.map((e) => Date.parse(e.at)).toSorted((a, b) => a - b))
  })

  it('serves every route that was used, described and behind sign-in', async () => {
    const openapi = await operator.get<{ paths: Record<string, unknown> }>('/openapi.json')
    const nouns = [
      'tags',
      'history',
      'alarms',
      'incidents',
      'channels',
      'messages',
      'work-orders',
      'retros',
      'inbox',
      'assets',
      'edges',
    ]
    for (const noun of nouns) expect(Object.keys(openapi.paths)).toContain(`/api/${noun}`)
    for (const noun of nouns.filter((n) => n !== 'messages')) {
      expect((await fetch(`${demo.url}/api/${noun}`)).status).toBe(401)
    }
  })
})
