import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAuthority } from '#cloud/platform/certificates/index.ts'
import { loadEdgeConfig } from '#edge/config.ts'
import { CloudError } from '#edge/management/cloud.ts'
import { createCloudTime } from '#edge/management/cloud-time.ts'
import { enrolEdge } from '#edge/management/enrol.ts'
import { createGatewayTime } from '#edge/management/gateway-time.ts'
import { identityFiles, readIdentity } from '#edge/management/identity.ts'
import { renewWhenDue } from '#edge/management/renewal.ts'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EdgeCertificates, EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import { readEnrolmentCode, writeEnrolmentCode } from '#shared/contracts/enrolment-code.ts'
import { silentLog } from '#shared/log/log.ts'
import { formatTopic } from '#shared/sparkplug/topics.ts'
import { GROUP, startTestSuite, type TestSuite } from '#tests/support/suite.ts'

const DAY_MS = 86_400_000
let test: TestSuite
let cloud: string
const folder = mkdtempSync(join(tmpdir(), 'andon-enrol-'))
const clients: MqttClient[] = []

beforeAll(async () => {
  test = await startTestSuite()
  cloud = `http://127.0.0.1:${await test.app.listen({ host: '127.0.0.1', port: 0 })}`
})
afterAll(async () => {
  for (const client of clients) client.end(true)
  await test.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Registers an edge and has a code made for it. */
async function coded(edge: string, hours?: number) {
  const registered = await test.post<EdgeRegistered>('engineer', '/api/edges', { group: GROUP, edge }, 201)
  const { id } = registered.edge
  const body = hours === undefined ? {} : { hours }
  const issued = await test.post<EnrolmentCodeIssued>('engineer', `/api/edges/${id}/enrolment-codes`, body, 201)
  return { ...issued, id, file: join(folder, edge, 'edge.yaml'), data: join(folder, edge, 'edge-data') }
}

async function enrolled(edge: string) {
  const given = await coded(edge)
  await enrolEdge({ cloud, code: given.code, file: given.file })
  return given
}

const certificatesOf = (id: string) => test.get<EdgeCertificates>('operator', `/api/edges/${id}/certificates`)

/** Connects as a box does, by what edge.yaml says alone; rejects when it is refused or dropped. */
function connect(file: string): Promise<MqttClient> {
  const config = loadEdgeConfig(file, {})
  const identity = readIdentity(config.data)
  const client = mqtt.connect(config.mqtt.url, {
    ...{ ca: identity?.rootPem ?? '', cert: identity?.certPem ?? '', key: identity?.keyPem ?? '' },
    ...{ protocolVersion: 4, reconnectPeriod: 0 },
  })
  clients.push(client)
  return new Promise((resolve, reject) => {
    client.on('connect', () => resolve(client))
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed')))
  })
}
const gone = (client: MqttClient) => new Promise<void>((resolve) => client.on('close', () => resolve()))

describe('a box that enrols', () => {
  it('makes its key itself, keeps it where only it can read it, and connects by its certificate alone', async () => {
    const { id, file, data } = await enrolled('line-20')
    expect(statSync(identityFiles(data).identity).mode & 0o777).toBe(0o600)
    const client = await connect(file)
    await client.publishAsync(formatTopic({ message: 'NBIRTH', group: GROUP, edge: 'line-20' }), 'x', { qos: 1 })
    const { items } = await certificatesOf(id)
    expect(items).toMatchObject([{ state: 'good', revokedAt: null }])
    expect(readIdentity(data)?.certificate.subjectAltName).toBe(`URI:urn:andon:edge:${GROUP}/line-20`)
    const days = (Date.parse(items[0]?.expiresAt ?? '') - Date.now()) / DAY_MS
    expect(Math.round(days)).toBe(90)
  })

  it('may not speak for another', async () => {
    const client = await connect((await enrolled('line-21')).file)
    const dropped = gone(client)
    client.publish(formatTopic({ message: 'NDATA', group: GROUP, edge: 'line-20' }), 'forged')
    await dropped
  })

  it('uses its code up; it was good once', async () => {
    const { code, file } = await enrolled('line-22')
    await expect(enrolEdge({ cloud, code, file })).rejects.toThrow(/was used or is too old/)
  })

  it('is refused with a code that is over, and with one that nobody made', async () => {
    const { code, file } = await coded('line-23', 1)
    const { fingerprint } = readEnrolmentCode(code) ?? { fingerprint: '' }
    const guessed = writeEnrolmentCode({ secret: 'A'.repeat(24), fingerprint })
    await expect(enrolEdge({ cloud, code: guessed, file })).rejects.toThrow(/unknown, was used/)
    test.clock.advance(2 * 3_600_000)
    await expect(enrolEdge({ cloud, code, file })).rejects.toThrow(/unknown, was used/)
    await expect(enrolEdge({ cloud, code: 'nonsense', file })).rejects.toThrow(/no enrolment code/)
  })

  it('tells its code to no cloud with another authority', async () => {
    const { code, file } = await coded('line-24')
    const other = await openAuthority({ dir: join(folder, 'other'), clock: Date.now })
    const { secret = '' } = readEnrolmentCode(code) ?? {}
    const mistaken = writeEnrolmentCode({ secret, fingerprint: other.fingerprint })
    await expect(enrolEdge({ cloud, code: mistaken, file })).rejects.toThrow(/is not the cloud that made this code/)
    await enrolEdge({ cloud, code, file })
  })

  it('learns the time from the cloud, which signs it, before anything else is known of the box', async () => {
    const { code } = await coded('line-26')
    const { fingerprint } = readEnrolmentCode(code) ?? { fingerprint: '' }
    const stopped = { now: () => 0, monotonic: () => performance.now() }
    const clock = createGatewayTime(stopped)
    const time = createCloudTime({ clock, source: () => ({ url: cloud, fingerprint }), log: silentLog })
    await time.learn()
    expect(Math.abs(clock.now() - test.clock.now())).toBeLessThan(20_000)
    const again = createCloudTime({ clock, source: () => ({ url: cloud, fingerprint: 'AA' }), log: silentLog })
    await expect(again.learn()).rejects.toThrow(/did not sign it/)
  })

  it('is issued codes by engineers alone', async () => {
    const { id } = await coded('line-25')
    await test.post('operator', `/api/edges/${id}/enrolment-codes`, {}, 403)
  })
})

describe('a certificate that is taken back', () => {
  it('drops the connection of its box at once, and is refused from then on', async () => {
    const { id, file } = await enrolled('line-30')
    const client = await connect(file)
    const dropped = gone(client)
    await test.post('operator', `/api/edges/${id}/certificate-revocations`, { reason: 'stolen' }, 403)
    await test.post('engineer', `/api/edges/${id}/certificate-revocations`, { reason: 'stolen' })
    await dropped
    await expect(connect(file)).rejects.toThrow()
    expect((await certificatesOf(id)).items).toMatchObject([{ state: 'revoked', reason: 'stolen' }])
  })

  it('ends the codes of its edge with it, and renews nothing', async () => {
    const { id, data } = await enrolled('line-31')
    const open = await test.post<EnrolmentCodeIssued>('engineer', `/api/edges/${id}/enrolment-codes`, {}, 201)
    await test.post('engineer', `/api/edges/${id}/certificate-revocations`, { reason: 'scrapped' })
    await expect(enrolEdge({ cloud, code: open.code, file: join(folder, 'x.yaml') })).rejects.toThrow(CloudError)
    const later = () => Date.now() + 80 * DAY_MS
    expect(await renewWhenDue({ data, now: later, log: silentLog })).toBe('failed')
  })
})

describe('a certificate that grows old', () => {
  it('is renewed by its box at two thirds of its life, with a new key', async () => {
    const { id, data, file } = await enrolled('line-40')
    const before = readIdentity(data)
    const at = (days: number) => ({ data, now: () => Date.now() + days * DAY_MS, log: silentLog })
    expect(await renewWhenDue(at(55))).toBe('not-due')
    expect(await renewWhenDue(at(65))).toBe('renewed')
    const after = readIdentity(data)
    expect(after?.certificate.serialNumber).not.toBe(before?.certificate.serialNumber)
    expect(after?.keyPem).not.toBe(before?.keyPem)
    expect((await certificatesOf(id)).items).toHaveLength(2)
    await connect(file)
  })

  it('that is over needs the word of a person, whom the box asks with one key until it is given', async () => {
    const { id, data } = await enrolled('line-41')
    const later = { data, now: () => Date.now() + 100 * DAY_MS, log: silentLog }
    test.clock.advance(Date.now() + 100 * DAY_MS - test.clock.now())
    expect(await renewWhenDue(later)).toBe('waits-for-confirmation')
    expect(await renewWhenDue(later)).toBe('waits-for-confirmation')
    const { renewals } = await certificatesOf(id)
    expect(renewals).toHaveLength(1)
    const url = `/api/edges/${id}/certificate-renewals/${renewals[0]?.id}/confirmations`
    await test.post('operator', url, {}, 403)
    await test.post('engineer', url, {})
    expect(await renewWhenDue(later)).toBe('renewed')
    expect((await certificatesOf(id)).renewals).toEqual([])
  })

  it('that has been over for more than a year is renewed by nobody', async () => {
    const { data } = await enrolled('line-42')
    test.clock.advance(500 * DAY_MS)
    expect(await renewWhenDue({ data, now: test.clock.now, log: silentLog })).toBe('failed')
  })
})
