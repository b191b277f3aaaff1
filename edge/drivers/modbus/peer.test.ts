import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import modbusSerial from 'modbus-serial'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import type { PolledDriver } from '../driver.ts'
import type { ModbusAddress } from './address.ts'
import { openConnection } from './connection.ts'
import { modbus } from './index.ts'
import { checkWriteReply, writeCoilsRequest, writeRegistersRequest } from './pdu.ts'

const { ServerTCP } = modbusSerial
const registers = new Uint16Array(200)
const coils = new Array<boolean>(64).fill(false)
const text = { en: 'x', 'zh-CN': 'x' }
const signal = new AbortController().signal

let server: InstanceType<typeof ServerTCP>
let port: number

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const free = (probe.address() as AddressInfo).port
  probe.close()
  await once(probe, 'close')
  return free
}

beforeAll(async () => {
  const vector = {
    getInputRegister: (address: number) => registers[address] ?? 0,
    getHoldingRegister: (address: number) => registers[address] ?? 0,
    getCoil: (address: number) => coils[address] ?? false,
    getDiscreteInput: (address: number) => coils[address] ?? false,
    setRegister: (address: number, value: number) => {
      registers[address] = value
    },
    setCoil: (address: number, value: boolean) => {
      coils[address] = value
    },
  }
  // This server reads port 0 as 502, which an ordinary user may not open: it is told a free one.
  port = await freePort()
  server = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: 7 })
  await once(server, 'initialized')
})
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

describe('a Modbus server of another maker', () => {
  it('is understood in what is written and read by every function', async () => {
    const connection = await openConnection({ host: '127.0.0.1', port, connectTimeoutMs: 1000 }, signal)
    const writes = [
      writeRegistersRequest(10, [0x1234]),
      writeRegistersRequest(20, [0x40c9, 0x0fdb]),
      writeCoilsRequest(3, [true]),
      writeCoilsRequest(8, [true, false, true]),
    ]
    for (const pdu of writes) checkWriteReply(pdu, await connection.request(7, pdu, 1000))
    connection.close('closed', 'done')

    const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir: '/nonexistent' })
    const driver = protocol.createDriver({
      device: 'd',
      profile: { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'modbus', tags: [] },
      config: { host: '127.0.0.1', port, unit: 7, timeoutMs: 1000, connectTimeoutMs: 1000 },
    }) as PolledDriver<ModbusAddress>
    const address = (tag: string, written: string, type: ProfileTag['type']) =>
      [tag, driver.parseAddress({ tag, name: text, address: written, type })] as const
    const tags = new Map([
      address('word', 'holding:10', 'uint16'),
      address('pi', 'input:20', 'float32'),
      address('three', 'coil:3', 'bit'),
      address('nine', 'discrete:9', 'bit'),
      address('ten', 'discrete:10', 'bit'),
    ])
    await driver.connect(signal)
    const samples = await driver.read(tags, { scan: 'normal', withinMs: 1000, signal })
    await driver.close()
    const values = Object.fromEntries(samples.map((s) => [s.tag, s.value]))
    expect(values).toEqual({ word: 0x1234, pi: Math.fround(6.2831855), three: true, nine: false, ten: true })
  })
})
