import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { Aedes } from 'aedes'
import { afterEach, describe, expect, it } from 'vitest'
import { type Authority, openAuthority, requestedKey } from '#cloud/platform/certificates/index.ts'
import { signedTime } from '#cloud/suite/edge-certificates/time.ts'
import { scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { writeEnrolmentCode } from '#shared/contracts/enrolment-code.ts'
import { silentLog } from '#shared/log/log.ts'
import { decodePayload } from '#shared/sparkplug/payload.ts'
import { type Agent, startAgent } from './agent.ts'
import { callCloud } from './cloud.ts'
import { createCloudTime } from './cloud-time.ts'
import { enrolEdge } from './enrol.ts'
import { createGatewayTime } from './gateway-time.ts'

const YEARS_MS = 5 * 365 * 86_400_000
const SYSTEM = { now: Date.now, monotonic: () => performance.now() }
const PATIENT = { timeout: 20_000, interval: 20 }
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'andon-clock-'))
  closers.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

interface World {
  /** By how much the clock of this machine is behind. */
  readonly behindMs: number
  /** Who signs the certificates of its servers, when it is not the authority that boxes know. */
  readonly serversBy?: Authority
  /** What it answers who asks for the time. */
  readonly tell?: (honest: (nonce: string) => object, nonce: string) => object
  /** Holds the answer back. */
  readonly hold?: () => Promise<void>
  /** When its certificates were made, before its present. */
  readonly madeAgoMs?: number
}

/** A cloud whose clock is right while that of this machine is not: real servers, real certificates, and the signer of the product. */
async function cloudOf({ behindMs, serversBy, hold, madeAgoMs = 0, tell = (honest, nonce) => honest(nonce) }: World) {
  const now = () => Date.now() + behindMs
  const authority = await openAuthority({ dir: folder(), clock: () => now() - madeAgoMs })
  const { certPem: cert, keyPem: key } = await (serversBy ?? authority).issueServer(['127.0.0.1'])
  const asked: string[] = []
  const answer = async (request: IncomingMessage): Promise<string> => {
    asked.push(request.url ?? '')
    if (request.url === '/ca') return authority.rootPem
    const body = JSON.parse(await text(request)) as { nonce: string; csr: string }
    const honest = (nonce: string) => signedTime(authority, { nonce }, now())
    if (request.url === '/api/edge-times') {
      await hold?.()
      return JSON.stringify(tell(honest, body.nonce))
    }
    const own = await authority.issueClient('urn:andon:edge:plant/line-1', await requestedKey(body.csr))
    const place = { url: `mqtts://127.0.0.1:${broker.port}`, port: broker.port, isForeign: false }
    const known = { group: 'plant', edge: 'line-1', root: authority.rootPem }
    return JSON.stringify({ ...known, certificate: own.certPem, broker: place })
  }
  const broker = await startBroker({ cert, key: key ?? '', ca: authority.rootPem })
  const server = createServer({ cert, key: key ?? '' }, (request, response) => {
    void answer(request).then((said) => response.end(said))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const code = writeEnrolmentCode({ secret: 'A'.repeat(24), fingerprint: authority.fingerprint })
  const time = createCloudTime({
    clock: createGatewayTime(SYSTEM),
    source: () => ({ url, fingerprint: authority.fingerprint }),
    log: silentLog,
  })
  return { url, code, authority, broker, now, asked, time }
}

/** A broker with TLS. It looks at no dates of its clients here, because this machine's clock is not that of the cloud. */
async function startBroker(tls: { readonly cert: string; readonly key: string; readonly ca: string }) {
  const aedes = await Aedes.createBroker()
  const births: number[] = []
  aedes.on('publish', ({ topic, payload }, client) => {
    if (client && topic.includes('/NBIRTH/')) births.push(Number(decodePayload(payload as Buffer).timestamp))
  })
  const subjects: string[] = []
  const server = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (socket: TLSSocket) => {
    subjects.push(socket.getPeerX509Certificate()?.subjectAltName ?? '')
    aedes.handle(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))))
  return { port: (server.address() as AddressInfo).port, births, subjects }
}

async function agentOf(file: string): Promise<Agent> {
  const agent = await startAgent({
    ...{ file, env: { ANDON_EDGE_PORT: '0' }, clock: SYSTEM, log: silentLog },
    onFailed: (error) => {
      throw error
    },
  })
  closers.push(() => agent.stop())
  return agent
}

interface Status {
  readonly at: number
  readonly journal: {
    readonly isTimeBelieved: boolean
    readonly counters: { readonly accepted: number; readonly unsynchronised: number }
  }
  readonly uplink: { readonly lastError?: string }
}

const statusOf = async ({ edge }: Agent) => {
  const answer = await fetch(new URL('api/status', edge.pageUrl), {
    headers: { authorization: `Bearer ${edge.token}` },
  })
  return (await answer.json()) as Status
}

const PROFILE = `profile: meter
version: 1
name: { en: Meter, zh-CN: 电表 }
assetClass: meter
protocol: modbus
tags:
  - { tag: power, name: { en: Power, zh-CN: 功率 }, address: "holding:0", type: uint16, scan: fast }
`

/** Adds a device that answers to what enrolment has written. */
async function addMeter(file: string): Promise<void> {
  const meter = await scriptedServer()
  closers.push(() => meter.close())
  meter.registers.set(0, 42)
  const profiles = join(dirname(file), 'profiles')
  mkdirSync(profiles)
  writeFileSync(join(profiles, 'meter.yaml'), PROFILE)
  const device = `profiles: ./profiles\nscan: { fast: 50, heartbeatMs: 50 }\ndevices:\n  - { device: meter-1, profile: meter, modbus: { host: 127.0.0.1, port: ${meter.port} } }\n`
  writeFileSync(file, readFileSync(file, 'utf8').replace('devices: []\n', device))
}

describe.each([
  ['behind', YEARS_MS],
  ['ahead', -YEARS_MS],
])('a box whose clock is five years %s', (word, behindMs) => {
  it('enrols, takes time from the cloud before TLS, and is linked with the right time', async () => {
    let mayTell = Promise.resolve()
    const cloud = await cloudOf({ behindMs, hold: () => mayTell })
    const file = join(folder(), 'edge.yaml')
    await enrolEdge({ cloud: cloud.url, code: cloud.code, file })
    expect(cloud.asked).toEqual(['/ca', '/api/edge-times', '/api/edge-enrolments'])

    await addMeter(file)
    const asked = Promise.withResolvers<void>()
    mayTell = asked.promise
    const agent = await agentOf(file)
    const counts = async () => (await statusOf(agent)).journal.counters
    await expect.poll(async () => (await counts()).accepted, PATIENT).toBeGreaterThan(2)
    // Its own certificate tells that a clock is behind, before anybody was asked; of one ahead nothing does.
    const flagged = (await counts()).unsynchronised
    expect(word === 'behind' ? flagged > 2 : flagged === 0).toBe(true)

    asked.resolve()
    await expect.poll(() => cloud.broker.births.length, PATIENT).toBeGreaterThan(0)
    expect(cloud.broker.subjects.at(-1)).toBe('URI:urn:andon:edge:plant/line-1')
    expect(Math.abs((cloud.broker.births[0] ?? 0) - cloud.now())).toBeLessThan(30_000)
    const { at, journal } = await statusOf(agent)
    expect(Math.abs(at - cloud.now())).toBeLessThan(30_000)
    expect(journal.isTimeBelieved).toBe(true)
    const { accepted, unsynchronised } = journal.counters
    await expect.poll(async () => (await counts()).accepted, PATIENT).toBeGreaterThan(accepted + 2)
    expect((await counts()).unsynchronised).toBe(unsynchronised)
  })
})

describe('a box that asks for the time', () => {
  it('takes none that another authority has signed', async () => {
    const other = await cloudOf({ behindMs: YEARS_MS })
    const cloud = await cloudOf({
      behindMs: YEARS_MS,
      tell: (_, nonce) => signedTime(other.authority, { nonce }, Date.now()),
    })
    await expect(cloud.time.learn()).rejects.toThrow(/authority of this box did not sign it/)
    const forged = await cloudOf({
      behindMs: YEARS_MS,
      tell: (honest, nonce) => ({ ...honest(nonce), at: new Date().toISOString() }),
    })
    await expect(forged.time.learn()).rejects.toThrow(/did not sign it/)
    expect(cloud.time.clock.offsetMs).toBe(0)
  })

  it('takes no answer that was given before', async () => {
    let first: object | undefined
    const cloud = await cloudOf({ behindMs: YEARS_MS, tell: (honest, nonce) => (first ??= honest(nonce)) })
    await cloud.time.learn()
    await expect(cloud.time.learn()).rejects.toThrow(/did not sign it/)
  })

  it('still takes no certificate that is over by the right time, nor one of another authority', async () => {
    const call = ({ url, authority, time }: Awaited<ReturnType<typeof cloudOf>>) =>
      callCloud({ method: 'GET', url: `${url}/ca`, roots: [authority.rootPem], redial: time.redial })
    const over = await cloudOf({ behindMs: 0, madeAgoMs: YEARS_MS })
    await expect(call(over)).rejects.toThrow(/certificate has expired.*it was good until 20/)
    const stranger = await openAuthority({ dir: folder(), clock: () => Date.now() + YEARS_MS })
    await expect(call(await cloudOf({ behindMs: YEARS_MS, serversBy: stranger }))).rejects.toThrow(
      /was not reached|did not sign it/,
    )
    expect(over.time.clock.offsetMs).toBe(0)
  })
})

describe('a broker of another authority, while the clock is wrong', () => {
  it('is refused in words that name the certificate, and nothing is sent to it', async () => {
    const stranger = await openAuthority({ dir: folder(), clock: () => Date.now() + YEARS_MS })
    const { certPem: cert, keyPem: key = '' } = await stranger.issueServer(['127.0.0.1'])
    const cloud = await cloudOf({ behindMs: YEARS_MS })
    const foreign = await startBroker({ cert, key, ca: cloud.authority.rootPem })
    const dir = folder()
    const file = join(dir, 'edge.yaml')
    await enrolEdge({ cloud: cloud.url, code: cloud.code, file })
    writeFileSync(join(dir, 'stranger.pem'), stranger.rootPem)
    writeFileSync(
      file,
      `version: 1\ngroup: plant\nedge: line-1\nmqtt: { url: "mqtts://127.0.0.1:${foreign.port}", caFile: stranger.pem }\ndevices: []\n`,
    )
    const agent = await agentOf(file)
    const error = async () => (await statusOf(agent)).uplink.lastError
    await expect.poll(error, PATIENT).toMatch(/is not taken: the authority of this box did not sign it/)
    expect(foreign.births).toEqual([])
  })
})
