import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkReply } from '#cloud/platform/http/validation.ts'
import { HistoryAnswer, type HistoryExport, type LastValues, type RawHistory } from '#shared/contracts/history.ts'
import type { Problem } from '#shared/contracts/http.ts'
import { startTestSuite, type TestSuite } from '#tests/support/suite.ts'
import { answerHistory } from './questions.ts'

const DEVICE = 'module-factory/line-1/compressor-1'
const TEMPERATURE = `${DEVICE}/motor-temperature`
const OIL = `${DEVICE}/oil-temperature`
const MINUTE = 60_000

let test: TestSuite
let startAt: number
beforeAll(async () => {
  test = await startTestSuite()
  await test.connectLine()
  startAt = test.clock.now()
  for (let i = 1; i <= 4; i++) {
    await test.advance(MINUTE)
    await test.reads({ 'motor-temperature': 85 + i, 'oil-temperature': 80 })
  }
  // Values are shown before they are committed.
  await test.eventually(async () => {
    const last = await test.pipeline.history.last([TEMPERATURE, OIL])
    return last.length === 2 && last.every(({ at }) => at === test.clock.now())
  })
})
afterAll(() => test.close())

const iso = (ms: number) => new Date(ms).toISOString()
const span = () => ({ from: iso(startAt), to: iso(startAt + 10 * MINUTE) })
const url = (path: string, query: Readonly<Record<string, string | readonly string[]>>) =>
  `${path}?${new URLSearchParams(Object.entries(query).flatMap(([key, v]) => [v].flat().map((one) => [key, String(one)])))}`

async function ask(query: Readonly<Record<string, string | readonly string[]>>): Promise<HistoryAnswer> {
  const answer = await test.get<HistoryAnswer>('operator', url('/api/history', { ...span(), ...query }))
  checkReply(HistoryAnswer, answer)
  return answer
}

describe('a question about history', () => {
  it('is answered in buckets of many tags, in the order asked, each once', async () => {
    const { method, series } = await ask({ tag: [OIL, TEMPERATURE, OIL], points: '1' })
    expect([method, ...series.map((one) => one.path)]).toEqual(['buckets', OIL, TEMPERATURE])
    expect(series[1]).toMatchObject({ unit: '°F', first: [85], min: [85], max: [89], last: [89], count: [5] })
  })

  it('is answered in aggregates of a width, those alone that were wanted', async () => {
    const answer = await ask({ tag: TEMPERATURE, aggregate: ['avg', 'sum', 'count', 'last'], every: '2m' })
    const starts = [0, 2, 4].map((minutes) => startAt + minutes * MINUTE)
    expect(answer).toMatchObject({ method: 'aggregate', gaps: [] })
    expect(answer.series).toEqual([
      {
        ...{ path: TEMPERATURE, unit: '°F', bucketMs: 2 * MINUTE, at: starts, quality: [192, 192, 192] },
        ...{ avg: [85.5, 87.5, 89], sum: [171, 175, 89], count: [2, 2, 1], last: [86, 88, 89] },
      },
    ])
  })

  it('is answered in chosen values only when that is asked for', async () => {
    const answer = await ask({ tag: TEMPERATURE, points: '3', method: 'lttb' })
    expect(answer.method).toBe('lttb')
    expect(answer.series).toMatchObject([{ from: 'values', at: { length: 3 }, value: [85, expect.any(Number), 89] }])
  })

  it('may stand in the body, with more tags than an address holds', async () => {
    const answer = await test.post<HistoryAnswer>('operator', '/api/history', { tag: [OIL], ...span(), every: '1h' })
    expect(answer).toMatchObject({ method: 'buckets', series: [{ path: OIL, bucketMs: 60 * MINUTE, max: [80] }] })
  })

  it('is answered with stored samples page by page', async () => {
    const page = (more: object) =>
      test.get<RawHistory>('operator', url('/api/history/raw', { tag: TEMPERATURE, ...span(), limit: '3', ...more }))
    const first = await page({})
    const second = await page({ cursor: first.nextCursor ?? '' })
    expect([...first.value, ...second.value]).toEqual([85, 86, 87, 88, 89])
    expect(second.nextCursor).toBeNull()
  })

  it('is answered with last values, also of an earlier time', async () => {
    const last = (more: object) =>
      test.get<LastValues>('operator', url('/api/history/last', { tag: [TEMPERATURE, OIL], ...more }))
    expect((await last({})).items).toEqual([
      { path: TEMPERATURE, at: iso(startAt + 4 * MINUTE), value: 89, quality: 192 },
      { path: OIL, at: iso(startAt + 4 * MINUTE), value: 80, quality: 192 },
    ])
    expect((await last({ before: iso(startAt + 2 * MINUTE) })).items).toMatchObject([{ value: 86 }, { value: 80 }])
  })
})

describe('a question for chosen values of many tags', () => {
  it('is refused as a whole when it takes too long', async () => {
    const asking = { org: test.plantOrg, pipeline: test.pipeline, place: '', limitMs: 0 } as const
    const question = { tag: [OIL, TEMPERATURE], ...span(), method: 'lttb' } as const
    await expect(answerHistory(asking, { ...question, tag: [...question.tag] })).rejects.toMatchObject({
      code: 'history.timeout',
    })
  })
})

describe('the retention of tags', () => {
  it('is told: for ever, unless the settings say otherwise', async () => {
    const none = { values: null, minutes: null, hours: null }
    expect(await test.get('operator', url('/api/history/retention', { tag: [OIL] }))).toEqual({
      items: [{ path: OIL, class: 'default', engine: null, keepMs: none, removedUntil: none }],
    })
    await test.call('operator', 'GET', url('/api/history/retention', { tag: 'a/b/c/d' }), { status: 404 })
  })
})

describe('a faulty question about history', () => {
  const base = { tag: TEMPERATURE, from: '2026-03-02T08:00:00Z', to: '2026-03-02T09:00:00Z' }
  const { from: _from, ...withoutFrom } = base
  const FAULTS = [
    ['/api/history', withoutFrom, '/query/from', 400],
    ['/api/history', { ...base, from: 'yesterday' }, '/query/from', 400],
    ['/api/history', { ...base, from: base.to }, '/query/from', 400],
    ['/api/history', { ...base, tag: `${DEVICE}/nothing` }, '/query/tag', 404],
    ['/api/history', { ...base, points: '0' }, '/query/points', 400],
    ['/api/history', { ...base, points: '20000' }, '/query/points', 400],
    ['/api/history', { ...base, pionts: '20' }, '/query/pionts', 400],
    ['/api/history', { ...base, aggregate: 'median' }, '/query/aggregate/0', 400],
    ['/api/history', { ...base, every: 'often' }, '/query/every', 400],
    ['/api/history', { ...base, every: '1ms' }, '/query/every', 400],
    ['/api/history', { ...base, every: '1m', points: '5' }, '/query/every', 400],
    ['/api/history', { ...base, method: 'spline' }, '/query/method', 400],
    ['/api/history', { ...base, method: 'lttb', points: '2' }, '/query/points', 400],
    ['/api/history', { ...base, method: 'lttb', every: '1m' }, '/query/method', 400],
    ['/api/history', { ...base, method: 'lttb', aggregate: 'avg' }, '/query/method', 400],
    ['/api/history/raw', { ...base, cursor: 'nonsense' }, '/query/cursor', 400],
    ['/api/history/raw', { ...base, limit: '0' }, '/query/limit', 400],
    ['/api/history/last', { tag: TEMPERATURE, before: 'noon' }, '/query/before', 400],
    ['/api/history/last', {}, '/query/tag', 400],
  ] as const

  it.each(FAULTS)('%s %j names %s', async (path, query, field, status) => {
    const problem = await test.call<Problem>('operator', 'GET', url(path, query), { status })
    expect(problem.errors?.map((fault) => fault.path)).toContain(field)
    expect(problem.code).toMatch(/^[a-z-]+\.[a-z-]+$/)
  })

  it('names the field of a body too', async () => {
    const body = { tag: [TEMPERATURE], from: base.to, to: base.from }
    expect(await test.post<Problem>('operator', '/api/history', body, 400)).toMatchObject({
      errors: [{ path: '/from' }],
    })
    const wanted = { tags: [TEMPERATURE, `${DEVICE}/nothing`], from: base.from, to: base.to, format: 'csv' }
    const unknown = await test.post<Problem>('operator', '/api/history/exports', wanted, 404)
    expect(unknown).toMatchObject({ code: 'tag.unknown', errors: [{ path: '/tags' }] })
    const odd = { ...wanted, tags: [TEMPERATURE], format: 'xlsx' }
    expect(await test.post<Problem>('operator', '/api/history/exports', odd, 400)).toMatchObject({
      errors: [{ path: '/format' }],
    })
  })
})

describe('an export', () => {
  it('is made once while it is fetched, tells how far it was, and stands in the audit', async () => {
    const wanted = { tags: [TEMPERATURE], ...span(), format: 'csv' }
    const made = await test.post<HistoryExport>('operator', '/api/history/exports', wanted, 201)
    expect(made).toMatchObject({ state: 'waiting', rows: 0, estimatedRows: null })
    const one = `/api/history/exports/${made.id}`
    expect((await test.app.http.inject({ url: `${one}/file` })).statusCode).toBe(401)
    await test.call('manager', 'GET', one, { status: 404 })
    const answer = await fetchFile(`${one}/file`)
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${made.fileName}"`)
    expect(answer.body.split('\r\n')).toHaveLength(1 + 5 + 1)
    expect(await test.get('operator', one)).toMatchObject({ state: 'done', rows: 5, estimatedRows: 5, cause: null })
    expect(await test.call('operator', 'GET', `${one}/file`, { status: 409 })).toMatchObject({ code: 'export.fetched' })
    const { items } = await test.get<{ items: HistoryExport[] }>('operator', '/api/history/exports')
    expect(items.map((item) => item.id)).toEqual([made.id])
    const audit = await test.database.db.system.selectFrom('audit').selectAll().execute()
    expect(audit.map((row) => row.command)).toContain('history.export')
  })

  it('that was cancelled is not made', async () => {
    const wanted = { tags: [TEMPERATURE], ...span(), format: 'parquet' }
    const made = await test.post<HistoryExport>('operator', '/api/history/exports', wanted, 201)
    const one = `/api/history/exports/${made.id}`
    expect(await test.call('operator', 'DELETE', one)).toMatchObject({ state: 'cancelled' })
    await test.call('operator', 'GET', `${one}/file`, { status: 409 })
  })
})

async function fetchFile(url: string) {
  const { headers } = await test.app.http.inject({
    ...{ method: 'POST', url: '/api/session' },
    payload: { username: 'operator', password: 'a long demo password' },
  })
  const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
  return test.app.http.inject({ url, headers: { cookie } })
}
