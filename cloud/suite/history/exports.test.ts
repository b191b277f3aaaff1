import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pipeline } from '#cloud/pipeline/index.ts'
import type { HistoryExport } from '#shared/contracts/history.ts'
import { startTestPlatform, type TestPlatform } from '#tests/support/platform.ts'
import { historyModule } from './index.ts'

const PAGES = 100_000
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 })

/** A history of two thousand million values, made as they are asked for. */
function vastHistory(org: string) {
  const asked = { pages: 0 }
  const rows = 20_000
  const history = {
    buckets: async () => [{ count: Uint32Array.of(PAGES * rows) }],
    gaps: async () => [],
    async raw() {
      asked.pages += 1
      return {
        at: new Float64Array(rows).fill(Date.UTC(2026, 0, 1)),
        value: Array.from({ length: rows }, (_, i) => i),
        quality: new Uint8Array(rows).fill(192),
        nextCursor: asked.pages < PAGES ? '1.1' : null,
      }
    },
  }
  const tag = async (path: string) => ({ org, path, unit: null, group: 'g', edge: 'e', device: 'd' })
  return { asked, pipeline: { history, tag } as unknown as Pipeline }
}

describe('an export of more than fits into memory', () => {
  let platform: TestPlatform
  let vast: ReturnType<typeof vastHistory>
  let port: number
  let cookie: string
  beforeAll(async () => {
    platform = await startTestPlatform({
      modules: (given, org) => {
        vast = vastHistory(org)
        const seeing = { name: 'engineers-see-tags', roles: ['engineer'], actions: ['tag.view'] }
        return [historyModule({ ...given, pipeline: vast.pipeline }), { name: 'seeing', rules: [seeing] }]
      },
    })
    port = await platform.app.listen({ host: '127.0.0.1', port: 0 })
    cookie = await (await platform.person(['engineer'])).cookie()
    cookie = cookie.replace(/andon-session-\d+/, `andon-session-${port}`)
  })
  afterAll(() => platform.close())

  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { cookie, ...(body ? { 'content-type': 'application/json' } : {}) }
    const url = `http://127.0.0.1:${port}${path}`
    const answer = await fetch(url, { method, headers, body: body ? JSON.stringify(body) : null })
    return (await answer.json()) as T
  }

  const create = () =>
    call<HistoryExport>('POST', '/api/history/exports', {
      ...{ tags: ['g/e/d/t'], format: 'csv' },
      ...{ from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' },
    })
  const told = (id: string) => call<HistoryExport>('GET', `/api/history/exports/${id}`)

  /** Begins to fetch and reads nothing. */
  async function fetchFile(id: string): Promise<IncomingMessage> {
    const path = `/api/history/exports/${id}/file`
    const asking = request({ host: '127.0.0.1', port, path, headers: { cookie } }).end()
    const [answer] = (await once(asking, 'response')) as [IncomingMessage]
    answer.on('error', () => undefined)
    return answer
  }

  it('goes no faster than it is read, and ends when the reader goes away', async () => {
    const { id } = await create()
    const answer = await fetchFile(id)
    let [before, quiet] = [-1, 0]
    await eventually(async () => {
      quiet = vast.asked.pages === before ? quiet + 1 : 0
      before = vast.asked.pages
      return quiet
    }).toBeGreaterThan(10)
    const standing = await told(id)
    expect(standing).toMatchObject({ state: 'running', estimatedRows: PAGES * 20_000 })
    expect(standing.rows).toBeGreaterThan(0)
    // What lies in sockets and streams: a few MB of two thousand million lines.
    expect(vast.asked.pages).toBeLessThan(60)
    answer.resume()
    await eventually(() => vast.asked.pages).toBeGreaterThan(before + 20)
    answer.destroy()
    await eventually(async () => (await told(id)).state).toBe('cancelled')
    const ended = vast.asked.pages
    await told(id)
    expect(vast.asked.pages).toBe(ended)
  })

  it('ends when it is cancelled, and the file with it', async () => {
    const { id } = await create()
    const answer = await fetchFile(id)
    answer.resume()
    const broken = new Promise((resolve) => answer.once('close', resolve))
    await eventually(async () => (await told(id)).rows).toBeGreaterThan(0)
    await call('DELETE', `/api/history/exports/${id}`)
    await broken
    expect(answer.complete).toBe(false)
    expect(await told(id)).toMatchObject({ state: 'cancelled', endedAt: expect.any(String) })
  })

  it('is one of four at a time; the fifth waits for the reader to ask again', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await create()).id))
    const answers: IncomingMessage[] = []
    for (const id of ids) answers.push(await fetchFile(id))
    expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200, 200, 200, 429])
    for (const answer of answers) answer.destroy()
    await eventually(async () => (await told(ids[0] ?? '')).state).toBe('cancelled')
    expect((await told(ids[4] ?? '')).state).toBe('waiting')
  })
})
