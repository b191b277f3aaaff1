import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { NotConnectedError, type PolledDriver, type Sample, type Turn } from '../driver.ts'
import type { ModbusAddress } from './address.ts'
import { modbus } from './index.ts'
import { exception, frame, reply, type ScriptedServer, scriptedServer } from './testing/scripted-server.ts'

const text = { en: 'x', 'zh-CN': 'x' }
const signal = new AbortController().signal
const turn: Turn = { scan: 'normal', withinMs: 1000, signal }
let server: ScriptedServer
let now = 1_000_000
let dataDir: string
let protocol: ReturnType<typeof modbus.start>

type Driver = PolledDriver<ModbusAddress>

function driverOf(config: Record<string, unknown> = {}, profile: Pick<DeviceProfile, 'modbus'> = {}): Driver {
  return protocol.createDriver({
    device: 'd',
    profile: { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'modbus', tags: [], ...profile },
    config: {
      host: '127.0.0.1',
      port: server.port,
      unit: 1,
      timeoutMs: 10_000,
      connectTimeoutMs: 10_000,
      ...config,
    },
  }) as Driver
}

function tagsOf(driver: Driver, tags: Record<string, string | Partial<ProfileTag>>): Map<string, ModbusAddress> {
  const entries = Object.entries(tags).map(([tag, of]) => {
    const given = typeof of === 'string' ? { address: of } : of
    return [tag, driver.parseAddress({ tag, name: text, address: 'holding:0', type: 'uint16', ...given })] as const
  })
  return new Map(entries)
}

const plain = (samples: readonly Sample[]) =>
  Object.fromEntries(samples.map(({ tag, value, quality }) => [tag, quality === 192 ? value : `bad ${value}`]))

beforeEach(async () => {
  server = await scriptedServer()
  dataDir = mkdtempSync(join(tmpdir(), 'andon-modbus-'))
  protocol = modbus.start({ now: () => now, log: silentLog, dataDir })
})
afterEach(async () => {
  await protocol.close()
  rmSync(dataDir, { recursive: true })
  await server.close()
})

async function connected(config: Record<string, unknown> = {}): Promise<Driver> {
  const driver = driverOf(config)
  await driver.connect(signal)
  return driver
}

describe('a Modbus TCP device that answers', () => {
  it('gives values of every area, read in one request each', async () => {
    server.registers.set(10, 7).set(11, 0x3fc0).set(12, 0)
    const driver = await connected()
    const tags = tagsOf(driver, {
      a: 'holding:10',
      b: { address: 'holding:11', type: 'float32' },
      c: { address: 'coil:10', type: 'bit' },
      d: { address: 'holding:10.1', type: 'bit' },
      e: 'input:10',
    })
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 7, b: 1.5, c: true, d: true, e: 7 })
    expect(server.requests.map((r) => [r.code, r.start, r.count])).toEqual([
      [1, 10, 1],
      [3, 10, 3],
      [4, 10, 1],
    ])
    await driver.close()
  })

  it('gives a SunSpec value together with its power of ten', async () => {
    server.registers.set(0, 2301).set(5, 0xffff).set(6, 0x8000)
    const driver = await connected()
    const tags = tagsOf(driver, {
      ok: { address: 'holding:0', scaleFactor: 'holding:5' },
      none: { address: 'holding:0', scaleFactor: 'holding:6' },
    })
    const [ok, none] = await driver.read(tags, turn)
    expect(ok).toMatchObject({ value: 2301, exponent: -1, quality: 192 })
    expect(none).toMatchObject({ value: null, quality: 0 })
    expect(server.requests).toHaveLength(1)
    await driver.close()
  })
})

describe('a late reply', () => {
  it('never becomes the value of the request that follows it', async () => {
    const [hasty, driver] = [await connected({ timeoutMs: 50 }), await connected()]
    const a = tagsOf(driver, { a: 'holding:100' })
    const b = tagsOf(driver, { b: 'holding:200' })
    let late: Buffer | undefined
    server.script = (request) => {
      if (request.start === 100) {
        late = reply(request, Buffer.from([0, 100]))
        return 'silence'
      }
      return Buffer.concat([late ?? Buffer.alloc(0), reply(request, Buffer.from([0, 200]))])
    }
    await expect(hasty.read(a, turn)).rejects.toThrow(NotConnectedError)
    expect(plain(await driver.read(b, turn))).toEqual({ b: 200 })
    expect(protocol.lanes()).toHaveLength(1)
    expect(protocol.lanes()[0]).toMatchObject({ timeouts: 2, strayReplies: 1, isOpen: true, silentUnits: [] })
    await Promise.all([hasty.close(), driver.close()])
  })
})

describe('a reply that came in time while this process was busy', () => {
  it('is read before the time-out is believed', async () => {
    const driver = await connected({ timeoutMs: 50 })
    const tags = tagsOf(driver, { a: 'holding:1' })
    server.registers.set(1, 5)
    const stall = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120)
    server.script = () => {
      // Runs when the reply is on its way and has not been read.
      setImmediate(stall)
      return undefined
    }
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 5 })
    await driver.close()
  })
})

describe('a read that loses the device half-way', () => {
  it('hands over what the device had given until then', async () => {
    const driver = await connected({ timeoutMs: 50, maxGap: 0 })
    const tags = tagsOf(driver, { a: 'holding:1', b: 'holding:500' })
    server.registers.set(1, 5)
    server.script = (request) => (request.start === 500 ? 'silence' : undefined)
    const error = await driver.read(tags, turn).catch((e) => e)
    expect(error).toBeInstanceOf(NotConnectedError)
    expect(plain(error.readBefore)).toEqual({ a: 5 })
    await driver.close()
  })
})

describe('a reply that cannot be trusted', () => {
  it('is dropped when it carries another unit', async () => {
    const driver = await connected({ timeoutMs: 100 })
    server.script = (request) => reply({ ...request, unit: 9 }, Buffer.from([0, 1]))
    await expect(driver.read(tagsOf(driver, { a: 'holding:1' }), turn)).rejects.toThrow('did not answer')
    expect(protocol.lanes()[0]).toMatchObject({ strayReplies: 2 })
    await driver.close()
  })

  it('breaks the link when it is shorter than what was asked for', async () => {
    const driver = await connected()
    server.script = (request) => reply(request, Buffer.from([0]))
    await expect(driver.read(tagsOf(driver, { a: 'holding:1' }), turn)).rejects.toThrow('1 data bytes where 2')
    expect(protocol.lanes()[0]?.isOpen).toBe(false)
    await driver.close()
  })

  it('breaks the link when it is not Modbus at all', async () => {
    const driver = await connected()
    server.script = () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    await expect(driver.read(tagsOf(driver, { a: 'holding:1' }), turn)).rejects.toThrow('does not speak Modbus')
    expect(protocol.lanes()[0]?.isOpen).toBe(false)
    await driver.close()
  })

  it('breaks the link when the header claims an impossible length, instead of waiting for it', async () => {
    const driver = await connected()
    server.script = (request) => {
      const bytes = frame(request.transaction, request.unit, Buffer.from([3, 2, 0, 1]))
      bytes.writeUInt16BE(60_000, 4)
      return bytes
    }
    await expect(driver.read(tagsOf(driver, { a: 'holding:1' }), turn)).rejects.toThrow('Length 60000')
    await driver.close()
  })

  it('is put together when it arrives byte by byte', async () => {
    const driver = await connected()
    server.script = (request, socket) => {
      const bytes = reply(request, Buffer.from([1, 2]))
      const send = (i: number) =>
        socket.write(bytes.subarray(i, i + 1), () => i + 1 < bytes.length && setImmediate(send, i + 1))
      send(0)
      return 'silence'
    }
    expect(plain(await driver.read(tagsOf(driver, { a: 'holding:1' }), turn))).toEqual({ a: 258 })
    await driver.close()
  })
})

describe('a link that breaks', () => {
  it('ends a waiting read at once when the device resets it, and works again after connect', async () => {
    const driver = await connected()
    const tags = tagsOf(driver, { a: 'holding:1' })
    server.script = () => 'reset'
    await expect(driver.read(tags, turn)).rejects.toThrow(NotConnectedError)
    server.script = undefined
    await driver.connect(signal)
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0 })
    await driver.close()
  })

  it('is told in plain words when nobody listens', async () => {
    const { port } = server
    await server.close()
    await expect(driverOf({ port }).connect(signal)).rejects.toThrow('nobody listens there')
    server = await scriptedServer()
  })

  it('is taken for dead after three requests without an answer', async () => {
    const driver = await connected({ timeoutMs: 50 })
    const tags = tagsOf(driver, { a: 'holding:1' })
    server.script = () => 'silence'
    for (let i = 0; i < 2; i++) await expect(driver.read(tags, turn)).rejects.toThrow('did not answer')
    expect(protocol.lanes()[0]).toMatchObject({ isOpen: false, timeouts: 3 })
    await driver.close()
  })

  it('is closed when the last device leaves, not before', async () => {
    const [one, two] = [await connected(), await connected({ unit: 2 })]
    expect(server.connections()).toBe(1)
    await one.close()
    await one.close()
    expect(protocol.lanes()[0]?.isOpen).toBe(true)
    await two.close()
    expect(protocol.lanes()[0]?.isOpen).toBe(false)
  })
})

describe('a unit that does not answer', () => {
  it('is not lost for one reply that went missing: it is asked again', async () => {
    const driver = await connected({ timeoutMs: 50, maxGap: 0 })
    const tags = tagsOf(driver, { a: 'holding:1', b: 'holding:500' })
    server.registers.set(1, 5).set(500, 6)
    let missing = 1
    server.script = () => (missing-- > 0 ? 'silence' : undefined)
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 5, b: 6 })
    expect(protocol.lanes()[0]).toMatchObject({ timeouts: 1, silentUnits: [] })
    await driver.close()
  })

  it('does not cost the other units on its lane their values', async () => {
    server.script = (request) => (request.unit === 2 ? 'silence' : undefined)
    server.registers.set(1, 5)
    const [alive, dead] = [await connected(), await connected({ unit: 2, timeoutMs: 50 })]
    const tags = tagsOf(alive, { a: 'holding:1' })
    const [ok, failed] = await Promise.allSettled([alive.read(tags, turn), dead.read(tags, turn)])
    expect(ok.status === 'fulfilled' && plain(ok.value)).toEqual({ a: 5 })
    expect(failed.status).toBe('rejected')
    expect(plain(await alive.read(tags, turn))).toEqual({ a: 5 })
    await Promise.all([alive.close(), dead.close()])
  })

  it('does not cost them the link either, however often it is tried between their scans', async () => {
    server.script = (request) => (request.unit === 2 ? 'silence' : undefined)
    const [alive, dead] = [await connected(), await connected({ unit: 2, timeoutMs: 50 })]
    const tags = tagsOf(alive, { a: 'holding:1' })
    await alive.read(tags, turn)
    for (let i = 0; i < 4; i++) await expect(dead.read(tags, turn)).rejects.toThrow('did not answer')
    expect(plain(await alive.read(tags, turn))).toEqual({ a: 0 })
    expect(protocol.lanes()[0]).toMatchObject({ isOpen: true, timeouts: 5, silentUnits: [2] })
    await Promise.all([alive.close(), dead.close()])
  })

  it('is reported as lost when its gateway says so', async () => {
    const driver = await connected()
    server.script = (request) => exception(request, 11)
    await expect(driver.read(tagsOf(driver, { a: 'holding:1' }), turn)).rejects.toThrow('behind the gateway')
    await driver.close()
  })
})

describe('a register that the device refuses', () => {
  const hole = (address: number) => (request: { start: number; count: number }) =>
    request.start <= address && address < request.start + request.count

  it('is bad alone; its neighbours keep flowing', async () => {
    const driver = await connected()
    const inHole = hole(4)
    server.script = (request) => (inHole(request) ? exception(request, 2) : undefined)
    for (let i = 0; i < 8; i++) server.registers.set(i, i + 10)
    const tags = tagsOf(driver, Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`t${i}`, `holding:${i}`])))
    const expected = { t0: 10, t1: 11, t2: 12, t3: 13, t4: 'bad null', t5: 15, t6: 16, t7: 17 }
    expect(plain(await driver.read(tags, turn))).toEqual(expected)
    server.requests.length = 0
    const again = await driver.read(tags, turn)
    expect(plain(again)).toEqual(expected)
    expect(again[4]?.reason).toContain('holding:4: the device has no such address')
    expect(server.requests.map((r) => [r.start, r.count])).toEqual([
      [0, 4],
      [5, 3],
    ])
    await driver.close()
  })

  it('is asked for again after a minute and comes back by itself', async () => {
    const driver = await connected()
    const inHole = hole(1)
    server.script = (request) => (inHole(request) ? exception(request, 2) : undefined)
    const tags = tagsOf(driver, { a: 'holding:0', b: 'holding:1' })
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0, b: 'bad null' })
    server.script = undefined
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0, b: 'bad null' })
    now += 60_000
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0, b: 0 })
    await driver.close()
  })

  it('in a gap that nobody wants makes the gap a border, and no tag bad', async () => {
    const driver = await connected()
    const inHole = hole(5)
    server.script = (request) => (inHole(request) ? exception(request, 2) : undefined)
    const tags = tagsOf(driver, { a: 'holding:3', b: 'holding:8' })
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0, b: 0 })
    server.requests.length = 0
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0, b: 0 })
    expect(server.requests).toHaveLength(2)
    await driver.close()
  })

  it('is remembered on disk, so that a restart does not look for it again', async () => {
    const inHole = hole(4)
    server.script = (request) => (inHole(request) ? exception(request, 2) : undefined)
    const wanted = { a: 'holding:3', b: 'holding:4', c: 'holding:5' }
    const before = await connected()
    await before.read(tagsOf(before, wanted), turn)
    await before.close()
    await protocol.close()
    protocol = modbus.start({ now: () => now, log: silentLog, dataDir })
    server.requests.length = 0
    const after = await connected()
    expect(plain(await after.read(tagsOf(after, wanted), turn))).toEqual({ a: 0, b: 'bad null', c: 0 })
    expect(server.requests.map((r) => [r.start, r.count])).toEqual([
      [3, 1],
      [5, 1],
    ])
    await after.close()
    const elsewhere = await connected({ unit: 9 })
    expect(plain(await elsewhere.read(tagsOf(elsewhere, wanted), turn))).toEqual({ a: 0, b: 'bad null', c: 0 })
    expect(server.requests.filter(({ unit }) => unit === 9).length).toBeGreaterThan(2)
    await elsewhere.close()
  })

  it('is forgotten when the device runs another firmware, also while the edge was off', async () => {
    const inHole = hole(4)
    server.registers.set(9, 17)
    server.script = (request) => (inHole(request) ? exception(request, 2) : undefined)
    const wanted = { a: 'holding:3', b: 'holding:4', firmware: 'holding:9' }
    const open = async () => {
      const driver = driverOf({}, { modbus: { firmware: 'firmware' } })
      await driver.connect(signal)
      return { driver, read: async () => plain(await driver.read(tagsOf(driver, wanted), turn)) }
    }
    const before = await open()
    expect(await before.read()).toEqual({ a: 0, b: 'bad null', firmware: 17 })
    await before.driver.close()
    await protocol.close()
    protocol = modbus.start({ now: () => now, log: silentLog, dataDir })
    server.script = undefined
    const same = await open()
    expect(await same.read()).toEqual({ a: 0, b: 'bad null', firmware: 17 })
    server.registers.set(9, 18)
    await same.read()
    expect(same.driver.quarantined?.()).toEqual([])
    expect(await same.read()).toEqual({ a: 0, b: 0, firmware: 18 })
    await same.driver.close()
  })

  it('makes its tags bad without splitting when the function itself is unknown', async () => {
    const driver = await connected()
    server.script = (request) => exception(request, 1)
    const tags = tagsOf(driver, { a: 'input:0', b: 'input:1' })
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 'bad null', b: 'bad null' })
    expect(server.requests).toHaveLength(1)
    await driver.close()
  })
})

describe('a range that the profile forbids', () => {
  it('is never on the wire, not even for a person who asks', async () => {
    const driver = driverOf({ quirks: { bitsFromZero: true } }, { modbus: { forbidden: ['holding:4-5', 'coil:3'] } })
    await driver.connect(signal)
    const tags = tagsOf(driver, {
      ...{ a: 'holding:3', b: 'holding:6' },
      ...{ c: { address: 'coil:2', type: 'bit' }, d: { address: 'coil:9', type: 'bit' } },
    })
    await driver.read(tags, turn)
    expect(server.requests.map((r) => [r.code, r.start, r.count])).toEqual([
      [1, 0, 3],
      [1, 4, 6],
      [3, 3, 1],
      [3, 6, 1],
    ])
    expect(() => tagsOf(driver, { e: { address: 'holding:3', type: 'float32' } })).toThrow('the profile forbids')
    await driver.close()
  })
})

describe('a device that refuses for now', () => {
  it('is asked again within the turn while it is busy', async () => {
    const driver = await connected()
    server.registers.set(1, 5)
    let busy = 2
    server.script = (request) => (busy-- > 0 ? exception(request, 6) : undefined)
    expect(plain(await driver.read(tagsOf(driver, { a: 'holding:1' }), turn))).toEqual({ a: 5 })
    expect(server.requests).toHaveLength(3)
    await driver.close()
  })

  it.each([
    [4, 1000],
    [5, 1000],
    [1, 60_000],
  ])('with exception %i is left alone for %i ms, then for twice that, and its tags are bad', async (code, ms) => {
    const driver = await connected()
    const tags = tagsOf(driver, { a: 'holding:1' })
    server.script = (request) => exception(request, code)
    for (const [after, requests] of [
      [0, 1],
      [ms - 1, 1],
      [1, 2],
      [2 * ms - 1, 2],
      [1, 3],
    ] as const) {
      now += after
      expect(plain(await driver.read(tags, turn))).toEqual({ a: 'bad null' })
      expect(server.requests).toHaveLength(requests)
    }
    server.script = undefined
    now += 4 * ms
    expect(plain(await driver.read(tags, turn))).toEqual({ a: 0 })
    await driver.close()
  })
})
