import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StatusCodes } from 'node-opcua'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { NotConnectedError, type Protocol } from '../driver.ts'
import { opcua } from './index.ts'
import { Device } from './testing/device.ts'
import { NAMESPACE, setNumber, startServer, TAGS, type TestServer } from './testing/server.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-opcua-'))

let plant: TestServer
let protocol: Protocol
let device: Device | undefined
const startProtocol = (dataDir: string) => opcua.start({ now: Date.now, log: silentLog, dataDir })

beforeAll(async () => {
  plant = await startServer({ pki: join(root, 'server') })
  protocol = startProtocol(join(root, 'edge'))
})
afterAll(async () => {
  await protocol.close()
  await plant.server.shutdown(0)
  rmSync(root, { recursive: true })
})
afterEach(async () => {
  await device?.stop()
  device = undefined
})

const connected = async (config: Record<string, unknown> = {}) => {
  device = new Device(protocol, { url: plant.url, ...config })
  await device.connect()
  return device
}

describe('an OPC UA server', () => {
  it('reports every value at first and each change after, signed and encrypted', async () => {
    const machine = await connected()
    machine.subscribe(TAGS)
    await machine.waitFor(() => machine.samples.length >= 4)
    expect(Object.fromEntries(machine.samples.slice(0, 4).map((s) => [s.tag, s.value]))).toEqual({
      temperature: 20.5,
      count: (1n << 32n) | 2n,
      on: true,
      recipe: 'A7',
    })
    setNumber(plant.nodes.temperature, 21.5)
    await machine.waitFor(() => machine.last('temperature')?.value === 21.5)
    expect(Math.abs((machine.last('temperature')?.sourceAt ?? 0) - Date.now())).toBeLessThan(2000)
  })

  it('tells bad and uncertain values as such', async () => {
    const machine = await connected()
    machine.subscribe({ temperature: TAGS.temperature })
    await machine.waitFor(() => machine.samples.length > 0)
    setNumber(plant.nodes.temperature, 1, new Date(), StatusCodes.BadSensorFailure)
    await machine.waitFor(() => machine.last('temperature')?.quality === 0)
    expect(machine.last('temperature')).toMatchObject({ value: null, reason: 'the server says BadSensorFailure' })
    setNumber(plant.nodes.temperature, 1, new Date(), StatusCodes.UncertainSubNormal)
    await machine.waitFor(() => machine.last('temperature')?.quality === 64)
    setNumber(plant.nodes.temperature, 1)
    await machine.waitFor(() => machine.last('temperature')?.quality === 192)
  })

  it('makes a tag bad that it does not have, and no other of its batch', async () => {
    const machine = await connected({ batch: 50 })
    machine.subscribe({ ...TAGS, ghost: `nsu=${NAMESPACE};s=Ghost`, lost: 'nsu=urn:elsewhere;s=X' })
    await machine.waitFor(() => new Set(machine.samples.map((s) => s.tag)).size === 6)
    expect(machine.last('ghost')).toMatchObject({ quality: 0, reason: expect.stringContaining('BadNodeIdUnknown') })
    expect(machine.last('lost')).toMatchObject({ quality: 0, reason: expect.stringContaining('no such namespace') })
    expect(machine.last('recipe')).toMatchObject({ value: 'A7', quality: 192 })
  })
})

describe('a write to an OPC UA server', () => {
  const soon = () => AbortSignal.timeout(5000)
  const address = (machine: Device, written: string) =>
    machine.driver.parseAddress({ tag: 't', name: { en: 't', 'zh-CN': 't' }, address: written, type: 'float64' })

  it('stands in the type of the node and reads back, beside the subscription', async () => {
    const machine = await connected()
    machine.subscribe(TAGS)
    await machine.waitFor(() => machine.samples.length >= 4)
    for (const [written, value] of [
      [TAGS.temperature, 33.25],
      [TAGS.count, 2n ** 63n],
      [TAGS.on, false],
      [TAGS.recipe, 'B9'],
    ] as const) {
      await machine.driver.write?.(address(machine, written), value, soon())
      const back = await machine.driver.readNow?.('t', address(machine, written), soon())
      expect(back?.sample).toMatchObject({ tag: 't', value, quality: 192 })
    }
    await machine.waitFor(() => machine.last('recipe')?.value === 'B9')
    await machine.driver.write?.(address(machine, TAGS.recipe), 'A7', soon())
    await machine.driver.write?.(address(machine, TAGS.temperature), 20.5, soon())
  })

  it('that the node or the server refuses has written nothing and says why', async () => {
    const machine = await connected()
    const refusal = (written: string, value: number) => machine.driver.write?.(address(machine, written), value, soon())
    await expect(refusal(TAGS.count, -1)).rejects.toMatchObject({
      name: 'WriteError',
      message: /0 to 18446744073709551615/,
    })
    await expect(refusal('i=2258', 1)).rejects.toMatchObject({ name: 'WriteError' })
    await expect(refusal(`nsu=${NAMESPACE};s=Ghost`, 1)).rejects.toMatchObject({ message: /BadNodeIdUnknown/ })
    await expect(refusal('nsu=urn:elsewhere;s=X', 1)).rejects.toMatchObject({ message: /no such namespace/ })
  })

  it('to a link that is lost meanwhile fails as unknown', async () => {
    const machine = await connected()
    const writing = machine.driver.write?.(address(machine, TAGS.temperature), 20.5, soon())
    process.kill(workerPid(), 'SIGKILL')
    await expect(writing).rejects.toBeInstanceOf(NotConnectedError)
  })
})

describe('the certificate of an OPC UA server', () => {
  it('waits for a person unless told to accept the first; moved to trusted it is accepted', async () => {
    const dataDir = join(root, 'careful')
    const careful = startProtocol(dataDir)
    const machine = new Device(careful, { url: plant.url, trust: 'listed' })
    const untrusted = { kind: 'untrusted', message: expect.stringContaining('not trusted yet') }
    await expect(machine.connect()).rejects.toMatchObject(untrusted)
    await machine.driver.close()
    const pending = join(dataDir, 'opcua', 'pending')
    const [file = ''] = readdirSync(pending)
    renameSync(pending, join(dataDir, 'opcua', 'trusted'))
    expect(file).toMatch(/^[0-9a-f]{40}\.der$/)
    await machine.driver.connect(new AbortController().signal)
    await machine.driver.close()
    await careful.close()
  })

  it('is not accepted when another one was the first at this address', async () => {
    const first = await startServer({ pki: join(root, 'one') })
    const { port } = new URL(first.url)
    device = new Device(protocol, { url: first.url })
    await device.connect()
    await device.stop()
    await first.server.shutdown(0)
    const second = await startServer({ pki: join(root, 'two'), port: Number(port) })
    device = new Device(protocol, { url: first.url })
    await expect(device.connect()).rejects.toMatchObject({ kind: 'untrusted' })
    await second.server.shutdown(0)
  })
})

describe('a link that cannot be made', () => {
  it('is told in its kind: nobody listens', async () => {
    device = new Device(protocol, { url: 'opc.tcp://127.0.0.1:1' })
    await expect(device.connect()).rejects.toMatchObject({ name: 'NotConnectedError', kind: 'refused' })
  })

  it('is told in its kind: the user is refused', async () => {
    device = new Device(protocol, { url: plant.url, username: 'edge', password: 'wrong' })
    await expect(device.connect()).rejects.toMatchObject({ kind: 'credentials' })
  })

  it('opens with the right user', async () => {
    const machine = await connected({ username: 'edge', password: 'right' })
    machine.subscribe({ recipe: TAGS.recipe })
    await machine.waitFor(() => machine.last('recipe')?.value === 'A7')
  })
})

describe('a link that ends', () => {
  it('is lost when the server shuts down, and stands again after connect', async () => {
    const other = await startServer({ pki: join(root, 'other') })
    const port = Number(new URL(other.url).port)
    device = new Device(protocol, { url: other.url })
    await device.connect()
    device.subscribe({ recipe: TAGS.recipe })
    await device.waitFor(() => device?.last('recipe')?.value === 'A7')
    await other.server.shutdown(0)
    expect(await device.ended).toBeInstanceOf(NotConnectedError)
    await device.driver.close()
    const restarted = await startServer({ pki: join(root, 'other'), port: port })
    await device.connect()
    device.subscribe({ temperature: TAGS.temperature })
    await device.waitFor(() => device?.last('temperature')?.value === 20.5)
    await device.stop()
    await restarted.server.shutdown(0)
  })

  it('is lost when the OPC UA process is killed, and a new process takes over at the next connect', async () => {
    const machine = await connected()
    machine.subscribe({ recipe: TAGS.recipe })
    await machine.waitFor(() => machine.last('recipe')?.value === 'A7')
    const killed = workerPid()
    process.kill(killed, 'SIGKILL')
    expect(await machine.ended).toMatchObject({ kind: 'driver-process' })
    await machine.driver.close()
    await machine.connect()
    machine.subscribe({ temperature: TAGS.temperature })
    await machine.waitFor(() => machine.last('temperature') !== undefined)
    expect(workerPid()).not.toBe(killed)
  })
})

/** The worker's process number, which the protocol shows as its lane's process. */
function workerPid(): number {
  const pid = protocol.lanes()[0]?.pid
  if (pid === undefined) throw new Error('There is no OPC UA process')
  return pid
}
