import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AttributeIds,
  ClientMonitoredItem,
  type ClientSession,
  DataType,
  type DataValue,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
} from 'node-opcua'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseProfile } from '#shared/config/profile.ts'
import { type OpcuaSimulator, serveOpcua } from './opcua-server.ts'

const URI = 'urn:test:kettle'
/** After every time that the tests before use: a node's time moves on. */
const LATER = 1_802_000_000_000
const tag = (name: string, node: string, type: string, more = '') =>
  `  - { tag: ${name}, name: { en: ${name}, zh-CN: ${name} }, address: "nsu=${URI};s=${node}", type: ${type}${more} }\n`
const profile = parseProfile(
  `profile: kettle
version: 1
name: { en: Kettle, zh-CN: 釜 }
assetClass: kettle
protocol: opcua
tags:
${tag('pressure', 'Pressure', 'float64')}${tag('batches', 'Batches', 'uint64')}${tag('state', 'State', 'uint16')}${tag('open', 'Open', 'bit')}${tag('setpoint', 'Setpoint', 'float32', ', writable: true')}alarms:
  - alarm: pressure-high
    name: { en: Pressure high, zh-CN: 压力高 }
    tag: pressure
    priority: low
    condition: { kind: limit, levels: [{ level: H, setpoint: 3000 }] }
`,
  'kettle.yaml',
)
const folder = mkdtempSync(join(tmpdir(), 'andon-opcua-'))
const written: [string, string, unknown][] = []
const sent: [string, string, unknown, number][] = []
let server: OpcuaSimulator
let session: ClientSession
let client: OPCUAClient
let index: number

beforeAll(async () => {
  server = await serveOpcua({
    host: '127.0.0.1',
    port: 0,
    dataDir: folder,
    devices: [{ device: 'kettle-1', profile }],
    initial: [{ device: 'kettle-1', tag: 'pressure', raw: 2705.5, at: 1_800_000_000_000 }],
    onWrite: (device, name, value) => written.push([device, name, value]),
    hasConditions: true,
    hasHistory: true,
    onSent: (device, { tag: name }, { raw, at }) => sent.push([device, name, raw, at]),
  })
  const clientCertificateManager = new OPCUACertificateManager({
    rootFolder: join(folder, 'client-pki'),
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  })
  client = OPCUAClient.create({
    securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy.Basic256Sha256,
    clientCertificateManager,
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 1 },
  })
  await client.connect(server.url)
  session = await client.createSession()
  index = (await session.readNamespaceArray()).indexOf(URI)
})
afterAll(async () => {
  await session.close()
  await client.disconnect()
  await server.close()
})

const read = (node: string) => session.read({ nodeId: `ns=${index};s=${node}`, attributeId: AttributeIds.Value })

describe('a simulated OPC UA device, read by a client over Basic256Sha256', () => {
  it('serves the value and source time that it had before anybody came', async () => {
    const value = await read('Pressure')
    expect(value.value.value).toBe(2705.5)
    expect(value.sourceTimestamp?.getTime()).toBe(1_800_000_000_000)
  })

  it('serves 64-bit integers, codes and switches in their own types', async () => {
    server.set('kettle-1', 'batches', 2n ** 40n + 3n, 1_800_000_000_001)
    server.set('kettle-1', 'state', 7, 1_800_000_000_001)
    server.set('kettle-1', 'open', true, 1_800_000_000_001)
    expect([...((await read('Batches')).value.value as [number, number])]).toEqual([256, 3])
    expect((await read('State')).value.value).toBe(7)
    expect((await read('Open')).value.value).toBe(true)
  })

  it('says by its status that it has no value', async () => {
    server.set('kettle-1', 'state', null, 1_800_000_000_002)
    expect((await read('State')).statusCode.name).toBe('BadNotSupported')
  })

  it('notifies subscribers of every change at its source time', async () => {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: 50,
      requestedLifetimeCount: 600,
      requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 100,
      publishingEnabled: true,
      priority: 1,
    })
    const item = ClientMonitoredItem.create(
      subscription,
      { nodeId: `ns=${index};s=Pressure`, attributeId: AttributeIds.Value },
      { samplingInterval: 0, queueSize: 20, discardOldest: true },
      TimestampsToReturn.Both,
    )
    const seen: [number, number][] = []
    const three = new Promise<void>((resolve) => {
      item.on('changed', (value: DataValue) => {
        seen.push([value.value.value, value.sourceTimestamp?.getTime() ?? 0])
        const next = 2705.5 + seen.length
        if (seen.length === 3) resolve()
        else server.set('kettle-1', 'pressure', next, 1_800_000_000_000 + seen.length)
      })
    })
    await three
    expect(seen).toEqual([
      [2705.5, 1_800_000_000_000],
      [2706.5, 1_800_000_000_001],
      [2707.5, 1_800_000_000_002],
    ])
    await subscription.terminate()
  })

  it('tells once which values its notifications carried, and nothing of those that no notification carried', async () => {
    const firstValueOf = async (node: string) => {
      const subscription = await session.createSubscription2({
        requestedPublishingInterval: 50,
        publishingEnabled: true,
      })
      const item = ClientMonitoredItem.create(
        subscription,
        { nodeId: `ns=${index};s=${node}`, attributeId: AttributeIds.Value },
        { samplingInterval: 0, queueSize: 1, discardOldest: true },
        TimestampsToReturn.Both,
      )
      await new Promise((resolve) => item.once('changed', resolve))
      await subscription.terminate()
    }
    sent.length = 0
    server.set('kettle-1', 'pressure', 1, 1_800_000_000_010)
    server.set('kettle-1', 'pressure', 2, 1_800_000_000_011)
    server.set('kettle-1', 'batches', 2n ** 40n + 4n, 1_800_000_000_011)
    await firstValueOf('Pressure')
    await firstValueOf('Pressure')
    await firstValueOf('Batches')
    expect(sent).toEqual([
      ['kettle-1', 'pressure', 2, 1_800_000_000_011],
      ['kettle-1', 'batches', 2n ** 40n + 4n, 1_800_000_000_011],
    ])
  })

  it('takes a write to a writable tag and refuses the others', async () => {
    const write = (node: string, value: number, dataType: DataType) =>
      session.write({
        nodeId: `ns=${index};s=${node}`,
        attributeId: AttributeIds.Value,
        value: { value: { dataType, value } },
      })
    expect((await write('Setpoint', 12.5, DataType.Float)).name).toBe('Good')
    expect(written).toContainEqual(['kettle-1', 'setpoint', 12.5])
    expect((await write('Pressure', 1, DataType.Double)).name).toBe('BadNotWritable')
  })

  it('has a condition for each limit alarm, which waits for an acknowledgement while it is active', async () => {
    const high = () => server.condition('kettle-1', 'pressure-high')
    expect(high()).toEqual({ isActive: false, isAcknowledged: true, comment: '' })
    server.set('kettle-1', 'pressure', 3100, LATER)
    expect(high()).toMatchObject({ isActive: true, isAcknowledged: false })
    server.set('kettle-1', 'pressure', 2900, LATER + 1)
    expect(high()).toMatchObject({ isActive: false })
    expect(server.condition('kettle-1', 'unknown')).toBeUndefined()
  })

  it('keeps what its nodes were', async () => {
    const since = LATER + 1000
    for (const [i, value] of [2701, 2702].entries()) server.set('kettle-1', 'pressure', value, since + i)
    const past = await session.readHistoryValue(`ns=${index};s=Pressure`, new Date(since), new Date(since + 10))
    const data = past.historyData as { dataValues?: DataValue[] } | null
    expect(data?.dataValues?.map((one) => one.value.value)).toEqual([2701, 2702])
  })

  it('offers no other security than signed and encrypted Basic256Sha256', async () => {
    const offers = (await client.getEndpoints()).map((e) => [e.securityMode, e.securityPolicyUri])
    expect(offers).toEqual([[MessageSecurityMode.SignAndEncrypt, SecurityPolicy.Basic256Sha256]])
  })
})
