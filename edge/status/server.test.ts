import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceStatus } from '#edge/acquisition/device.ts'
import { createModel } from '#edge/acquisition/model.ts'
import { LOSS_KINDS } from '#edge/drivers/driver.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Trouble } from '#shared/reach/probe.ts'
import { type StatusServer, startStatusServer } from './server.ts'
import type { EdgeSnapshot, StatusSources } from './snapshot.ts'
import { keepToken } from './token.ts'
import { languageOf, lossWords } from './words.ts'

const NOW = 1_800_000_000_000
const TOKEN = 'a-token-of-24-characters'
const name = (en: string, zh: string) => ({ en, 'zh-CN': zh })
const profile: DeviceProfile = {
  profile: 'press',
  version: 1,
  name: name('Press', '压机'),
  assetClass: 'press',
  protocol: 'modbus',
  tags: [
    { tag: 'oil', name: name('Oil <temperature>', '油温'), address: 'holding:0', type: 'int16', decimals: 1 },
    { tag: 'count', name: name('Count', '计数'), address: 'holding:1', type: 'uint64' },
    {
      tag: 'state',
      name: name('State', '状态'),
      address: 'holding:9',
      type: 'int16',
      words: { '1': name('Running', '运行') },
    },
    { tag: 'lid', name: name('Lid', '盖'), address: 'coil:0', type: 'bit' },
  ],
}
const lost: DeviceStatus = {
  device: 'press-2',
  profile: 'press',
  protocol: 'modbus',
  state: 'lost',
  since: NOW - 5000,
  error: '10.0.0.6:502: nobody listens there (connection refused)',
  lossKind: 'refused',
  failures: 3,
  overruns: 0,
  read: 0,
  reported: 0,
  refused: 0,
  faults: new Map(),
}
const answering: DeviceStatus = {
  ...lost,
  device: 'press-1',
  state: 'answers',
  failures: 0,
  read: 10,
  faults: new Map([['lid', 'coil:0: the device has no such address (exception 2)']]),
}

const place = { file: '/etc/edge.yaml', line: 9, column: 3, path: 'devices[1].modbus.host' }
const trouble: Trouble = {
  address: {
    use: 'connect',
    host: 'no-such.invalid',
    port: 502,
    path: ['devices', 1, 'modbus'],
    hostAt: place,
    portAt: place,
  },
  kind: 'unknown-host',
  code: 'ENOTFOUND',
}

function sources(): StatusSources {
  const tagsOf = (device: string, from: number) => [
    { id: from, device, tag: 'oil', type: 'double' as const, unit: '°C' },
    { id: from + 1, device, tag: 'count', type: 'uint64' as const },
    { id: from + 2, device, tag: 'lid', type: 'boolean' as const },
    { id: from + 3, device, tag: 'state', type: 'int16' as const },
  ]
  const devices = ['press-1', 'press-2'].map((device, i) => ({
    device,
    profile: 'press',
    tags: tagsOf(device, i * 10),
  }))
  const model = createModel({ group: 'plant', edge: 'line-1', devices })
  model.update([
    { tagId: 0, sourceAt: NOW - 1500, value: 61.25, quality: 192 },
    { tagId: 1, sourceAt: NOW, value: 18_446_744_073_709_551_615n, quality: 192 },
    { tagId: 2, sourceAt: NOW, value: null, quality: 0 },
    { tagId: 3, sourceAt: NOW, value: 1, quality: 192 },
  ])
  const counters = {
    accepted: 12,
    commits: 3,
    replaced: 0,
    shifted: 0,
    repeated: 0,
    retimed: 0,
    mistyped: 0,
    thinned: 0,
    unsynchronised: 0,
    repacked: 0,
    discarded: 4,
    gaps: 1,
  }
  return {
    model,
    profiles: new Map([['press', profile]]),
    devices: () => [answering, lost],
    lanes: () => [
      { lane: 'modbus 10.0.0.5:502', isOpen: true, requests: 7, timeouts: 1, strayReplies: 0, roundTripMs: 1.5 },
    ],
    journal: () => ({
      isTimeBelieved: true,
      epoch: 5n,
      newest: 12n,
      acknowledged: 2n,
      depth: 10,
      segments: 1,
      sizeBytes: 4096,
      oldestAt: NOW,
      counters,
    }),
    uplink: () => ({
      server: 'mqtt://127.0.0.1:1883',
      state: 'waiting',
      since: NOW,
      lastError: 'connect ECONNREFUSED',
      connects: 1,
      lastAckAt: NOW,
      acknowledged: 2n,
      depth: 10,
      inFlight: 0,
      backlog: 10n,
      sent: 2,
      resent: 0,
      births: 1,
      refusedMessages: 0,
    }),
    troubles: () => [trouble],
    now: () => NOW,
    startedAt: NOW - 60_000,
  }
}

let server: StatusServer | undefined
const started = async (port = 0) => {
  server = await startStatusServer({ sources: sources(), port, token: TOKEN })
  return server
}
afterEach(async () => {
  await server?.close()
  server = undefined
})
const withToken = (headers: Record<string, string> = {}) => ({
  headers: { authorization: `Bearer ${TOKEN}`, ...headers },
})

describe('the door of the local page', () => {
  it('opens health to all and everything else to the token alone', async () => {
    const { url } = await started()
    expect(await (await fetch(`${url}healthz`)).json()).toEqual({ status: 'ok' })
    for (const path of ['', 'metrics', 'api/status']) {
      expect((await fetch(url + path)).status).toBe(401)
      expect((await fetch(url + path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
      expect((await fetch(url + path, withToken())).status).toBe(200)
    }
  })

  it('takes the token out of the address at once and keeps it in a cookie', async () => {
    const { url } = await started()
    const first = await fetch(`${url}?token=${TOKEN}`, { redirect: 'manual' })
    expect([first.status, first.headers.get('location')]).toEqual([303, '/'])
    const cookie = first.headers.get('set-cookie') ?? ''
    expect(cookie).toContain('HttpOnly; SameSite=Strict')
    expect((await fetch(url, { headers: { cookie: cookie.split(';')[0] ?? '' } })).status).toBe(200)
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
  it('as JSON: every tag with value, quality, age and reason, 64-bit numbers in all their digits', async () => {
    const { url } = await started()
    const status = (await (await fetch(`${url}api/status`, withToken())).json()) as EdgeSnapshot
    expect(status.devices[0]?.tags).toEqual([
      { tag: 'oil', name: name('Oil <temperature>', '油温'), unit: '°C', value: '61.3', quality: 'good', ageMs: 1500 },
      { tag: 'count', name: name('Count', '计数'), value: '18446744073709551615', quality: 'good', ageMs: 0 },
      {
        tag: 'lid',
        name: name('Lid', '盖'),
        value: null,
        quality: 'bad',
        ageMs: 0,
        reason: 'coil:0: the device has no such address (exception 2)',
      },
      {
        tag: 'state',
        name: name('State', '状态'),
        value: '1',
        word: name('Running', '运行'),
        quality: 'good',
        ageMs: 0,
      },
    ])
    expect(status.devices[1]).toMatchObject({ state: 'lost', lossKind: 'refused' })
    expect(status.devices[1]?.tags[0]).toMatchObject({ value: null, quality: 'stale' })
    expect(status.faults).toMatchObject([
      { at: '/etc/edge.yaml:9', path: 'devices[1].modbus.host', kind: 'unknown-host' },
    ])
    expect(status.journal).toMatchObject({ depth: 10, newest: '12' })
  })

  it('as a page: a lost device in plain words with the next step, in the reader’s language', async () => {
    const { url } = await started()
    const english = await (await fetch(url, withToken({ 'accept-language': 'en-GB,en' }))).text()
    expect(english).toContain('Nobody listens at this address.')
    expect(english).toContain('Check address and port')
    expect(english).toMatch(/edge\.yaml:9 <code>devices\[1\]\.modbus\.host<\/code>: The host name is not known/)
    expect(english).toContain('Oil &lt;temperature&gt;')
    const chinese = await (await fetch(url, withToken({ 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' }))).text()
    expect(chinese).toContain('该地址无人监听。')
    expect(chinese).toContain('无法解析主机名')
    expect(chinese).toContain('油温')
    expect(chinese).toContain('运行 1')
    expect(chinese).toContain('lang="zh-CN"')
  })

  it('as metrics that Prometheus reads', async () => {
    const { url } = await started()
    const text = await (await fetch(`${url}metrics`, withToken())).text()
    expect(text).toContain('andon_edge_device_answers{device="press-2"} 0\n')
    expect(text).toContain('andon_edge_device_tag_faults{device="press-1"} 1\n')
    expect(text).toContain('# TYPE andon_edge_journal_discarded_total counter\nandon_edge_journal_discarded_total')
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) |andon_edge_\w+(\{.*\})? -?[\d.e+-]+$)/)
  })
})

describe('the words of the local page', () => {
  it('exist for every kind of lost link in both languages', () => {
    for (const kind of LOSS_KINDS)
      for (const language of ['en', 'zh-CN'] as const) expect(lossWords(kind, language).next).not.toBe('')
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
