import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import modbusSerial from 'modbus-serial'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceCommand } from '#shared/contracts/device-command.ts'
import type { Device } from '#shared/contracts/edge.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Client } from '#tests/support/client.ts'
import { type Demo, startDemo } from '#tests/support/demo.ts'

interface Endpoint {
  readonly device: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
}

const SETPOINT = 'pressure-setpoint'
let demo: Demo
let engineer: Client
let commandsUrl: string
/** Another program at the device, to see what really stands there. */
const panel = new modbusSerial.default()

beforeAll(async () => {
  demo = await startDemo()
  engineer = await demo.signIn('engineer')
  const device = await engineer.until('the compressor', async () => {
    const { items } = await engineer.get<PageOf<Device>>('/api/devices')
    return items.find((candidate) => candidate.device === 'compressor-1' && candidate.status === 'online')
  })
  commandsUrl = `/api/devices/${device.id}/commands`
  const known = join(demo.data, 'demo', 'endpoints.json')
  await engineer.until('addresses of the plant', async () => existsSync(known))
  const { endpoints } = JSON.parse(readFileSync(known, 'utf8')) as { endpoints: Endpoint[] }
  const { host, port, unit } = endpoints.find((endpoint) => endpoint.device === 'compressor-1')?.modbus ?? {}
  await panel.connectTCP(host ?? '', { port: port ?? 0 })
  panel.setID(unit ?? 0)
})
afterAll(async () => {
  panel.close(() => undefined)
  engineer?.close()
  await demo?.stop()
  demo?.remove()
})

const register = async () => (await panel.readHoldingRegisters(0, 1)).data[0]

async function write(writes: readonly object[], key = randomUUID() as string): Promise<DeviceCommand> {
  const { body } = await engineer.send<DeviceCommand>('POST', commandsUrl, { writes }, { 'idempotency-key': key })
  if (body.status !== 'pending') return body
  return engineer.until('the result', async () => {
    const command = await engineer.get<DeviceCommand>(`${commandsUrl}/${key}`)
    return command.status !== 'pending' && command
  })
}

/** The edge takes one write a second of a tag: a refusal for that reason is asked again, as its text says. */
async function patiently(writes: readonly object[]): Promise<DeviceCommand> {
  return engineer.until('the tag takes a write again', async () => {
    const command = await write(writes)
    return !command.error?.includes('takes one write in') && command
  })
}

describe('a value that an engineer writes', () => {
  it('stands in the register of the machine, and the result says done', async () => {
    const key = randomUUID()
    expect(await write([{ tag: SETPOINT, value: 8.2 }], key)).toMatchObject({ status: 'done', error: null })
    expect(await register()).toBe(82)
    const again = await write([{ tag: SETPOINT, value: 8.2 }], key)
    expect(again).toMatchObject({ id: key, status: 'done' })
  })

  it('is refused at once after another, with the time to wait', async () => {
    await patiently([{ tag: SETPOINT, value: 7.5 }])
    const second = await write([{ tag: SETPOINT, value: 7.6 }])
    expect(second).toMatchObject({ status: 'refused', error: expect.stringContaining('Send it again in') })
    expect(await register()).toBe(75)
  })

  it('is refused beyond its range, and when something else is there than expected', async () => {
    await patiently([{ tag: SETPOINT, value: 7 }])
    const high = await write([{ tag: SETPOINT, value: 12 }])
    expect(high).toMatchObject({ status: 'refused', error: expect.stringContaining('Write 4 to 10 bar') })
    const stale = await patiently([{ tag: SETPOINT, value: 9, expected: 6 }])
    expect(stale).toMatchObject({ status: 'refused', error: expect.stringContaining('is 7 bar and not 6 bar') })
    expect(await register()).toBe(70)
    expect(await patiently([{ tag: SETPOINT, value: 9, expected: 7 }])).toMatchObject({ status: 'done' })
    expect(await register()).toBe(90)
  })

  it('is refused for a tag that nobody may write', async () => {
    const key = randomUUID()
    const headers = { 'idempotency-key': key }
    const body = { writes: [{ tag: 'discharge-pressure', value: 1 }] }
    await engineer.send('POST', commandsUrl, body, headers)
    const command = await engineer.get<DeviceCommand>(`${commandsUrl}/${key}`)
    expect(command).toMatchObject({ status: 'refused', error: expect.stringContaining('is read-only') })
  })
})
