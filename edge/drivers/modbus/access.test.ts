import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { NotConnectedError, type PolledDriver, WriteError } from '../driver.ts'
import type { ModbusAddress } from './address.ts'
import { modbus } from './index.ts'
import {
  type Answer,
  exception,
  frame,
  type Request,
  type ScriptedServer,
  scriptedServer,
} from './testing/scripted-server.ts'

const text = { en: 'x', 'zh-CN': 'x' }
const { signal } = new AbortController()
let server: ScriptedServer
let dataDir: string
let protocol: ReturnType<typeof modbus.start>

beforeEach(async () => {
  server = await scriptedServer()
  server.script = carriesOut
  dataDir = mkdtempSync(join(tmpdir(), 'andon-access-'))
  protocol = modbus.start({ now: () => 1_000_000, log: silentLog, dataDir })
})
afterEach(async () => {
  await protocol.close()
  rmSync(dataDir, { recursive: true })
  await server.close()
})

/** Answers a write as the standard says, and leaves reads to the server's own answer. */
function carriesOut(request: Request): Answer | undefined {
  const { transaction, unit, code, start, count, pdu } = request
  if (code < 5) return undefined
  if (code === 5 || code === 6) server.registers.set(start, count)
  if (code === 16) for (let i = 0; i < count; i++) server.registers.set(start + i, pdu.readUInt16BE(6 + 2 * i))
  return frame(transaction, unit, code === 22 ? pdu : pdu.subarray(0, 5))
}

type Driver = PolledDriver<ModbusAddress> & Required<Pick<PolledDriver<ModbusAddress>, 'readNow' | 'write'>>
type Quirks = NonNullable<DeviceProfile['modbus']>['quirks']

async function connected(quirks: Quirks = {}, config: Record<string, unknown> = {}): Promise<Driver> {
  const profile = { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'modbus' as const, tags: [] }
  const driver = protocol.createDriver({
    device: 'd',
    profile: { ...profile, modbus: { quirks } },
    config: { host: '127.0.0.1', port: server.port, unit: 1, timeoutMs: 10_000, connectTimeoutMs: 10_000, ...config },
  }) as Driver
  await driver.connect(signal)
  return driver
}

const address = (driver: Driver, of: Partial<ProfileTag>) =>
  driver.parseAddress({ tag: 't', name: text, address: 'holding:7', type: 'uint16', ...of })
const sent = () => server.requests.map(({ pdu }) => pdu.toString('hex'))

describe('a write on the wire', () => {
  it.each<[string, Partial<ProfileTag>, number | boolean, { quirks?: Quirks; frames: string[] }]>([
    ['one register by function 6', {}, 0x1234, { frames: ['0600071234'] }],
    ['several by function 16', { type: 'int32' }, -2, { frames: ['100007000204fffffffe'] }],
    ['one by 16 where told', {}, 0x1234, { quirks: { registerWrites: 'multiple' }, frames: ['1000070001021234'] }],
    [
      'several by function 6 where told',
      { type: 'int32' },
      -2,
      { quirks: { registerWrites: 'single' }, frames: ['060007ffff', '060008fffe'] },
    ],
    ['a coil by function 5', { address: 'coil:3', type: 'bit' }, true, { frames: ['050003ff00'] }],
    [
      'a coil by function 15 where told',
      { address: 'coil:3', type: 'bit' },
      true,
      { quirks: { coilWrites: 'multiple' }, frames: ['0f000300010101'] },
    ],
    ['a bit by function 22', { address: 'holding:7.4', type: 'bit' }, true, { frames: ['160007ffef0010'] }],
    ['a bit by function 22, off', { address: 'holding:7.15', type: 'bit' }, false, { frames: ['1600077fff0000'] }],
  ])('sends %s', async (_, of, value, { quirks, frames }) => {
    const driver = await connected(quirks)
    await driver.write(address(driver, of), value, signal)
    expect(sent()).toEqual(frames)
    await driver.close()
  })

  it('reads, changes and writes a register only where the profile says that nobody else does', async () => {
    server.registers.set(7, 0b1001)
    const driver = await connected({ bitWrites: 'read-modify-write' })
    await driver.write(address(driver, { address: 'holding:7.1', type: 'bit' }), true, signal)
    expect(sent()).toEqual(['0300070001', '060007000b'])
    await driver.close()
  })

  it('of a bit says what to do when the device has no mask write, and touches nothing', async () => {
    server.script = (request) => exception(request, 1)
    const driver = await connected()
    const answer = driver.write(address(driver, { address: 'holding:7.1', type: 'bit' }), true, signal)
    await expect(answer).rejects.toThrow("set 'modbus: { quirks: { bitWrites: read-modify-write } }'")
    await expect(answer).rejects.toBeInstanceOf(WriteError)
    expect(sent()).toHaveLength(1)
    await driver.close()
  })

  it('that the device refuses was not carried out, for certain', async () => {
    server.script = (request) => exception(request, 3)
    const driver = await connected()
    const answer = driver.write(address(driver, {}), 5, signal)
    await expect(answer).rejects.toBeInstanceOf(WriteError)
    await expect(answer).rejects.toThrow('holding:7: the device refuses this value or count (exception 3)')
    await driver.close()
  })

  it('of a busy device is asked for again, for it has not been carried out', async () => {
    server.script = (request) => (server.requests.length < 3 ? exception(request, 6) : carriesOut(request))
    const driver = await connected()
    await driver.write(address(driver, {}), 5, signal)
    expect(sent()).toHaveLength(3)
    await driver.close()
  })

  it('is taken when the device only needs more time', async () => {
    server.script = (request) => exception(request, 5)
    const driver = await connected()
    await driver.write(address(driver, {}), 5, signal)
    expect(sent()).toHaveLength(1)
    await driver.close()
  })

  it('without an answer is known by nobody, and not sent again', async () => {
    server.script = () => 'silence'
    const driver = await connected({}, { timeoutMs: 50 })
    await expect(driver.write(address(driver, {}), 5, signal)).rejects.toBeInstanceOf(NotConnectedError)
    expect(sent()).toHaveLength(1)
    await driver.close()
  })

  it('answered by something else closes the link', async () => {
    server.script = ({ transaction, unit }) => frame(transaction, unit, Buffer.from([6, 0, 7, 0, 9]))
    const driver = await connected()
    await expect(driver.write(address(driver, {}), 5, signal)).rejects.toBeInstanceOf(NotConnectedError)
    expect(protocol.lanes()[0]?.isOpen).toBe(false)
    await driver.close()
  })

  it('of half a value is not called "not written"', async () => {
    server.script = (request) => (request.start === 8 ? exception(request, 2) : carriesOut(request))
    const driver = await connected({ registerWrites: 'single' })
    const answer = driver.write(address(driver, { type: 'uint32' }), 70_000, signal)
    await expect(answer).rejects.toThrow('half of the value was written')
    await expect(answer).rejects.toBeInstanceOf(NotConnectedError)
    await driver.close()
  })

  it('goes before the blocks of a scan that wait', async () => {
    const driver = await connected({}, { maxGap: 0, maxBlock: 1 })
    const tags = new Map([1, 3, 5].map((at) => [`t${at}`, address(driver, { address: `holding:${at}` })]))
    const first = Promise.withResolvers<void>()
    server.script = (request) => {
      first.resolve()
      return carriesOut(request)
    }
    const scan = driver.read(tags, { scan: 'normal', withinMs: 1000, signal })
    await first.promise
    await Promise.all([driver.write(address(driver, {}), 5, signal), scan])
    expect(server.requests.map(({ code }) => code).indexOf(6)).toBeLessThan(3)
    await driver.close()
  })
})

describe('a reading out of turn', () => {
  it('tells the registers beside the value and its power of ten', async () => {
    server.registers.set(7, 0x0001).set(8, 0x1170).set(9, 0xffff)
    const driver = await connected()
    const reading = await driver.readNow('t', address(driver, { type: 'uint32', scaleFactor: 'holding:9' }), signal)
    expect(reading).toMatchObject({ sample: { value: 70_000, exponent: -1, quality: 192 }, registers: [1, 0x1170] })
    await driver.close()
  })

  it('of an address that the device has not is bad, with the reason', async () => {
    server.script = (request) => exception(request, 2)
    const driver = await connected()
    const { sample } = await driver.readNow('t', address(driver, {}), signal)
    expect(sample).toMatchObject({
      value: null,
      quality: 0,
      reason: 'holding:7: the device has no such address (exception 2)',
    })
    await driver.close()
  })
})
