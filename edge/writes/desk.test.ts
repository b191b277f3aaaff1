import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ModbusServer, serveModbus } from '#devices/simulators/modbus-server.ts'
import { createUnit, type ModbusUnit } from '#devices/simulators/modbus-unit.ts'
import { publishedType } from '#edge/acquisition/publish.ts'
import { modbus } from '#edge/drivers/modbus/index.ts'
import type { EdgeCommand } from '#edge/uplink/uplink.ts'
import { parseProfile } from '#shared/config/profile.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { createWriteDesk, type WriteDesk } from './desk.ts'
import { openLedger } from './ledger.ts'

const tag = (name: string, address: string, type: string, more = '') =>
  `  - { tag: ${name}, name: { en: ${name}, zh-CN: ${name} }, address: "${address}", type: ${type}, writable: true${more} }\n`
const profile: DeviceProfile = parseProfile(
  `profile: box
version: 1
name: { en: Box, zh-CN: 箱 }
assetClass: box
protocol: modbus
tags:
${tag('level', 'holding:0', 'int16', ', scale: 0.1, unit: m, range: [0, 50]')}${tag('total', 'holding:1', 'uint64', ', wordOrder: EFGHABCD')}${tag('heat', 'holding:5', 'float32', ', wordOrder: CDAB, write: { tolerance: 0.5 }')}${tag('valve', 'coil:3', 'bit')}${tag('run', 'holding:8.5', 'bit')}${tag('name', 'holding:10', 'string', ', length: 4')}${tag('reset', 'holding:20', 'uint16', ', write: { readBack: none }')}${tag('power', 'holding:22', 'int16', ', scaleFactor: "holding:23"')}  - { tag: seen, name: { en: s, zh-CN: s }, address: "holding:30", type: uint16 }
`,
  'box.yaml',
)

let unit: ModbusUnit
let server: ModbusServer
let dataDir: string
let desk: WriteDesk
let protocol: ReturnType<typeof modbus.start>
let written: [string, Scalar][]
/** What the device does with a value that it has taken. */
let reacts: (tag: string, value: Scalar) => void
let monotonic: number
const waits: number[] = []

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'andon-writes-'))
  unit = createUnit({ device: 'box-1', profile, latencyMs: 0, registers: { 23: 1 } })
  written = []
  reacts = () => undefined
  monotonic = 0
  waits.length = 0
  server = await serveModbus({
    host: '127.0.0.1',
    port: 0,
    units: new Map([[1, unit]]),
    events: () => ({ onRead() {}, onWrite }),
  })
  start()
})
afterEach(async () => {
  await desk.close()
  await protocol.close()
  await server.close()
  rmSync(dataDir, { recursive: true })
})

function onWrite(tags: readonly { readonly tag: string; readonly value: Scalar }[]): void {
  for (const { tag, value } of tags) {
    written.push([tag, value])
    reacts(tag, value)
  }
}

function start(writable?: readonly string[]): void {
  protocol = modbus.start({ now: Date.now, log: silentLog, dataDir })
  const config = { host: '127.0.0.1', port: server.port, unit: 1, timeoutMs: 5000, connectTimeoutMs: 5000 }
  const driver = protocol.createDriver({ device: 'box-1', profile, config })
  desk = createWriteDesk({
    devices: [{ device: 'box-1', profile, driver, writable }],
    ledger: openLedger(dataDir, 1000),
    clock: { now: () => 5000, monotonic: () => monotonic },
    wait: async (ms) => {
      waits.push(ms)
      monotonic += ms
    },
    log: silentLog,
  })
}

async function restart(writable?: readonly string[]): Promise<void> {
  await desk.close()
  await protocol.close()
  start(writable)
}

type Asked = Record<string, Scalar | { readonly value: Scalar; readonly expected: Scalar }>

function command(asked: Asked, id = randomUUID() as string): EdgeCommand {
  const writes = Object.entries(asked).map(([name, of]) => {
    const known = profile.tags.find((candidate) => candidate.tag === name)
    const type = known ? publishedType(known) : 'double'
    return typeof of === 'object' && of !== null ? { tag: name, type, ...of } : { tag: name, type, value: of }
  })
  return { id, device: 'box-1', writes }
}
const write = (asked: Asked, id?: string) => desk.carryOut(command(asked, id))
const recordOf = (id: string) => desk.recent(10).find((record) => record.id === id)

describe('a command to a device', () => {
  it('is written in every type, read back, and recorded with what was there before and after', async () => {
    unit.set('level', 70, 7, 0)
    const id = randomUUID()
    const asked = {
      level: 12.3,
      total: 2n ** 63n + 1n,
      heat: 20.5,
      valve: true,
      run: true,
      name: 'GA37',
      reset: 1,
      power: 1500,
    }
    expect(await write(asked, id)).toEqual({ status: 'done' })
    expect(Object.fromEntries(written)).toEqual({ ...asked, power: 150 })
    expect(recordOf(id)).toMatchObject({
      device: 'box-1',
      askedAt: 5000,
      outcome: { status: 'done' },
      writes: [
        { tag: 'level', value: 12.3, before: 7, after: 12.3 },
        { tag: 'total', value: '9223372036854775809', before: 0, after: '9223372036854775809' },
        { tag: 'heat' },
        { tag: 'valve', before: false, after: true },
        { tag: 'run', before: false, after: true },
        { tag: 'name', before: '', after: 'GA37' },
        { tag: 'reset', value: 1 },
        { tag: 'power', before: 0, after: 1500 },
      ],
    })
  })

  it('changes one bit of a register and leaves the others', async () => {
    unit.area('holding')?.bytes.writeUInt16BE(0b1000_0001, 16)
    expect(await write({ run: true })).toEqual({ status: 'done' })
    expect(unit.area('holding')?.bytes.readUInt16BE(16)).toBe(0b1010_0001)
  })

  it('is carried out once for each id, also after a restart', async () => {
    const id = randomUUID()
    const [first, second] = await Promise.all([write({ level: 5 }, id), write({ level: 5 }, id)])
    expect([first, second]).toEqual([{ status: 'done' }, { status: 'done' }])
    await restart()
    expect(await write({ level: 5 }, id)).toEqual({ status: 'done' })
    expect(written).toEqual([['level', 5]])
  })

  it('is refused under an id that was used for another', async () => {
    const id = randomUUID()
    await write({ level: 5 }, id)
    expect(await write({ level: 6 }, id)).toMatchObject({
      status: 'refused',
      error: expect.stringContaining('another command'),
    })
    expect(written).toEqual([['level', 5]])
  })

  it('that was under way when the edge was killed is answered as such, and not carried out again', async () => {
    const id = randomUUID()
    await desk.close()
    const ledger = openLedger(dataDir, 2000)
    ledger.begin({ id, device: 'box-1', askedAt: 1, writes: [{ tag: 'level', value: 5 }] })
    ledger.close()
    await restart()
    expect(await write({ level: 5 }, id)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('may have been'),
    })
    expect(written).toEqual([])
  })
})

describe('a command that is refused', () => {
  const refused = (words: string) => ({ status: 'refused', error: expect.stringContaining(words) })

  it.each<[string, Asked, string]>([
    ['a tag that is not writable', { seen: 1 }, 'box-1/seen is read-only'],
    ['a value out of range', { level: 51 }, '51 m is above 50 m'],
    ['a value that the register cannot hold once scaled', { power: 400_000 }, 'holds -32768 to 32767'],
    ['one bad value among good ones', { heat: 3, level: -1 }, '-1 m is below 0 m'],
    ['a tag that the device has not', { bell: 1 }, 'box-1/bell is not in'],
  ])('names the reason and writes nothing: %s', async (_, asked, words) => {
    expect(await write(asked)).toEqual(refused(words))
    expect(written).toEqual([])
  })

  it('expected another value', async () => {
    unit.set('level', 70, 7, 0)
    const answer = await write({ level: { value: 8, expected: 6 } })
    expect(answer).toEqual(refused('box-1/level is 7 m and not 6 m as the command expected. Nothing was written.'))
    expect(written).toEqual([])
    expect(await write({ level: { value: 8, expected: 7 } })).toEqual({ status: 'done' })
  })

  it('came too soon after another write of the tag', async () => {
    await write({ level: 5 })
    monotonic += 300
    expect(await write({ level: 6 })).toEqual(refused('takes one write in 1 s and was written 0.3 s ago'))
    monotonic += 700
    expect(await write({ level: 6 })).toEqual({ status: 'done' })
  })

  it('is of a tag that this box does not let be written', async () => {
    await restart(['heat'])
    expect(await write({ level: 5 })).toEqual(refused("not listed under 'writable'"))
    expect(await write({ heat: 5 })).toEqual({ status: 'done' })
  })
})

describe('a device that takes a write', () => {
  it('may show the value a little later', async () => {
    reacts = () => unit.set('level', 70, 7, 0)
    const answer = write({ level: 9 })
    const shows = () => {
      if (waits.length === 3) unit.set('level', 90, 9, 0)
      else if (waits.length < 3) setImmediate(shows)
    }
    shows()
    expect(await answer).toEqual({ status: 'done' })
    expect(waits.length).toBeGreaterThanOrEqual(3)
  })

  it('and limits it itself is told as failed, with what stands there', async () => {
    reacts = () => unit.set('level', 95, 9.5, 0)
    const answer = await write({ level: 20 })
    expect(answer).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('reads 9.5 m after 20 m was written'),
    })
    expect(recordOf(desk.recent(1)[0]?.id ?? '')?.writes[0]).toMatchObject({ value: 20, after: 9.5 })
  })

  it('may round within its tolerance', async () => {
    reacts = (name) => name === 'heat' && unit.set('heat', 21, 21, 0)
    expect(await write({ heat: 20.6 })).toEqual({ status: 'done' })
    monotonic += 1000
    expect(await write({ heat: 20.4 })).toMatchObject({ status: 'failed' })
  })

  it('tells which values of a command were written before one failed', async () => {
    reacts = (name) => name === 'heat' && unit.set('heat', 99, 99, 0)
    const answer = await write({ level: 5, heat: 20, valve: true })
    expect(answer).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('Before that were written: box-1/level.'),
    })
    expect(written.map(([name]) => name)).toEqual(['level', 'heat'])
  })
})

describe('a device that does not answer', () => {
  it('is told before anything is written', async () => {
    await server.close()
    const answer = await write({ level: 5 })
    expect(answer).toMatchObject({ status: 'failed', error: expect.stringContaining('Nothing was written') })
  })
})
