import type { AddressInfo } from 'node:net'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import type { ServerMessage } from '#shared/contracts/stream.ts'
import { startTestPlatform, type TestPerson, type TestPlatform } from '#tests/support/platform.ts'
import { systemActor } from './platform/door/actor.ts'
import { defineCommand } from './platform/door/command.ts'
import { BusyError } from './platform/errors.ts'
import { newId } from './platform/id.ts'
import type { Module, Platform } from './platform/module.ts'

const title = (text: string) => ({ en: text, 'zh-CN': text })

const openCase = defineCommand({
  name: 'case.open',
  input: Type.Object({ title: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  resource: () => ({ type: 'case' }),
  async run(context, input) {
    const record = await context.records.create({
      type: 'case',
      series: 'CASE',
      title: title(input.title),
      state: 'open',
    })
    await context.emit({ type: 'case.opened', topics: ['cases'], recordId: record.id, data: { title: input.title } })
    return record
  },
})

const closeCase = defineCommand({
  name: 'case.close',
  input: Type.Object({ id: Type.String({ format: 'uuid' }) }),
  async resource(context, { id }) {
    const row = await context.records.lock(id, 'case')
    return { type: 'case', id, ownerId: row.owner_id }
  },
  async run(context, { id }) {
    const { revision } = await context.records.update(id, { state: 'closed' }, context.ifRevision)
    await context.emit({ type: 'case.closed', topics: ['cases'], recordId: id, data: {} })
    return { id, revision }
  },
})

/** Puts an item into somebody's inbox for each opened case. */
let callee = ''
const Case = Type.Object({
  id: Type.String(),
  number: Type.Union([Type.String(), Type.Null()]),
  revision: Type.Integer(),
})

function caseModule({ door, db }: Platform): Module {
  return {
    name: 'cases',
    rules: [
      { name: 'operators-open-cases', roles: ['operator'], actions: ['case.*'], types: ['case'] },
      { name: 'engineers-view-cases', roles: ['engineer'], actions: ['case.view'] },
    ],
    handlers: [
      {
        name: 'cases.call',
        types: ['case.opened'],
        async handle(event, { door: inner, tx }) {
          expect((await tx.selectFrom('records').select('id').execute()).length).toBeGreaterThan(0)
          await inner.execute(callPerson, systemActor(event.org), { recordId: event.recordId ?? '' })
        },
      },
    ],
    routes(app) {
      app.post(
        '/api/cases',
        {
          config: { access: 'signed-in' },
          schema: { body: openCase.input, response: { 201: Case } },
        },
        async (request, reply) => {
          const made = await door.execute(openCase, request.actor, request.body, request.intent)
          return reply.code(201).header('etag', `"${made.revision}"`).send(made)
        },
      )
      app.post(
        '/api/cases/:id/closings',
        { config: { access: 'signed-in' }, schema: { params: Type.Object({ id: Type.String() }) } },
        (request) => door.execute(closeCase, request.actor, request.params, request.intent),
      )
      app.get('/api/cases/busy', { config: { access: 'signed-in' } }, () => {
        throw new BusyError('unavailable', 'case.busy', { message: 'Too many', retryAfterSeconds: 7 })
      })
      app.get(
        '/api/cases',
        {
          config: { access: { action: 'case.view', type: 'case' } },
          schema: {
            querystring: Type.Object({
              limit: Type.Integer({ minimum: 1, default: 10 }),
              state: Type.Optional(Type.Array(Type.String())),
            }),
          },
        },
        (request) =>
          db.inOrg(request.actor.org, async (tx) => ({
            items: await tx.selectFrom('records').select('number').limit(request.query.limit).execute(),
            asked: request.query.state ?? [],
          })),
      )
    },
  }
}

const callPerson = defineCommand({
  name: 'case.call',
  input: Type.Object({ recordId: Type.String() }),
  resource: () => ({ type: 'case' }),
  run: (context, { recordId }) =>
    context.inbox.add({ personId: callee, recordId, kind: 'task', title: title('Look'), href: '/cases' }),
})

let test: TestPlatform
let operator: TestPerson
let engineer: TestPerson
let url: string

beforeAll(async () => {
  test = await startTestPlatform({ modules: (platform) => [caseModule(platform)] })
  operator = await test.person(['operator'])
  engineer = await test.person(['engineer'])
  callee = engineer.id
  await test.app.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${(test.app.http.server.address() as AddressInfo).port}`
})
afterAll(() => test.close())

interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: object
  readonly headers?: Record<string, string>
}

async function call(
  person: TestPerson | undefined,
  path: string,
  { method = 'POST', body, headers = {} }: CallOptions = {},
) {
  const cookie = person ? { cookie: await person.cookie() } : {}
  const answer = await test.app.http.inject({
    method,
    url: path,
    headers: { ...cookie, ...headers },
    ...(body ? { payload: body } : {}),
  })
  return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? null : answer.json() }
}

describe('a request', () => {
  it('without credential is refused on every route but the public ones', async () => {
    const { paths } = test.app.http.swagger() as { paths: Record<string, Record<string, { security?: unknown[] }>> }
    const refused = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { security }]) =>
        security?.length === 0 ? [] : [{ path, method }],
      ),
    )
    expect(refused.length).toBeGreaterThan(3)
    for (const { path, method } of refused) {
      const answer = await test.app.http.inject({
        method: method.toUpperCase() as 'GET',
        url: path.replaceAll(/\{\w+\}/g, newId()),
      })
      expect([path, method, answer.statusCode]).toEqual([path, method, 401])
    }
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs']) {
      expect((await test.app.http.inject({ url: path })).statusCode).toBe(200)
    }
    const root = await test.app.http.inject({ url: '/ca' })
    expect([root.statusCode, root.json().code]).toEqual([404, 'ca.other-authority'])
  })

  it('that the policy does not allow is refused with the reason, and the refusal is audited', async () => {
    const answer = await call(engineer, '/api/cases', { body: { title: 'x' } })
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'policy.denied', detail: expect.stringContaining('case.open') },
    })
    const rows = await test.app.db.system.selectFrom('audit').selectAll().where('outcome', '=', 'refused').execute()
    expect(rows).toMatchObject([{ command: 'case.open', actor_id: engineer.id }])
    expect((await call(operator, '/api/cases', { method: 'GET' })).status).toBe(200)
  })

  it('that does not fit its schema is told every fault with its place', async () => {
    const body = await call(operator, '/api/cases', { body: { titel: 'x', more: 1 } })
    expect(body.status).toBe(400)
    const paths = body.body.errors.map((e: { path: string }) => e.path)
    expect(paths.sort()).toEqual(['/more', '/titel', '/title'])
    const query = await call(operator, '/api/cases?limit=none', { method: 'GET' })
    expect(query.body).toMatchObject({ status: 400, code: 'input.invalid', errors: [{ path: '/query/limit' }] })
  })

  it('gets defaults, numbers and lists out of its query', async () => {
    const answer = await call(operator, '/api/cases?state=open', { method: 'GET' })
    expect(answer.body.asked).toEqual(['open'])
  })

  it('from another site is refused, from the product’s own pages and without a page it is not', async () => {
    const post = (headers: Record<string, string>) => call(operator, '/api/cases', { body: { title: 'o' }, headers })
    const port = new URL(url).port
    expect((await post({ origin: 'https://evil.example' })).body.code).toBe('request.cross-site')
    expect((await post({ origin: 'http://localhost:1' })).status).toBe(403)
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      expect((await post({ origin: `http://${host}:${port}` })).status).toBe(201)
    }
    expect((await post({})).status).toBe(201)
  })

  it('for something unknown answers problem details, as a fault of our own does without telling its inside', async () => {
    const answer = await call(operator, '/api/nothing', { method: 'GET' })
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.body).toMatchObject({ status: 404, code: 'route.unknown' })
  })

  it('that is refused for now answers when to ask again', async () => {
    const answer = await call(operator, '/api/cases/busy', { method: 'GET' })
    expect(answer.body).toMatchObject({ status: 503, code: 'case.busy' })
    expect(answer.headers['retry-after']).toBe('7')
  })
})

describe('a command', () => {
  it('writes record, number, activity, event and audit together', async () => {
    const { status, headers, body } = await call(operator, '/api/cases', { body: { title: 'Leak' } })
    expect(status).toBe(201)
    expect(headers.etag).toBe('"1"')
    expect(body.number).toMatch(/^CASE-2026-\d{6}$/)
    const activity = await test.app.db.system
      .selectFrom('activity')
      .selectAll()
      .where('record_id', '=', body.id)
      .execute()
    expect(activity).toMatchObject([{ type: 'case.opened', actor_id: operator.id }])
    const audit = await test.app.db.system.selectFrom('audit').selectAll().where('record_id', '=', body.id).execute()
    expect(audit).toMatchObject([{ command: 'case.open', outcome: 'done', rule: 'operators-open-cases' }])
  })

  it('done twice under one key is done once', async () => {
    const headers = { 'idempotency-key': newId() }
    const [one, two] = await Promise.all(
      [1, 2].map(() => call(operator, '/api/cases', { body: { title: 'Same' }, headers })),
    )
    expect(two?.body).toEqual(one?.body)
    const other = await call(operator, '/api/cases', { body: { title: 'Other' }, headers })
    expect(other.body).toMatchObject({ status: 409, code: 'idempotency-key.reused' })
  })

  it('on a revision that is no longer the present one is refused', async () => {
    const { body } = await call(operator, '/api/cases', { body: { title: 'Stale' } })
    const close = (etag: string) => call(operator, `/api/cases/${body.id}/closings`, { headers: { 'if-match': etag } })
    expect((await close('"1"')).body).toMatchObject({ revision: 2 })
    expect((await close('"1"')).body).toMatchObject({ status: 412, code: 'record.stale' })
    expect((await close('nonsense')).status).toBe(400)
  })

  it('has its event handled exactly once, with what follows', async () => {
    const { body } = await call(operator, '/api/cases', { body: { title: 'Handled' } })
    await test.settled()
    const items = await test.app.db.system
      .selectFrom('inbox_items')
      .selectAll()
      .where('record_id', '=', body.id)
      .execute()
    expect(items).toMatchObject([{ person_id: engineer.id, kind: 'task', done_at: null }])
  })
})

describe('the session', () => {
  it('refuses a wrong password and an unknown name alike, and locks after too many', async () => {
    const person = await test.person(['operator'])
    const attempt = (username: string, password: string) =>
      call(undefined, '/api/session', { body: { username, password } }).then((a) => a.body.code)
    expect(await attempt('nobody-here', 'x')).toBe('session.wrong-credentials')
    for (let i = 0; i < 5; i++) expect(await attempt(person.userName, 'wrong')).toBe('session.wrong-credentials')
    expect(await attempt(person.userName, person.password)).toBe('session.locked')
    test.clock.advance(31_000)
    expect(await attempt(person.userName.toUpperCase(), person.password)).toBeUndefined()
  })

  it('tells who is signed in and ends at sign-out', async () => {
    const person = await test.person(['lead'], { name: 'Li Na' })
    const { body } = await call(person, '/api/session', { method: 'GET' })
    expect(body).toMatchObject({ person: { id: person.id, name: 'Li Na', roles: ['lead'] }, unreadInbox: 0 })
    expect((await call(person, '/api/session', { method: 'DELETE' })).status).toBe(204)
    expect((await call(person, '/api/session', { method: 'GET' })).status).toBe(401)
  })
})

describe('the stream', () => {
  interface Reader {
    readonly messages: ServerMessage[]
    readonly socket: WebSocket
    until(check: (messages: readonly ServerMessage[]) => boolean): Promise<void>
  }

  async function open(person: TestPerson): Promise<Reader> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/stream`, {
      headers: { cookie: await person.cookie() },
    })
    const messages: ServerMessage[] = []
    let wake = () => {}
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)))
      wake()
    })
    const until: Reader['until'] = (check) =>
      new Promise((resolve) => {
        wake = () => check(messages) && resolve()
        wake()
      })
    await until((m) => m.length > 0)
    return { messages, socket, until }
  }
  const events = (messages: readonly ServerMessage[]) => messages.filter((m) => m.type === 'event')

  it('is refused to nobody and to pages of other sites', async () => {
    const refused = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/api/stream`, { headers })
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))
        socket.on('error', () => {})
      })
    expect(await refused({})).toBe(401)
    expect(await refused({ cookie: await operator.cookie(), origin: 'https://evil.example' })).toBe(403)
  })

  it('tells events of its topics at once, one’s own inbox among them', async () => {
    const reader = await open(engineer)
    reader.socket.send(JSON.stringify({ type: 'subscribe', topics: ['cases', 'inbox:me', 'secret:1'] }))
    await reader.until((m) => m.some((x) => x.type === 'refused'))
    const started = performance.now()
    const { body } = await call(operator, '/api/cases', { body: { title: 'Live' } })
    await reader.until((m) => events(m).length >= 2)
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(events(reader.messages)).toMatchObject([
      { event: 'case.opened', topics: ['cases'], recordId: body.id },
      { event: 'inbox.added', topics: ['inbox:me'] },
    ])
    reader.socket.close()
  })

  it('resumes after the last number, with nothing lost or doubled', async () => {
    const first = await open(operator)
    first.socket.send(JSON.stringify({ type: 'subscribe', topics: ['cases'], after: 0 }))
    await call(operator, '/api/cases', { body: { title: 'Before the cut' } })
    await first.until((m) => events(m).some((e) => e.type === 'event' && e.data.title === 'Before the cut'))
    const seen = events(first.messages).map((e) => (e.type === 'event' ? e.seq : 0))
    expect(new Set(seen).size).toBe(seen.length)
    first.socket.terminate()
    for (const name of ['a', 'b', 'c']) await call(operator, '/api/cases', { body: { title: name } })
    const second = await open(operator)
    second.socket.send(JSON.stringify({ type: 'subscribe', topics: ['cases'], after: seen.at(-1) }))
    await second.until((m) => events(m).length >= 3)
    expect(events(second.messages).map((e) => e.type === 'event' && e.data.title)).toEqual(['a', 'b', 'c'])
    second.socket.send(JSON.stringify({ type: 'subscribe', topics: ['cases'], after: 999_999_999 }))
    await second.until((m) => m.some((x) => x.type === 'resync'))
    second.socket.close()
  })
})
