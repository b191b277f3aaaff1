import { mkdtempSync, rmSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as dialTls } from 'node:tls'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type Authority,
  type Issued,
  openAuthority,
  ownCertificate,
  type ServerCertificate,
} from '#cloud/platform/certificates/index.ts'
import { edgeUri } from '#shared/contracts/edge-uri.ts'
import { silentLog } from '#shared/log/log.ts'
import { formatTopic } from '#shared/sparkplug/topics.ts'
import { edgeOfNames } from './edge-uri.ts'
import { type EmbeddedBroker, startBroker } from './embedded.ts'
import { hashGeneratedSecret } from './secret.ts'

const PATIENT = { timeout: 15_000 }
const DAY_MS = 86_400_000
const LINE = { group: 'plant', edge: 'line-1' }
const OTHER = { group: 'plant', edge: 'line-2' }
const CHINESE = { group: '苏州', edge: 'A, 1' }
const known = new Set(['plant/line-1', 'plant/line-2', '苏州/A, 1'])
const root = mkdtempSync(join(tmpdir(), 'andon-tls-'))
const hash = hashGeneratedSecret('right')
const refused: string[] = []
const heard: string[] = []
const revoked = new Set<string>()
const clients: MqttClient[] = []
const metrics = {
  count: (_: string, __?: number, labels?: Readonly<Record<string, string>>) => void refused.push(labels?.reason ?? ''),
  gauge: () => undefined,
}

let now = Date.now()
let authority: Authority
let stranger: Authority
let certificate: ServerCertificate
let broker: EmbeddedBroker

beforeAll(async () => {
  authority = await openAuthority({ dir: join(root, 'own'), clock: () => now })
  stranger = await openAuthority({ dir: join(root, 'other'), clock: () => now })
  // Made long ago, so that it is due for renewal by now.
  now = Date.now() - 300 * DAY_MS
  const names = ['localhost', '127.0.0.1']
  certificate = await ownCertificate({ authority, dir: join(root, 'own'), names, clock: () => now, log: silentLog })
  now = Date.now()
})
beforeEach(async () => {
  for (const list of [refused, heard]) list.length = 0
  revoked.clear()
  broker = await startBroker({
    ...{ host: '127.0.0.1', port: 0, clock: Date.now, log: silentLog, metrics, limits: { connectSeconds: 1 } },
    secretHash: ({ group, edge }) => (known.has(`${group}/${edge}`) ? hash : undefined),
    tls: {
      ...{ host: '127.0.0.1', port: 0, certificate, clientAuthority: authority.rootPem },
      isRevoked: (serial) => revoked.has(serial),
    },
  })
  await broker.consume((topic) => void heard.push(formatTopic(topic)))
  for (const edge of [LINE, OTHER, CHINESE]) await broker.subscribeEdge(edge)
})
afterEach(async () => {
  now = Date.now()
  for (const client of clients.splice(0)) client.end(true)
  await broker.close()
})
afterAll(() => {
  certificate.close()
  rmSync(root, { recursive: true, force: true })
})

const shows = ({ certPem, keyPem }: Issued): IClientOptions => ({ cert: certPem, key: keyPem ?? '' })

/** Connects with TLS; resolves when admitted, rejects when refused or dropped. */
function connect(options: IClientOptions): Promise<MqttClient> {
  const client = mqtt.connect(`mqtts://localhost:${broker.tlsPort}`, {
    ...{ ca: authority.rootPem, protocolVersion: 4, reconnectPeriod: 0, ...options },
  })
  clients.push(client)
  return new Promise((resolve, reject) => {
    client.on('connect', () => resolve(client))
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed')))
  })
}

describe('the TLS port', () => {
  it.each([LINE, CHINESE])('knows an edge by its certificate, without a secret: %o', async (edge) => {
    const client = await connect(shows(await authority.issueClient(edgeUri(edge))))
    const topic = formatTopic({ message: 'NBIRTH', ...edge })
    await client.publishAsync(topic, 'x', { qos: 1 })
    expect(heard).toEqual([topic])
  })

  it('knows an edge by user name and secret, without a certificate', async () => {
    await connect({ username: 'plant/line-1', password: 'right' })
    await expect(connect({ username: 'plant/line-1', password: 'wrong' })).rejects.toThrow(/Bad username/)
    await expect(connect({})).rejects.toThrow(/Bad username/)
    expect(refused).toEqual(['unknown-edge-or-bad-secret', 'no-edge-user-name'])
  })

  it('drops a client with a certificate that is over', async () => {
    now = Date.now() - 900 * DAY_MS
    const issued = await authority.issueClient(edgeUri(LINE))
    await expect(connect(shows(issued))).rejects.toThrow()
    expect(refused).toEqual(['certificate-not-good'])
  })

  it('drops a client with a certificate of another authority, even with the right secret', async () => {
    const issued = await stranger.issueClient(edgeUri(LINE))
    await expect(connect({ ...shows(issued), username: 'plant/line-1', password: 'right' })).rejects.toThrow()
    expect(refused).toEqual(['certificate-not-good'])
  })

  it('drops a client with a certificate that was taken back, and takes one not taken back', async () => {
    const [lost, kept] = [await authority.issueClient(edgeUri(LINE)), await authority.issueClient(edgeUri(LINE))]
    revoked.add(lost.serial)
    await expect(connect(shows(lost))).rejects.toThrow()
    expect(refused).toEqual(['certificate-not-good'])
    await connect(shows(kept))
  })

  it('drops a client that shows the certificate of a server', async () => {
    await expect(connect(shows(await authority.issueServer(['localhost'])))).rejects.toThrow()
    expect(refused).toEqual(['certificate-not-good'])
  })

  it('takes no certificate for another edge than the one it names', async () => {
    const issued = await authority.issueClient(edgeUri(OTHER))
    await expect(connect({ ...shows(issued), username: 'plant/line-1', password: 'right' })).rejects.toThrow(
      /Not authorized/,
    )
    expect(refused).toEqual(['certificate-of-another-edge'])
    const client = await connect(shows(issued))
    const gone = new Promise<void>((resolve) => client.on('close', () => resolve()))
    client.publish('spBv1.0/plant/NDATA/line-1', 'forged')
    await gone
    expect(heard).toEqual([])
  })

  it('refuses a certificate of an edge that nobody registered, and one that names no edge', async () => {
    const unknown = await authority.issueClient(edgeUri({ group: 'plant', edge: 'line-9' }))
    const other = await authority.issueClient('urn:example:person:42')
    await expect(connect(shows(unknown))).rejects.toThrow(/Not authorized/)
    await expect(connect(shows(other))).rejects.toThrow(/Not authorized/)
    expect(refused).toEqual(['unknown-edge', 'certificate-of-no-edge'])
  })

  it('shows a renewed certificate to whoever comes after', async () => {
    const serial = () =>
      new Promise((resolve) => {
        const socket = dialTls({ port: broker.tlsPort ?? 0, host: '127.0.0.1', ca: authority.rootPem }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber)
          socket.destroy()
        })
      })
    const before = await serial()
    await certificate.check()
    expect(await serial()).not.toBe(before)
  })

  it('speaks no TLS older than 1.2', async () => {
    const answer = new Promise((resolve) => {
      const socket = dialTls({
        ...{ port: broker.tlsPort ?? 0, host: '127.0.0.1', ca: authority.rootPem },
        ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      })
      socket.once('secureConnect', () => resolve('connected'))
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
    })
    expect(await answer).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  })

  it('drops a client that never ends its handshake, and gives its place back', async () => {
    const socket = dial(broker.tlsPort ?? 0, '127.0.0.1')
    const gone = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.write(Buffer.from([0x16, 3, 1]))
    await gone
    expect(refused).toEqual(['tls-fault'])
    await expect.poll(() => broker.connections(), PATIENT).toBe(0)
  })

  it('that is taken is told under its setting, and the other port is given back', async () => {
    const options = { host: '127.0.0.1', port: 0, clock: Date.now, log: silentLog, secretHash: () => undefined }
    const tls = { host: '127.0.0.1', certificate, clientAuthority: authority.rootPem }
    const first = await startBroker(options)
    await first.close()
    const attempt = startBroker({ ...options, port: first.port, tls: { ...tls, port: broker.tlsPort ?? 0 } })
    await expect(attempt).rejects.toThrow(/MQTT port \d+ .* ANDON_MQTTS_PORT/)
    const again = await startBroker({ ...options, port: first.port })
    await again.close()
  })

  it('gives every place back, also after refusals', async () => {
    const good = await connect(shows(await authority.issueClient(edgeUri(LINE))))
    await connect({ username: 'plant/line-2', password: 'wrong' }).catch(() => undefined)
    await connect(shows(await stranger.issueClient(edgeUri(LINE)))).catch(() => undefined)
    await expect.poll(() => broker.connections(), PATIENT).toBe(1)
    good.end(true)
    await expect.poll(() => broker.connections(), PATIENT).toBe(0)
  })
})

describe('the name of an edge in a certificate', () => {
  it.each([LINE, CHINESE, { group: "a'(b)*!", edge: '100% "x"' }])('comes back as it went in: %o', (edge) => {
    expect(edgeOfNames(`DNS:x, URI:${edgeUri(edge)}`)).toEqual(edge)
  })

  it.each([
    undefined,
    'DNS:urn:andon:edge:a/b',
    'URI:urn:andon:edge:a',
    'URI:urn:andon:edge:a/b/c',
    'URI:urn:andon:edge:a/%2B',
    'URI:urn:andon:edge:a/%zz',
    'URI:urn:andon:edge:a/b, URI:urn:andon:edge:a/c',
    'URI:"urn:andon:edge:a/b\\u002c URI:urn:andon:edge:a/c"',
  ])('is none in %s', (names) => {
    expect(edgeOfNames(names)).toBeUndefined()
  })
})
