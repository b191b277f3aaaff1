import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ScriptedServer, scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { type Agent, startAgent } from '#edge/management/agent.ts'
import { enrolEdge } from '#edge/management/enrol.ts'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import type {
  ConfigurationChecked,
  ConfigurationDifference,
  ConfigurationPush,
  ConfigurationVersion,
  ConfigurationWithDocument,
} from '#shared/contracts/edge-configuration.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { silentLog } from '#shared/log/log.ts'
import { GROUP, startTestSuite, type TestSuite } from '#tests/support/suite.ts'

const PATIENT = { timeout: 30_000, interval: 50 }
const PROFILE = `profile: meter
version: 1
name: { en: Meter, zh-CN: 电表 }
assetClass: meter
protocol: modbus
tags:
  - { tag: power, name: { en: Power, zh-CN: 功率 }, address: "holding:0", type: uint16, scan: fast }
`

let test: TestSuite
let cloud: string
const folder = mkdtempSync(join(tmpdir(), 'andon-manage-'))
const closers: (() => unknown)[] = []

beforeAll(async () => {
  test = await startTestSuite()
  cloud = `http://127.0.0.1:${await test.app.listen({ host: '127.0.0.1', port: 0 })}`
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
afterAll(async () => {
  await test.close()
  rmSync(folder, { recursive: true, force: true })
})

async function meter(value: number): Promise<ScriptedServer> {
  const server = await scriptedServer()
  server.registers.set(0, value)
  closers.push(() => server.close())
  return server
}

interface Box {
  readonly id: string
  readonly name: string
  readonly file: string
  readonly agent: Agent
  /** Lets the time of a trial pass. */
  readonly passTrial: () => void
  readonly failures: unknown[]
  document(devices: readonly string[], more?: string): string
}

const deviceLine = (name: string, port: number) =>
  `  - { device: ${name}, profile: meter, modbus: { host: 127.0.0.1, port: ${port}, timeoutMs: 200, connectTimeoutMs: 200 } }`

/** Enrols a box with no device and starts its agent. */
async function enrolledBox(name: string): Promise<Box> {
  const { edge } = await test.post<EdgeRegistered>('engineer', '/api/edges', { group: GROUP, edge: name }, 201)
  const url = `/api/edges/${edge.id}/enrolment-codes`
  const { code } = await test.post<EnrolmentCodeIssued>('engineer', url, {}, 201)
  const file = join(folder, name, 'edge.yaml')
  mkdirSync(join(folder, name, 'profiles'), { recursive: true })
  writeFileSync(join(folder, name, 'profiles', 'meter.yaml'), PROFILE)
  await enrolEdge({ cloud, code, file })
  const written = readFileSync(file, 'utf8')
  const document = (devices: readonly string[], more = '') =>
    `${written.replace('devices: []\n', '')}profiles: ./profiles\nscan: { fast: 50 }\nretry: { maxMs: 500 }\n${more}devices:${devices.length ? `\n${devices.join('\n')}\n` : ' []\n'}`
  return { ...(await started(file)), id: edge.id, name, file, document }
}

/** Starts the agent of a file, as after the power came back. */
async function started(file: string) {
  let passedMs = 0
  const failures: unknown[] = []
  const clock = { now: Date.now, monotonic: () => performance.now() + passedMs }
  const agent = await startAgent({
    ...{ file, env: { ANDON_EDGE_PORT: '0' }, clock, log: silentLog, timing: { watchMs: 20 } },
    onFailed: (error) => failures.push(error),
  })
  closers.push(() => agent.stop())
  const passTrial = () => {
    passedMs += 300_000
  }
  return { agent, passTrial, failures }
}

const edgeOf = ({ id }: Pick<Box, 'id'>) => test.get<Edge>('operator', `/api/edges/${id}`)
const stateOf = async (box: Box) => (await edgeOf(box)).configuration.state
const versionsOf = async ({ id }: Box) =>
  (await test.get<PageOf<ConfigurationVersion>>('operator', `/api/edges/${id}/configuration-versions`)).items
const save = async ({ id }: Box, document: string) =>
  test.post<ConfigurationWithDocument>('engineer', `/api/edges/${id}/configuration-versions`, { document }, 201)
const push = ({ id }: Box, version: number, body: object = {}, status = 200) =>
  test.post<ConfigurationPush>('engineer', `/api/edges/${id}/configuration-versions/${version}/pushes`, body, status)
const shown = async ({ name }: Box, device: string) => {
  const { items } = await test.get<PageOf<Tag>>('operator', `/api/tags?edge=${name}&limit=500`)
  const tag = items.find((item) => item.device === device)
  return tag?.quality === 'good' ? tag.value : undefined
}

/** A box that runs the version that makes it read one meter. */
async function runningBox(name: string, value: number) {
  const box = await enrolledBox(name)
  const device = await meter(value)
  await expect.poll(async () => (await versionsOf(box)).length, PATIENT).toBe(1)
  const document = box.document([deviceLine('meter-1', device.port)])
  const { version } = await save(box, document)
  expect(await push(box, version)).toMatchObject({ status: 'done', faults: [] })
  await expect.poll(() => stateOf(box), PATIENT).toBe('in-step')
  return { box, device, document, version }
}

describe('a box that enrolled with nothing but its code', () => {
  it('shows what it runs, takes a device from the console, and its values are in history', async () => {
    const box = await enrolledBox('line-50')
    await expect.poll(() => stateOf(box), PATIENT).toBe('unmanaged')
    await expect.poll(async () => (await versionsOf(box)).length, PATIENT).toBe(1)
    expect(await versionsOf(box)).toMatchObject([{ version: 1, source: 'edge', isRunning: true, isWanted: false }])
    expect(readFileSync(box.file, 'utf8').split('\n').length).toBeLessThanOrEqual(20)

    const device = await meter(42)
    const { version, document } = await save(box, box.document([deviceLine('meter-1', device.port)]))
    await push(box, version)
    await expect.poll(() => stateOf(box), PATIENT).toBe('in-step')
    await expect.poll(() => shown(box, 'meter-1'), PATIENT).toBe(42)
    const [from, to] = [Date.now() - 3_600_000, Date.now() + 3_600_000].map((at) => new Date(at).toISOString())
    const query = `tag=${GROUP}/line-50/meter-1/power&from=${from}&to=${to}`
    const stored = () => test.get<{ value: number[] }>('operator', `/api/history/raw?${query}`)
    await expect.poll(async () => (await stored()).value.includes(42), PATIENT).toBe(true)
    expect(readFileSync(box.file, 'utf8')).toBe(document)
    expect(await versionsOf(box)).toMatchObject([{ version: 2, isRunning: true, isWanted: true }, { version: 1 }])
    const { report } = await edgeOf(box)
    expect(report).toMatchObject({
      configuration: { version: 2 },
      certificate: { renewal: 'not-due' },
      devices: [{ device: 'meter-1', state: 'answers' }],
      lanes: [{ isOpen: true }],
    })
  })
})

describe('a configuration that is pushed', () => {
  it('is told every fault with its line before anything changes, and is refused with them', async () => {
    const { box, document } = await runningBox('line-51', 7)
    const broken = document
      .replace('profile: meter', 'profile: metre')
      .replace('scan: { fast: 50 }', 'scam: { fast: 50 }')
    const checks = `/api/edges/${box.id}/configuration-checks`
    const { faults } = await test.post<ConfigurationChecked>('engineer', checks, { document: broken })
    const lineOf = (text: string) => broken.split('\n').findIndex((line) => line.includes(text)) + 1
    expect(faults).toMatchObject([
      { line: lineOf('scam'), code: 'unknown-key-near', params: { key: 'scam', guess: 'scan' } },
      { line: lineOf('metre'), path: 'devices[0].profile', code: 'unknown-name-near', params: { guess: 'meter' } },
    ])
    expect(await test.post('engineer', checks, { document })).toEqual({ faults: [] })
    const { version } = await save(box, broken)
    const answer = await push(box, version)
    expect(answer).toMatchObject({ status: 'refused', faults })
    expect(readFileSync(box.file, 'utf8')).toBe(document)
    expect(await stateOf(box)).toBe('in-step')
  })

  it('may not make the box another, and may hold no secret', async () => {
    const { box, document } = await runningBox('line-52', 7)
    const checks = `/api/edges/${box.id}/configuration-checks`
    const renamed = document.replace('edge: "line-52"', 'edge: "line-51"')
    const secret = document.replace('mqtt:\n', 'mqtt:\n  password: hunter2\n')
    const paths = async (text: string) =>
      (await test.post<ConfigurationChecked>('engineer', checks, { document: text })).faults.map(({ path }) => path)
    expect(await paths(renamed)).toEqual(['edge'])
    expect(await paths(secret)).toEqual(['mqtt.password'])
  })

  it('goes live with an added device, and going back is pushing the older one', async () => {
    const { box, device, version } = await runningBox('line-53', 7)
    const second = await meter(8)
    const lines = [deviceLine('meter-1', device.port), deviceLine('meter-2', second.port)]
    const added = await save(box, box.document(lines))
    await push(box, added.version, { reason: 'second meter' })
    await expect.poll(() => shown(box, 'meter-2'), PATIENT).toBe(8)
    await expect.poll(() => stateOf(box), PATIENT).toBe('in-step')
    const difference = await test.get<ConfigurationDifference>(
      'engineer',
      `/api/edges/${box.id}/configuration-versions/${added.version}/differences/${version}`,
    )
    expect(difference.lines.filter(({ kind }) => kind !== 'same')).toEqual([{ kind: 'added', text: lines[1] }])
    await push(box, version)
    await expect.poll(async () => (await edgeOf(box)).configuration.runningVersion, PATIENT).toBe(version)
    const pushes = await test.get<PageOf<ConfigurationPush>>('operator', `/api/edges/${box.id}/configuration-pushes`)
    expect(pushes.items.map((one) => [one.version, one.reason])).toEqual([
      [version, null],
      [added.version, 'second meter'],
      [version, null],
    ])
  })

  it('that cuts the box off is taken back by the box itself, which then says so', async () => {
    const { box, document } = await runningBox('line-54', 7)
    const { version } = await save(box, document.replace(/url: (mqtts:\/\/[^:]+):\d+/, 'url: $1:1'))
    expect(await push(box, version)).toMatchObject({ status: 'done' })
    await expect
      .poll(() => box.agent.edge.health().isConnected || readFileSync(box.file, 'utf8') === document, PATIENT)
      .toBe(false)
    box.passTrial()
    await expect.poll(() => stateOf(box), PATIENT).toBe('rolled-back')
    expect(readFileSync(box.file, 'utf8')).toBe(document)
    expect((await edgeOf(box)).configuration.rolledBack).toMatchObject({ version, code: 'not-reached' })
    await expect.poll(() => shown(box, 'meter-1'), PATIENT).toBe(7)
    expect(box.failures).toEqual([])
  })

  it('that silences a device that answered is taken back, also over a restart of the box', async () => {
    const { box, device, document } = await runningBox('line-55', 7)
    await expect.poll(() => box.agent.edge.health().alive, PATIENT).toEqual(['meter-1'])
    const { version } = await save(box, document.replace(`port: ${device.port}`, 'port: 1'))
    await push(box, version)
    await expect.poll(() => stateOf(box), PATIENT).toBe('on-trial')
    await box.agent.stop()
    const again = await started(box.file)
    // What the cloud heard before the stop says the same.
    await expect.poll(() => again.agent.edge.health().isConnected, PATIENT).toBe(true)
    expect(await stateOf(box)).toBe('on-trial')
    again.passTrial()
    await expect.poll(() => stateOf(box), PATIENT).toBe('rolled-back')
    expect((await edgeOf(box)).configuration.rolledBack?.reason).toMatch(/meter-1 answered before/)
    expect(readFileSync(box.file, 'utf8')).toBe(document)
  })

  it('longer than a command is fetched by the certificate of the box', async () => {
    const { box, document } = await runningBox('line-56', 7)
    const long = `${document}${'# a long remark about this plant\n'.repeat(3000)}`
    const { version } = await save(box, long)
    expect(await push(box, version)).toMatchObject({ status: 'done' })
    await expect.poll(() => stateOf(box), PATIENT).toBe('in-step')
    expect(readFileSync(box.file, 'utf8')).toBe(long)
  })

  it('is for engineers, and its text too', async () => {
    const { box, version } = await runningBox('line-57', 7)
    const url = `/api/edges/${box.id}/configuration-versions`
    await test.post('operator', url, { document: 'x' }, 403)
    await test.post('operator', `${url}/${version}/pushes`, {}, 403)
    await test.call('operator', 'GET', `${url}/${version}`, { status: 403 })
  })
})

describe('an edge.yaml that somebody changed at the box', () => {
  it('is drift, and is overwritten only by a push that names it', async () => {
    const { box, document, version } = await runningBox('line-60', 7)
    await box.agent.stop()
    const edited = document.replace('fast: 50', 'fast: 60')
    writeFileSync(box.file, edited)
    await started(box.file)
    await expect.poll(() => stateOf(box), PATIENT).toBe('drift')
    await expect
      .poll(async () => (await versionsOf(box))[0], PATIENT)
      .toMatchObject({ source: 'edge', isRunning: true })
    const refused = await push(box, version, {}, 409)
    expect(refused).toMatchObject({ code: 'configuration.drift' })
    expect(readFileSync(box.file, 'utf8')).toBe(edited)
    const [found] = await versionsOf(box)
    await push(box, version, { replaces: found?.hash })
    await expect.poll(() => stateOf(box), PATIENT).toBe('in-step')
    expect(readFileSync(box.file, 'utf8')).toBe(document)
  })

  it('since the cloud last heard of it is found by the box, which refuses', async () => {
    const { box, document, version } = await runningBox('line-61', 7)
    const known = (await versionsOf(box)).find((one) => one.version === version)
    writeFileSync(box.file, `${document}# by hand\n`)
    const answer = await push(box, version, { replaces: known?.hash })
    const error = expect.stringMatching(/was changed at the box/)
    expect(answer).toMatchObject({ status: 'refused', error, code: 'push.changed-at-box' })
  })
})
