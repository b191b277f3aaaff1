import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { debianProgram, hasPackage } from '#tests/support/debian.ts'
import { NotConnectedError, type PolledDriver, type Sample, type Turn } from '../driver.ts'
import type { ModbusAddress } from './address.ts'
import { modbus } from './index.ts'
import { type Answer, type Request, type ScriptedServer, scriptedServer } from './testing/scripted-server.ts'
import { type SerialBridge, serialBridge } from './testing/serial-bridge.ts'

/** What a fault may do: right values or bad quality, never a wrong value, never a stall. One suite for every transport. */
const TRANSPORTS = ['tcp', 'rtu-over-tcp', 'serial'] as const
type Transport = (typeof TRANSPORTS)[number]
const hasSocat = hasPackage('socat')

const text = { en: 'x', 'zh-CN': 'x' }
const signal = new AbortController().signal
const turn: Turn = { scan: 'normal', withinMs: 1000, signal }
const wordAt = (address: number) => (address * 7 + 3) & 0xffff
const ADDRESSES = [0, 1, 2, 60, 100, 101, 200]

type Driver = PolledDriver<ModbusAddress>

interface Rig {
  readonly server: ScriptedServer
  readonly driver: Driver
  readonly protocol: ReturnType<typeof modbus.start>
  readonly bridge: SerialBridge | undefined
}

let rig: Rig
let dataDir: string

async function rigOf(transport: Transport, timeoutMs = transport === 'serial' ? 400 : 60): Promise<Rig> {
  const server = await scriptedServer(transport === 'tcp' ? 'mbap' : 'rtu')
  for (let address = 0; address < 300; address++) server.registers.set(address, wordAt(address))
  const bridge = transport === 'serial' ? await serialBridge(debianProgram('socat') ?? '', server.port) : undefined
  const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir })
  const place = bridge
    ? { serial: { path: bridge.path, baud: 115_200, parity: 'none', dataBits: 8, stopBits: 1 } }
    : { host: '127.0.0.1' }
  const driver = protocol.createDriver({
    device: 'd',
    profile: { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'modbus', tags: [] },
    config: {
      ...{ ...place, port: server.port, transport: transport === 'serial' ? 'tcp' : transport, inFlight: 1, unit: 1 },
      ...{ timeoutMs, connectTimeoutMs: 5000 },
    },
  }) as Driver
  await driver.connect(signal)
  return { server, driver, protocol, bridge }
}

function tagsOf(driver: Driver, addresses: readonly number[]): Map<string, ModbusAddress> {
  return new Map(
    addresses.map((address) => {
      const tag = String(address)
      return [tag, driver.parseAddress({ tag, name: text, address: `holding:${address}`, type: 'uint16' })]
    }),
  )
}

/** Values by tag; a tag of bad quality is 'bad'. When the device is lost, what was read before. */
async function read(addresses: readonly number[]): Promise<Record<string, unknown>> {
  const { driver } = rig
  const samples = await driver.read(tagsOf(driver, addresses), turn).catch((error: unknown): readonly Sample[] => {
    if (!(error instanceof NotConnectedError)) throw error
    return error.readBefore
  })
  return Object.fromEntries(samples.map(({ tag, value, quality }) => [tag, quality === 192 ? value : 'bad']))
}

const right = (addresses: readonly number[]) =>
  Object.fromEntries(addresses.map((address) => [String(address), wordAt(address)]))

/** Connects again as the supervisor does, until an honest device has answered. */
async function recovers(): Promise<void> {
  rig.server.script = undefined
  let got: Record<string, unknown> = {}
  for (let tries = 0; tries < 10 && Object.keys(got).length === 0; tries++) {
    await rig.driver.close()
    await rig.driver.connect(signal)
    got = await read([40])
  }
  expect(got).toEqual(right([40]))
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'andon-faults-'))
})
afterEach(async () => {
  await rig.driver.close()
  await rig.protocol.close()
  await rig.bridge?.close()
  await rig.server.close()
  rmSync(dataDir, { recursive: true })
})

for (const transport of TRANSPORTS) {
  const isSerial = transport === 'serial'
  describe.runIf(!isSerial || hasSocat)(`a faulty device over ${transport}`, () => {
    beforeEach(async () => {
      rig = await rigOf(transport)
    })

    it('late: the reply of 100, after its time-out, never becomes the value of 200', async () => {
      const { server } = rig
      const asked: Request[] = []
      server.script = (request) => {
        asked.push(request)
        return asked.length === 1 ? 'silence' : server.honest(request)
      }
      expect(await read([100])).toEqual(right([100]))
      for (const address of [200, 40, 200]) {
        // Over TCP it may come at any time; over a serial line after a time-out; over RTU in TCP its connection is closed.
        const [first] = asked as [Request]
        const withLate = (request: Request) =>
          Buffer.concat([server.reply(first, Buffer.of(9, 9)), server.honest(request)])
        const steps: ((request: Request) => Answer)[] = [
          ...(transport === 'tcp' ? [] : [() => 'silence' as const]),
          ...(transport === 'rtu-over-tcp' ? [] : [withLate]),
        ]
        server.script = (request) => steps.shift()?.(request)
        expect(await read([address])).toEqual(right([address]))
        expect(steps).toEqual([])
      }
    })

    it('late: a reply that comes in while nobody waits is dropped and counted', async () => {
      const { server, protocol } = rig
      const sent = Promise.withResolvers<void>()
      server.script = (request, socket) => {
        socket.write(server.honest(request), () => socket.write(server.honest(request), () => sent.resolve()))
        return 'silence'
      }
      expect(await read([0])).toEqual(right([0]))
      await sent.promise
      server.script = undefined
      expect(await read([40])).toEqual(right([40]))
      expect(protocol.lanes()[0]?.strayReplies).toBe(1)
    })

    it.each([
      ['short', 2],
      ['oversize', 8],
    ])('%s: a reply with another number of registers gives no value', async (_, bytes) => {
      const { server } = rig
      server.script = (request) => server.reply(request, Buffer.alloc(bytes, 1))
      expect(await read([0, 1])).toEqual({})
      await recovers()
    })

    it('short: a frame that ends half-way gives no value', async () => {
      const { server } = rig
      server.script = (request) => server.honest(request).subarray(0, -3)
      expect(await read([0, 1])).toEqual({})
      await recovers()
    })

    it('wrong unit: the reply of another unit gives no value', async () => {
      const { server } = rig
      server.script = (request) => server.reply(request, Buffer.of(1, 1), { unit: 9 })
      expect(await read([0])).toEqual({})
      await recovers()
    })

    it('wrong id: a reply that names another request gives no value', async () => {
      const { server } = rig
      server.script = (request) =>
        server.framing === 'mbap'
          ? server.reply(request, Buffer.of(1, 1), { transaction: request.transaction + 1 })
          : server.reply({ ...request, code: 4 }, Buffer.of(1, 1))
      expect(await read([0])).toEqual({})
      await recovers()
    })

    it('garbage: bytes that are no frame give no value', async () => {
      const { server } = rig
      server.script = () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
      expect(await read([0])).toEqual({})
      await recovers()
    })

    it('garbage: a bit that fell over gives no value where a CRC tells it', async () => {
      const { server } = rig
      server.script = (request) => {
        const bytes = server.honest(request)
        const at = server.framing === 'mbap' ? 3 : 4
        bytes[at] = (bytes[at] ?? 0) ^ 4
        return bytes
      }
      expect(await read([0])).toEqual({})
      await recovers()
    })

    if (!isSerial)
      it('reset: a connection that breaks gives no value and ends the read at once', async () => {
        const { server } = rig
        server.script = () => 'reset'
        expect(await read([0])).toEqual({})
        await recovers()
      })
    else
      it('reset: a port that is unplugged gives no value and ends the read at once', async () => {
        const { server, bridge, driver } = rig
        server.script = () => {
          void bridge?.close()
          return 'silence'
        }
        await expect(driver.read(tagsOf(driver, [0]), turn)).rejects.toThrow(NotConnectedError)
        await driver.close()
        await expect(driver.connect(signal)).rejects.toThrow(/tty/)
      })

    it('half-open: a link that carries nothing is given up, and the device is back when it is', async () => {
      const { server } = rig
      server.script = () => 'silence'
      for (let i = 0; i < 3; i++) expect(await read([0])).toEqual({})
      await recovers()
    })

    it('slow-loris: a reply byte by byte is right when it is whole in time', async () => {
      const { server } = rig
      server.script = (request, socket) => {
        const bytes = server.honest(request)
        const send = (i: number) =>
          socket.write(bytes.subarray(i, i + 1), () => i + 1 < bytes.length && setImmediate(send, i + 1))
        send(0)
        return 'silence'
      }
      expect(await read([0, 1])).toEqual(right([0, 1]))
    })

    it('slow-loris: a reply that never ends gives no value and holds nobody up', async () => {
      const { server } = rig
      server.script = (request, socket) => {
        socket.write(server.honest(request).subarray(0, -1))
        return 'silence'
      }
      expect(await read([0])).toEqual({})
      await recovers()
    })

    it('exception storm: tags are bad while it lasts and right after it', async () => {
      const { server } = rig
      let n = 0
      const codes = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 0, 255]
      server.script = (request) => server.exception(request, codes[n++ % codes.length] ?? 2)
      for (let i = 0; i < 6; i++) {
        const got = await read(ADDRESSES)
        expect(Object.values(got).filter((value) => value !== 'bad')).toEqual([])
      }
      await recovers()
    })

    it('never gives a wrong value and never stalls, whatever faults follow each other', async () => {
      const { server } = rig
      const faults: readonly ((request: Request, socket: Socket) => Answer | undefined)[] = [
        ...[() => undefined, () => undefined, () => 'silence' as const],
        (request) => server.honest(request).subarray(0, -2),
        (request) => server.reply(request, Buffer.alloc(2 * request.count, 0xee), { unit: 7 }),
        (request) => server.reply(request, Buffer.alloc(2 * request.count + 2, 0xee)),
        (request) =>
          Buffer.concat([server.honest({ ...request, transaction: request.transaction - 1 }), server.honest(request)]),
        (request) => server.exception(request, 2),
        (request) => server.exception(request, 6),
        (request) => server.exception(request, 11),
        (request) => Buffer.concat([Buffer.of(0xff, 0, 0x11), server.honest(request)]),
        ...(isSerial ? [] : [() => 'reset' as const]),
      ]
      const [steps] = fc.sample(fc.array(fc.nat({ max: faults.length - 1 }), { minLength: 40, maxLength: 40 }), {
        numRuns: 1,
        seed: 4,
      })
      const left = [...(steps ?? [])]
      server.script = (request, socket) => faults[left.shift() ?? 0]?.(request, socket)
      for (let i = 0; i < 60 && left.length > 0; i++) {
        await rig.driver.connect(signal)
        const got = await read(ADDRESSES)
        for (const [tag, value] of Object.entries(got)) expect(['bad', wordAt(Number(tag))]).toContain(value)
      }
      expect(left).toEqual([])
    })
  })
}
