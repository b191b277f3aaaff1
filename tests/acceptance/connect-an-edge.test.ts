import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { openAuthority } from '#cloud/platform/certificates/index.ts'
import { fingerprintOf } from '#cloud/platform/http/root-certificate.ts'
import { edgeCommandOf, edgeFileOf } from '#cloud/web/features/edges/edge-file.ts'
import { serveOpcua } from '#devices/simulators/opcua-server.ts'
import { type ScriptedServer, scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import type { Alarm, AlarmDetail } from '#shared/contracts/alarm.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import type { LastValues, RawHistory } from '#shared/contracts/history.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { Client } from '#tests/support/client.ts'
import { type Demo, startDemo } from '#tests/support/demo.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const GROUP = 'module-factory'
/** A box elsewhere opens the console under this name; here it is this machine. */
const HOST = 'andon.plant'

interface Endpoint {
  readonly profile: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
}

let demo: Demo
let engineer: Client
/** A device with registers that this test sets, 64 bits each. */
let wide: ScriptedServer
const boxes: ChildProcess[] = []

beforeAll(async () => {
  wide = await scriptedServer()
  demo = await startDemo()
  engineer = await demo.signIn('engineer')
})
afterAll(async () => {
  for (const box of boxes) {
    const ended = once(box, 'exit')
    if (box.exitCode === null && box.kill('SIGINT')) await ended
  }
  engineer?.close()
  await wide?.close()
  await demo?.stop()
  demo?.remove()
})

/** Registers a box as the engineer does and writes what the console prints for it, with a meter of the simulated plant. */
async function registered(edge: string) {
  const { body } = await engineer.post<EdgeRegistered>('/api/edges', { group: GROUP, edge })
  const { username, secret, broker } = body
  const printed = parse(edgeFileOf({ group: GROUP, edge }, { username, host: HOST, broker }))
  const known = join(demo.data, 'demo', 'endpoints.json')
  await engineer.until('addresses of the plant', async () => existsSync(known))
  const { endpoints } = JSON.parse(readFileSync(known, 'utf8')) as { endpoints: Endpoint[] }
  const meter = endpoints.find(({ profile }) => profile === 'energy-meter')
  const file = join(demo.data, `${edge}.yaml`)
  const mqtt = { ...printed.mqtt, url: printed.mqtt.url.replace(HOST, '127.0.0.1') }
  const devices = [{ ...printed.devices[0], modbus: meter?.modbus }]
  writeFileSync(file, stringify({ ...printed, mqtt, devices, data: `./${edge}-data` }))
  return { file, secret, broker, printed }
}

const WIDE_TAGS = { total: { type: 'uint64', at: 0 }, balance: { type: 'int64', at: 4 } } as const

/** Gives a box, before its start, one more device, with a profile of its own. */
function addWideDevice(file: string): void {
  const shown = parse(readFileSync(file, 'utf8'))
  const tags = Object.entries(WIDE_TAGS).map(([tag, { type, at }]) => {
    return { tag, name: { en: tag, 'zh-CN': tag }, address: `holding:${at}`, type, scan: 'fast' }
  })
  const about = { profile: 'wide-counter', version: 1, name: { en: 'Wide', 'zh-CN': '宽' }, assetClass: 'counter' }
  const profiles = join(demo.data, shown.data, 'profiles')
  mkdirSync(profiles, { recursive: true })
  writeFileSync(join(profiles, 'wide-counter.yaml'), stringify({ ...about, protocol: 'modbus', tags }))
  const device = { device: 'wide-1', profile: 'wide-counter', modbus: { host: '127.0.0.1', port: wide.port } }
  writeFileSync(file, stringify({ ...shown, devices: [...shown.devices, device] }))
}

/** Puts both numbers into the registers at once, most significant word first. */
function setWide(total: bigint, balance: bigint): void {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64BE(total, 0)
  bytes.writeBigInt64BE(balance, 8)
  for (let i = 0; i < 8; i++) wide.registers.set(i, bytes.readUInt16BE(2 * i))
}

/** Starts an edge as in the README; the port of its page is any free one. */
function startBox(file: string, secret: string) {
  const env = { ...process.env, ANDON_EDGE_SECRET: secret, ANDON_EDGE_PORT: '0' }
  const box = spawn(process.execPath, ['andon.ts', 'edge', '--config', file], { cwd: root, env })
  boxes.push(box)
  let text = ''
  const says = async (wanted: RegExp) => {
    while (!wanted.test(text)) {
      const [chunk] = await Promise.race([once(box.stdout, 'data'), once(box.stderr, 'data')])
      text += chunk
    }
  }
  return { says, text: () => text }
}

describe('a box beyond the machine of the cloud', () => {
  it('follows what the console prints: TLS with the root from /ca, and its values arrive', async () => {
    const { file, secret, broker, printed } = await registered('line-2')
    expect(printed.mqtt).toMatchObject({ url: `mqtts://${HOST}:${broker.tlsPort}`, caFile: './root.pem' })
    const answer = await fetch(`${demo.url}/ca`)
    expect(answer.headers.get('content-type')).toBe('application/x-x509-ca-cert')
    const pem = await answer.text()
    expect(pem).not.toContain('PRIVATE KEY')
    expect(fingerprintOf(pem)).toBe(broker.rootFingerprint)
    const kept = join(demo.data, 'cloud/certificates/root.pem')
    expect(pem).toBe(readFileSync(kept, 'utf8'))
    expect(statSync(kept).mode & 0o777).toBe(0o644)
    writeFileSync(join(demo.data, 'root.pem'), pem)
    addWideDevice(file)
    startBox(file, secret)
    await engineer.until('good values of the new box', async () => {
      const { items } = await engineer.get<PageOf<Tag>>('/api/tags?edge=line-2&limit=500')
      return items.some(({ quality, sourceAt }) => quality === 'good' && sourceAt !== null)
    })
  })

  it('keeps every digit of numbers of 64 bits, from the register to history and its API', async () => {
    const path = (tag: string) => `${GROUP}/line-2/wide-1/${tag}`
    const began = new Date(Date.now() - 60_000).toISOString()
    const steps = [
      { total: 9_007_199_254_740_993n, balance: -9_007_199_254_740_993n },
      { total: 9_223_372_036_854_775_809n, balance: -9_223_372_036_854_775_807n },
      { total: 18_446_744_073_709_551_615n, balance: -9_223_372_036_854_775_808n },
    ]
    engineer.watchValues([path('total'), path('balance')])
    for (const { total, balance } of steps) {
      setWide(total, balance)
      await engineer.until(`${total} among the live values`, async () => {
        const { items } = await engineer.get<PageOf<Tag>>('/api/tags?edge=line-2&limit=500')
        const shown = new Map(items.map((tag) => [tag.path, tag.value]))
        return shown.get(path('total')) === String(total) && shown.get(path('balance')) === String(balance)
      })
    }
    for (const tag of ['total', 'balance'] as const) {
      const digits = steps.map((step) => String(step[tag]))
      const question = `tag=${path(tag)}&from=${began}&to=${new Date(Date.now() + 60_000).toISOString()}`
      const stored = await engineer.until(`${tag} in history`, async () => {
        const { value } = await engineer.get<RawHistory>(`/api/history/raw?${question}`)
        return value.at(-1) === digits.at(-1) && value
      })
      expect(stored.filter((value, i) => value !== 0 && value !== stored[i - 1])).toEqual(digits)
      const last = await engineer.get<LastValues>(`/api/history/last?tag=${path(tag)}`)
      expect(last.items).toMatchObject([{ value: digits.at(-1), quality: 192 }])
    }
  })

  it('that trusts another root sends its secret to nobody', async () => {
    const { file, secret } = await registered('line-3')
    const other = await openAuthority({ dir: join(demo.data, 'other'), clock: Date.now })
    writeFileSync(join(demo.data, 'other.pem'), other.rootPem)
    writeFileSync(file, readFileSync(file, 'utf8').replace('./root.pem', './other.pem'))
    await startBox(file, secret).says(/self-signed certificate|unable to verify|unable to get/i)
    const { items } = await engineer.get<PageOf<Edge>>('/api/edges')
    expect(items.find(({ edge }) => edge === 'line-3')?.status).toBe('never')
  })
})

describe('a box with nothing but a one-time code', () => {
  const andon = (args: readonly string[]) =>
    spawnSync(process.execPath, ['andon.ts', ...args], { cwd: root, encoding: 'utf8' })

  it('pastes one line, connects by its certificate, reads a meter, and is cut off when that is taken back', async () => {
    const { body: registered } = await engineer.post<EdgeRegistered>('/api/edges', { group: GROUP, edge: 'line-5' })
    const url = `/api/edges/${registered.edge.id}`
    const { body: issued } = await engineer.post<EnrolmentCodeIssued>(`${url}/enrolment-codes`, {})
    const file = join(demo.data, 'line-5', 'edge.yaml')
    const line = issued.command.split(' ').slice(1)
    expect(line.join(' ')).toMatch(/^edge enroll --cloud https:\/\/localhost:\d+ --code \S+$/)
    const enrolled = andon([...line, '--config', file])
    expect([enrolled.status, enrolled.stderr]).toEqual([0, ''])
    expect(enrolled.stdout).toContain(`${GROUP}/line-5 is enrolled until`)
    const written = readFileSync(file, 'utf8')
    expect(written).toMatch(/url: mqtts:\/\/localhost:\d+/)

    const { endpoints } = JSON.parse(readFileSync(join(demo.data, 'demo', 'endpoints.json'), 'utf8')) as {
      endpoints: Endpoint[]
    }
    const meter = endpoints.find(({ profile }) => profile === 'energy-meter')
    const devices = [{ device: 'meter-5', profile: 'energy-meter', modbus: meter?.modbus }]
    writeFileSync(file, stringify({ ...parse(written), devices }))
    expect(readFileSync(file, 'utf8').trim().split('\n').length).toBeLessThanOrEqual(20)
    const box = startBox(file, '')
    await engineer.until('good values of the enrolled box', async () => {
      const { items } = await engineer.get<PageOf<Tag>>('/api/tags?edge=line-5&limit=500')
      return items.some(({ quality, sourceAt }) => quality === 'good' && sourceAt !== null)
    })
    expect(await engineer.get<Edge>(url)).toMatchObject({ status: 'online', configuration: { state: 'unmanaged' } })
    await engineer.post(`${url}/certificate-revocations`, { reason: 'stolen' })
    await engineer.until('the box to be cut off', async () => (await engineer.get<Edge>(url)).status === 'offline')
    await box.says(/Link to the cloud is down/)
    const again = andon([...line, '--config', file])
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('enrolment-code.over')])
  })

  it('finds another program behind the address, and tells it nothing', () => {
    const fingerprint = 'A'.repeat(43)
    const address = `${demo.url}`.replace('127.0.0.1', 'localhost')
    const answer = andon(['edge', 'enroll', '--cloud', address, '--code', `${'B'.repeat(24)}.${fingerprint}`])
    expect([answer.status, answer.stderr]).toEqual([1, expect.stringContaining('cloud.not-trusted')])
  })
})

describe('an alarm that an OPC UA server judges itself', () => {
  const name = (en: string) => ({ en, 'zh-CN': en })
  const address = 'nsu=urn:test:boiler;s=Pressure'
  const boiler: DeviceProfile = {
    ...{ profile: 'boiler', version: 1, name: name('Boiler'), assetClass: 'boiler', protocol: 'opcua' },
    tags: [{ tag: 'pressure', name: name('Pressure'), address, type: 'float64', scan: 'fast' }],
  }
  const condition = { kind: 'limit' as const, levels: [{ level: 'H' as const, setpoint: 8 }] }
  const high = { alarm: 'high', name: name('Pressure high'), tag: 'pressure', priority: 'high' as const, condition }

  /** A box whose only device is the boiler. */
  async function startBoilerBox(url: string) {
    const { file, secret, broker, printed } = await registered('line-6')
    const profiles = join(demo.data, 'line-6-data', 'profiles')
    mkdirSync(profiles, { recursive: true })
    writeFileSync(join(profiles, 'boiler.yaml'), stringify(boiler))
    const opcua = { url, trust: 'accept-first', alarms: 'server' }
    const mqtt = { url: `mqtt://127.0.0.1:${broker.port}`, username: `${GROUP}/line-6` }
    const devices = [{ device: 'boiler-1', profile: 'boiler', opcua }]
    writeFileSync(file, stringify({ ...printed, data: './line-6-data', mqtt, devices }))
    return startBox(file, secret)
  }

  it('stands in the list, is acknowledged by a person, and the server has the word of it', async () => {
    const server = await serveOpcua({
      ...{ host: '127.0.0.1', port: 0, dataDir: join(demo.data, 'boiler'), hasConditions: true },
      devices: [{ device: 'boiler-1', profile: { ...boiler, alarms: [high] } }],
      initial: [{ device: 'boiler-1', tag: 'pressure', raw: 5, at: Date.now() }],
      onWrite: () => undefined,
    })
    await startBoilerBox(server.url)
    await engineer.until('the pressure of the boiler', async () => {
      const { items } = await engineer.get<PageOf<Tag>>('/api/tags?edge=line-6&limit=500')
      return items.some(({ quality, value }) => quality === 'good' && value === 5)
    })
    server.set('boiler-1', 'pressure', 9, Date.now())
    const alarm = await engineer.until('the alarm of the boiler', async () => {
      const { items } = await engineer.get<PageOf<Alarm>>('/api/alarms?limit=500')
      return items.find((one) => one.name.en === 'Pressure high' && one.flags.includes('active'))
    })
    expect(alarm).toMatchObject({ state: 'B', priority: 'high', tag: 'pressure', occurrenceId: expect.any(String) })
    expect(server.condition('boiler-1', 'high')).toMatchObject({ isActive: true, isAcknowledged: false })

    const url = `/api/alarms/${alarm.id}`
    await engineer.post(`${url}/acknowledgements`, { comment: 'on my way' })
    await engineer.until('the word of it at the server', async () => {
      const { isAcknowledged, comment } = server.condition('boiler-1', 'high') ?? {}
      return isAcknowledged && comment === 'on my way'
    })
    server.set('boiler-1', 'pressure', 6, Date.now())
    const log = await engineer.until('the end of the alarm', async () => {
      const { log } = await engineer.get<AlarmDetail>(url)
      return log.some(({ transition }) => transition === 'closed') && log.toReversed()
    })
    expect(log.map(({ transition }) => transition)).toEqual(['activated', 'acknowledged', 'returned', 'closed'])
    expect(log[1]).toMatchObject({ comment: 'on my way', by: { id: expect.any(String) } })
    await server.close()
  })
})

describe('the steps of the README to connect a real PLC', () => {
  const [, steps = ''] =
    /## Connect a real PLC[^\n]*\n(.*?)\n## /s.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []

  it('lead from its edge.yaml, with the addresses of this place, to values, an asset and a page that opens', async () => {
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(steps) ?? []
    const shown = parse(yaml)
    expect(shown).toMatchObject({ edge: 'line-2', devices: [{ device: 'meter-7' }] })
    const { file, secret, broker } = await registered('line-4')
    const { devices } = parse(readFileSync(file, 'utf8'))
    const mqtt = { url: `mqtt://127.0.0.1:${broker.port}`, username: `${GROUP}/line-4` }
    const meter = { ...shown.devices[0], modbus: { ...shown.devices[0].modbus, ...devices[0].modbus } }
    writeFileSync(file, stringify({ ...shown, edge: 'line-4', data: './line-4-data', mqtt, devices: [meter] }))
    const check = spawnSync(process.execPath, ['andon.ts', 'check', file], { cwd: root, encoding: 'utf8' })
    expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('good (edge; 2 addresses tried)')])

    const box = startBox(file, secret)
    const place = /local page (http:\S+) \(token in (\S+)\)/
    await box.says(place)
    const [, page = '', tokenFile = ''] = place.exec(box.text()) ?? []
    expect(tokenFile).toBe(join(demo.data, 'line-4-data/status-token'))
    const token = readFileSync(tokenFile, 'utf8').trim()
    expect(box.text()).not.toContain(token)
    expect((await fetch(page)).status).toBe(401)
    expect((await fetch(page, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    await engineer.until('an asset of the new device', async () => {
      const { items } = await engineer.get<PageOf<{ name: { en: string } }>>('/api/assets?limit=500')
      return items.some(({ name }) => name.en === 'meter-7')
    })
  })

  it('tell the command that the console shows, and the one beside a demo', () => {
    expect(steps).toContain(`\`${edgeCommandOf('andon.plant')}\``)
    expect(steps).toContain(`\`${edgeCommandOf('localhost')}\``)
  })
})
