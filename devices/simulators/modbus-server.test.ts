import { connect } from 'node:net'
import modbusSerial from 'modbus-serial'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseProfile } from '#shared/config/profile.ts'
import { type ModbusServer, serveModbus } from './modbus-server.ts'
import { createUnit } from './modbus-unit.ts'

const tag = (name: string, address: string, type: string, more = '') =>
  `  - { tag: ${name}, name: { en: ${name}, zh-CN: ${name} }, address: "${address}", type: ${type}${more} }\n`
const profile = parseProfile(
  `profile: box
version: 1
name: { en: Box, zh-CN: 箱 }
assetClass: box
protocol: modbus
tags:
${tag('level', 'holding:0', 'int16', ', writable: true')}${tag('flow', 'holding:1', 'float32')}${tag('far', 'holding:100', 'uint16')}${tag('heat', 'input:5', 'uint32', ', wordOrder: CDAB')}${tag('valve', 'coil:3', 'bit', ', writable: true')}${tag('pump', 'coil:4', 'bit', ', writable: true')}${tag('door', 'discrete:7', 'bit')}${tag('ready', 'holding:3.5', 'bit')}`,
  'box.yaml',
)
const written: [number, string, unknown][] = []
const units = new Map(
  [1, 2].map((id) => [id, createUnit({ device: `box-${id}`, profile, latencyMs: 0, registers: { 9: 0xbeef } })]),
)
let server: ModbusServer
const client = new modbusSerial.default()

beforeAll(async () => {
  server = await serveModbus({
    host: '127.0.0.1',
    port: 0,
    units,
    events: (id) => ({
      onRead() {},
      onWrite: (tags) => written.push(...tags.map((t): [number, string, unknown] => [id, t.tag, t.value])),
    }),
  })
  for (const [id, unit] of units) {
    unit.set('level', -7 * id, -7 * id, 0)
    unit.set('flow', 1.5, 1.5, 0)
    unit.set('heat', 70_000, 70_000, 0)
    unit.set('valve', true, true, 0)
    unit.set('door', true, true, 0)
    unit.set('ready', true, true, 0)
  }
  await client.connectTCP('127.0.0.1', { port: server.port })
  client.setTimeout(2000)
})
afterAll(async () => {
  client.close(() => {})
  await server.close()
})

const as = (unit: number) => {
  client.setID(unit)
  return client
}
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { modbusCode?: number }) => error.modbusCode,
  )

describe('a simulated Modbus device, read by another maker’s client', () => {
  it('answers for several units on one port', async () => {
    expect((await as(1).readHoldingRegisters(0, 1)).buffer.readInt16BE()).toBe(-7)
    expect((await as(2).readHoldingRegisters(0, 1)).buffer.readInt16BE()).toBe(-14)
  })

  it('serves holding and input registers in the word order of each tag', async () => {
    expect((await as(1).readHoldingRegisters(1, 2)).buffer.readFloatBE()).toBe(1.5)
    expect((await as(1).readInputRegisters(5, 2)).data).toEqual([70_000 & 0xffff, 70_000 >>> 16])
    expect((await as(1).readHoldingRegisters(3, 1)).data).toEqual([1 << 5])
    expect((await as(1).readHoldingRegisters(9, 1)).data).toEqual([0xbeef])
  })

  it('serves coils and discrete inputs', async () => {
    expect((await as(1).readCoils(3, 2)).data.slice(0, 2)).toEqual([true, false])
    expect((await as(1).readDiscreteInputs(7, 1)).data[0]).toBe(true)
  })

  it('takes writes by function 5, 6, 15 and 16, and tells the machine in engineering units', async () => {
    await as(1).writeRegister(0, 42)
    await as(1).writeRegisters(0, [43])
    await as(1).writeCoil(4, true)
    await as(1).writeCoils(3, [false, true])
    expect((await as(1).readHoldingRegisters(0, 1)).data).toEqual([43])
    expect((await as(1).readCoils(3, 2)).data.slice(0, 2)).toEqual([false, true])
    expect(written).toEqual([
      [1, 'level', 42],
      [1, 'level', 43],
      [1, 'pump', true],
      [1, 'valve', false],
      [1, 'pump', true],
    ])
  })

  it('reads short holes as 0 and refuses what it does not have with exception 2', async () => {
    expect((await as(1).readHoldingRegisters(0, 10)).data[7]).toBe(0)
    expect(await refusal(as(1).readHoldingRegisters(50, 1))).toBe(2)
    expect(await refusal(as(1).readHoldingRegisters(90, 11))).toBe(2)
    expect(await refusal(as(1).writeRegister(1, 1))).toBe(2)
  })

  it('refuses a function that it does not know with exception 1 and a wrong length with 3', async () => {
    expect(await rawAnswer(server.port, '000100000006012b0e010000')).toBe('000100000003' + '01' + 'ab01')
    expect(await rawAnswer(server.port, '00020000000601030000007e')).toBe('000200000003' + '01' + '8303')
  })

  it('says that a unit is not there', async () => {
    expect(await rawAnswer(server.port, '000300000006090300000001')).toBe('000300000003' + '09' + '830b')
  })

  it('answers requests that arrive in pieces or together', async () => {
    const one = '000400000006010300000001'
    expect(await rawAnswer(server.port, one.slice(0, 10), one.slice(10))).toMatch(/^00040000000501030200/)
    expect(await rawAnswer(server.port, one + one.replace('0004', '0005'))).toMatch(/^0004.*0005/)
  })

  it('takes the time that it is told to answer, in order', async () => {
    const slow = createUnit({ device: 'slow', profile, latencyMs: 40, registers: { 9: 1 } })
    const events = () => ({ onRead() {}, onWrite() {} })
    const other = await serveModbus({ host: '127.0.0.1', port: 0, units: new Map([[1, slow]]), events })
    const began = performance.now()
    const one = '000600000006010300090001'
    expect(await rawAnswer(other.port, one + one.replace('0006', '0007'))).toMatch(/^0006.*0007/)
    expect(performance.now() - began).toBeGreaterThan(35)
    await other.close()
  })

  it('hangs up on what is not Modbus', async () => {
    expect(await rawAnswer(server.port, Buffer.from('GET / HTTP/1.1\r\n').toString('hex'))).toBe('')
  })
})

/** Sends bytes as they are and resolves to what comes back within the first answer, or '' when the peer hangs up. */
function rawAnswer(port: number, ...parts: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      for (const part of parts) socket.write(Buffer.from(part, 'hex'))
    })
    let text = ''
    const wanted = parts.join('').length > 24 ? 2 : 1
    socket.on('data', (chunk) => {
      text += chunk.toString('hex')
      if (text.length >= wanted * 18) {
        socket.destroy()
        resolve(text)
      }
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => resolve(text))
  })
}
