import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { NOT_MEASURED } from '#edge/acquisition/tag-faults.ts'
import { LOSS_KINDS } from '#edge/drivers/driver.ts'
import { GAP_CAUSES } from '#shared/contracts/gap.ts'
import { causeWords } from './gap-words.ts'
import { ROUTES } from './routes.ts'
import { type StatusServer, startStatusServer } from './server.ts'
import type { EdgeSnapshot, StatusSources } from './snapshot.ts'
import type { TagPage } from './tags.ts'
import { name, plantSources, TOKEN } from './testing/plant.ts'
import { keepToken } from './token.ts'
import { languageOf, lossWords } from './words.ts'

let server: StatusServer | undefined
const started = async (port = 0, given: Partial<StatusSources> = {}) => {
  server = await startStatusServer({ sources: { ...plantSources(), ...given }, port, token: TOKEN })
  return server
}
afterEach(async () => {
  await server?.close()
  server = undefined
})
const withToken = (headers: Record<string, string> = {}) => ({
  headers: { authorization: `Bearer ${TOKEN}`, ...headers },
})
const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  ({ method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' }) as const

/** Signs in through the form; gives the cookie and the session's secret, as the page's forms carry it. */
async function signedIn(url: string): Promise<{ cookie: string; csrf: string }> {
  const answer = await fetch(`${url}login`, form({ token: TOKEN }))
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const page = await (await fetch(url, { headers: { cookie } })).text()
  return { cookie, csrf: /name="csrf" value="([\w-]+)"/.exec(page)?.[1] ?? '' }
}

const addressOf = (path: string) => path.slice(1).replaceAll(/:\w+/g, 'press-1')

describe('the door of the local page', () => {
  it('lets nobody past without the token, on every route that is not open', async () => {
    const { url } = await started()
    const closed = ROUTES.filter(({ rule }) => rule !== 'open')
    expect(closed.length).toBeGreaterThan(10)
    for (const { method, path } of closed) {
      const answer = await fetch(url + addressOf(path), { method })
      expect([path, answer.status, await answer.text()]).toEqual([path, 401, expect.stringContaining('token')])
      const browser = await fetch(url + addressOf(path), {
        method,
        headers: { accept: 'text/html' },
        redirect: 'manual',
      })
      expect([path, browser.status]).toEqual([path, method === 'GET' ? 303 : 401])
    }
    expect((await fetch(`${url}no-such-page`)).status).toBe(401)
  })

  it('lets nobody past with a wrong token or cookie, and slows guessing down', async () => {
    const { url } = await started()
    const wrong = { authorization: 'Bearer wrong' }
    const statuses: number[] = []
    for (const { method, path } of ROUTES.filter(({ rule }) => rule !== 'open')) {
      statuses.push((await fetch(url + addressOf(path), { method, headers: wrong })).status)
      const stale = await fetch(url + addressOf(path), { method, headers: { cookie: 'andon_edge_0=guess' } })
      expect([401, 429]).toContain(stale.status)
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    const refused = await fetch(`${url}metrics`, withToken())
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await fetch(`${url}login`, form({ token: TOKEN }))).status).toBe(429)
  })

  it('opens to the token, and keeps who is signed in while others guess', async () => {
    const { url } = await started()
    const { cookie } = await signedIn(url)
    for (let i = 0; i < 12; i++) await fetch(`${url}login`, form({ token: 'wrong' }))
    expect((await fetch(url, { headers: { cookie } })).status).toBe(200)
  })

  it('signs in by a form, with a cookie that scripts and other sites do not get and that is not the token', async () => {
    const { url, port } = await started()
    const answer = await fetch(`${url}login`, form({ token: ` ${TOKEN} `, next: '/tags?q=oil' }))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/tags?q=oil'])
    const cookie = answer.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(new RegExp(`^andon_edge_${port}=[\\w-]{32}; HttpOnly; SameSite=Strict; Path=/$`))
    expect(cookie).not.toContain(TOKEN)
    const wrong = await fetch(`${url}login`, form({ token: 'wrong' }))
    expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining('This is not the token')])
  })

  it('goes to no other site after signing in', async () => {
    const { url } = await started()
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)'])
      expect((await fetch(`${url}login`, form({ token: TOKEN, next }))).headers.get('location')).toBe('/')
  })

  it('signs out', async () => {
    const { url } = await started()
    const { cookie, csrf } = await signedIn(url)
    expect((await fetch(`${url}logout`, form({ csrf }, { cookie }))).headers.get('location')).toBe('/login')
    expect((await fetch(`${url}api/status`, { headers: { cookie } })).status).toBe(401)
  })

  it('refuses every action whose form carries no secret of the session, or that another site sent', async () => {
    const { url } = await started()
    const { cookie, csrf } = await signedIn(url)
    for (const { path } of ROUTES.filter(({ rule }) => rule === 'action')) {
      const address = url + addressOf(path)
      for (const sent of [
        form({}, { cookie }),
        form({ csrf: 'wrong' }, { cookie }),
        form({ csrf }, { cookie, origin: 'https://evil.example' }),
        form({ csrf }, { cookie, origin: 'null' }),
        form({ csrf }, { cookie, 'sec-fetch-site': 'cross-site' }),
      ])
        expect([path, (await fetch(address, sent)).status]).toEqual([path, 403])
    }
  })

  it('puts the token into no address, and takes it from none', async () => {
    const { url } = await started()
    const answer = await fetch(`${url}?token=${TOKEN}`, { headers: { accept: 'text/html' }, redirect: 'manual' })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/login?next=%2F'])
  })

  it('answers to its own name alone, so that no other site reaches it by its own', async () => {
    const { port } = await started()
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 421 /)
  })

  it('loads nothing from anywhere else', async () => {
    const { url } = await started()
    const answer = await fetch(`${url}login`)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(await answer.text()).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  })

  it('refuses a form that is too long or broken, and a method that a place does not know', async () => {
    const { url } = await started()
    expect((await fetch(`${url}login`, form({ token: 'x'.repeat(70_000) }))).status).toBe(413)
    expect(
      (await fetch(`${url}login`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }))
        .status,
    ).toBe(415)
    const put = await fetch(`${url}api/status`, { method: 'PUT', ...withToken() })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET'])
  })

  it('names the setting when its port is in use', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    await expect(started(port)).rejects.toThrow(/Port \d+ .* in use.*ANDON_EDGE_PORT/)
    await new Promise((resolve) => other.close(resolve))
  })

  it('keeps its token over restarts in a file that only its owner can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'andon-token-'))
    const file = join(folder, 'data', 'status-token')
    const token = keepToken(file)
    expect(token).toHaveLength(32)
    expect(keepToken(file)).toBe(token)
    expect(readFileSync(file, 'utf8').trim()).toBe(token)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    rmSync(folder, { recursive: true })
  })
})

describe('what the local page tells', () => {
  it('as JSON: devices, journal, faults and gaps, without a list of all tags', async () => {
    const { url } = await started()
    const status = (await (await fetch(`${url}api/status`, withToken())).json()) as EdgeSnapshot
    expect(status.devices).toMatchObject([
      { device: 'press-1', state: 'answers', tags: 4, badTags: 1 },
      { device: 'press-2', state: 'lost', lossKind: 'refused' },
    ])
    expect(status.faults).toMatchObject([
      { at: '/etc/edge.yaml:9', path: 'devices[1].modbus.host', kind: 'unknown-host' },
    ])
    expect(status.journal).toMatchObject({ depth: 10, newest: '12' })
    const gaps = await (await fetch(`${url}api/gaps`, withToken())).json()
    expect(gaps).toMatchObject({ items: [{ cause: 'disk-limit', count: 4 }] })
  })

  it('as JSON by the page: a tag with value, quality, time and reason, 64-bit numbers in all their digits', async () => {
    const { url } = await started()
    const tags = async (query: string) =>
      (await (await fetch(`${url}api/tags?${query}`, withToken())).json()) as TagPage
    const first = await tags('device=press-1')
    expect(first.items).toMatchObject([
      { tag: 'oil', name: name('Oil <temperature>', '油温'), unit: '°C', value: '61.3', quality: 'good', ageMs: 1500 },
      { tag: 'count', value: '18446744073709551615', quality: 'good', ageMs: 0 },
      { tag: 'lid', value: null, quality: 'bad', reason: 'coil:0: the device has no such address (exception 2)' },
      { tag: 'state', value: '1', word: name('Running', '运行'), quality: 'good' },
    ])
    expect((await tags('device=press-2')).items[0]).toMatchObject({ value: null, quality: 'stale' })
    expect((await tags('q=油温')).items.map(({ device, tag }) => [device, tag])).toEqual([
      ['press-1', 'oil'],
      ['press-2', 'oil'],
    ])
    expect(await tags('quality=bad')).toMatchObject({ total: 1, items: [{ tag: 'lid' }] })
    expect(await tags('limit=3&page=99')).toMatchObject({ total: 8, page: 3, pages: 3, items: [{}, {}] })
  })

  it.each(['', 'lanes', 'devices', 'devices/press-2', 'tags', 'gaps', 'tools'])(
    'as a page in both languages: /%s',
    async (path) => {
      const { url } = await started()
      const english = await (await fetch(url + path, withToken({ 'accept-language': 'en-GB,en' }))).text()
      expect(english).toContain('<html lang="en">')
      const chinese = await (
        await fetch(url + path, withToken({ 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' }))
      ).text()
      expect(chinese).toContain('<html lang="zh-CN">')
      for (const text of [english, chinese]) expect(text).not.toMatch(/undefined|\[object|NaN|<temperature>|<may>/)
    },
  )

  it('a lost device in plain words with the next step, in the reader’s language', async () => {
    const { url } = await started()
    const english = await (await fetch(url, withToken({ 'accept-language': 'en-GB,en' }))).text()
    expect(english).toContain('Nobody listens at this address.')
    expect(english).toContain('Check address and port')
    expect(english).toContain('12 (01234567)')
    const chinese = await (await fetch(`${url}devices`, withToken({ 'accept-language': 'zh-CN' }))).text()
    expect(chinese).toContain('该地址无人监听。')
    const tags = await (await fetch(`${url}tags`, withToken({ 'accept-language': 'zh-CN' }))).text()
    expect(tags).toContain('油温')
    expect(tags).toContain('运行 1')
  })

  it('what a device does not measure as no fault, with nothing to do', async () => {
    const [answering] = plantSources().devices()
    const faults = new Map([['lid', NOT_MEASURED]])
    const { url } = await started(0, { devices: () => (answering ? [{ ...answering, faults }] : []) })
    const page = async (path: string, language = 'en') =>
      await (await fetch(url + path, withToken({ 'accept-language': language }))).text()
    expect(await page('')).not.toContain('press-1')
    expect(await page('devices/press-1')).toMatch(/not measured by this device<\/dt><dd class="n"><a [^>]*>1</)
    expect(await page('tags?quality=bad')).toContain('nothing to do, or remove the tag from its profile')
    expect(await page('tags?quality=bad', 'zh-CN')).toContain('该设备不测量此量')
    expect(await page('metrics')).toMatch(
      /tag_faults\{device="press-1"\} 0\n[^}]*tags_not_measured\{device="press-1"\} 1\n/s,
    )
    const { devices } = JSON.parse(await page('api/status')) as EdgeSnapshot
    expect(devices[0]).toMatchObject({ badTags: 0, notMeasured: 1 })
  })

  it('a clock that is wrong, with what to do, whether the cloud has put it right or not', async () => {
    const behind = await started(0, { clockOffsetMs: () => 5 * 86_400_000 })
    const page = async (url: string, language: string) =>
      await (await fetch(url, withToken({ 'accept-language': language }))).text()
    expect(await page(behind.url, 'en')).toMatch(/clock<\/b>: 5 d behind\..*Set the clock of this box/)
    expect(await page(behind.url, 'zh-CN')).toMatch(/5 天 慢.*云端时间/s)
    const metrics = await (await fetch(`${behind.url}metrics`, withToken())).text()
    expect(metrics).toContain('andon_edge_clock_offset_seconds 432000\n')
    await behind.close()
    const unset = { ...plantSources().journal(), isTimeBelieved: false }
    const { url } = await started(0, { journal: () => unset })
    expect(await page(url, 'en')).toMatch(/not set yet: values are uncertain.*takes the time from the cloud/s)
  })

  it('the language that a person chose before the one of the browser', async () => {
    const { url } = await started()
    const chosen = await fetch(`${url}language?to=zh-CN&back=/gaps`, { redirect: 'manual' })
    expect([chosen.status, chosen.headers.get('location')]).toEqual([303, '/gaps'])
    const cookie = (chosen.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const page = await (await fetch(`${url}gaps`, withToken({ cookie, 'accept-language': 'en' }))).text()
    expect(page).toContain('磁盘或日志限额已满')
  })

  it('as metrics that Prometheus reads', async () => {
    const { url } = await started()
    const text = await (await fetch(`${url}metrics`, withToken())).text()
    expect(text).toContain('andon_edge_device_answers{device="press-2"} 0\n')
    expect(text).toContain('andon_edge_device_tag_faults{device="press-1"} 1\n')
    expect(text).toContain('# TYPE andon_edge_journal_discarded_total counter\nandon_edge_journal_discarded_total')
    expect(text).toContain('andon_edge_writes_total{result="done"} 2\n')
    expect(text).toContain('andon_edge_lane_round_trip_seconds_bucket{lane="modbus 10.0.0.5:502",le="0.001"} 3\n')
    expect(text).toContain('andon_edge_lane_round_trip_seconds_bucket{lane="modbus 10.0.0.5:502",le="+Inf"} 4\n')
    expect(text).toContain('andon_edge_lane_round_trip_seconds_count{lane="modbus 10.0.0.5:502"} 4\n')
    expect(text).toContain('andon_edge_lane_breakers_open{lane="modbus 10.0.0.5:502"} 1\n')
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |andon_edge_\w+(\{.*\})? -?[\d.e+-]+$)/)
  })
})

describe('the words of the local page', () => {
  it('exist for every kind of lost link and every cause of a gap in both languages', () => {
    for (const language of ['en', 'zh-CN'] as const) {
      for (const kind of LOSS_KINDS) expect(lossWords(kind, language).next).not.toBe('')
      for (const cause of GAP_CAUSES) expect(causeWords(cause, language)).not.toBe('')
    }
  })

  it.each([
    [undefined, 'en'],
    ['de', 'en'],
    ['zh', 'zh-CN'],
    ['en-US,en;q=0.9,zh;q=0.8', 'en'],
    ['zh-TW;q=0.9,en;q=0.8', 'zh-CN'],
  ])('are chosen by the browser’s wish: %s → %s', (header, language) => {
    expect(languageOf(header)).toBe(language)
  })
})
