import { EventEmitter, once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PolledDriver } from '#edge/drivers/driver.ts'
import { modbus } from '#edge/drivers/modbus/index.ts'
import {
  exception,
  type Request,
  type ScriptedServer,
  scriptedServer,
} from '#edge/drivers/modbus/testing/scripted-server.ts'
import type { TagSample } from '#edge/model.ts'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Acquisition, startAcquisition } from './acquisition.ts'
import { createModel, type WritableModel } from './model.ts'
import { publishedType } from './publish.ts'

const text = { en: 'x', 'zh-CN': 'x' }
const profileOf = (tags: Partial<ProfileTag>[]): DeviceProfile => ({
  profile: 'meter',
  version: 1,
  name: text,
  assetClass: 'meter',
  protocol: 'modbus',
  tags: tags.map((of, i) => ({ tag: `t${i}`, name: text, address: `holding:${i}`, type: 'uint16', ...of })),
})

/** An acquisition over a real server; `waitFor` looks again after every sample and every change of a device's life. */
class Line {
  readonly journal: TagSample[] = []
  readonly gaps: GapRecord[] = []
  readonly life: string[] = []
  readonly happened = new EventEmitter()
  readonly model: WritableModel
  readonly acquisition: Acquisition
  refuse = false

  constructor(server: ScriptedServer, profile: DeviceProfile, units: readonly number[]) {
    const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir: '/nonexistent' })
    const devices = units.map((unit) => ({
      device: `unit-${unit}`,
      profile: profile.profile,
      tags: profile.tags.map((t, i) => ({
        id: unit * 100 + i,
        device: `unit-${unit}`,
        tag: t.tag,
        type: publishedType(t),
      })),
    }))
    this.model = createModel({ group: 'g', edge: 'e', devices })
    this.model.onDeviceChange((device, isAlive) => {
      this.life.push(
        `${device} ${isAlive ? 'born' : 'died'} after ${this.journal.filter((s) => s.quality === 0).length} bad`,
      )
      this.happened.emit('it')
    })
    const config = { host: '127.0.0.1', port: server.port, timeoutMs: 10_000, connectTimeoutMs: 10_000 }
    this.acquisition = startAcquisition({
      devices: devices.map((device, i) => ({
        device,
        profile,
        driver: protocol.createDriver({
          device: device.device,
          profile,
          config: { ...config, unit: units[i] },
        }) as PolledDriver<unknown>,
      })),
      model: this.model,
      scan: { fast: 20, normal: 50, slow: 1000, heartbeatMs: 0 },
      retry: { minMs: 50, maxMs: 100 },
      sink: async (samples) => {
        this.happened.emit('it')
        if (this.refuse) throw new Error('disk full')
        this.journal.push(...samples)
      },
      gap: async (gap) => void this.gaps.push(gap),
      alarmEvent: async () => undefined,
      clock: { now: Date.now, monotonic: () => performance.now() },
      log: silentLog,
    })
  }

  async waitFor(isSo: () => boolean): Promise<void> {
    while (!isSo()) await once(this.happened, 'it')
  }
}

/** What a gateway says at once of a unit that is off: the same loss as silence, without the waiting. */
const gatewaySaysGone = (request: Request) => exception(request, 11)

let server: ScriptedServer
let line: Line | undefined
beforeEach(async () => {
  server = await scriptedServer()
})
afterEach(async () => {
  await line?.acquisition.stop()
  await server.close()
})

describe('a device that answers', () => {
  it('is born with its values known, and its samples are changes only', async () => {
    server.registers.set(0, 7)
    line = new Line(server, profileOf([{ scan: 'fast' }, {}]), [1])
    await line.waitFor(() => line?.journal.length === 2)
    expect(line.life).toEqual(['unit-1 born after 0 bad'])
    expect(line.model.current(100)).toMatchObject({ value: 7, quality: 192 })
    server.registers.set(0, 8)
    await line.waitFor(() => line?.journal.length === 3)
    expect(line.journal.map(({ tagId, value }) => [tagId, value])).toEqual([
      [100, 7],
      [101, 0],
      [100, 8],
    ])
  })

  it('is read again at once after the journal refused, so that no change is swallowed', async () => {
    server.registers.set(0, 7)
    line = new Line(server, profileOf([{ scan: 'fast' }]), [1])
    await line.waitFor(() => line?.journal.length === 1)
    line.refuse = true
    server.registers.set(0, 8)
    await line.waitFor(() => line?.acquisition.status()[0]?.refused === 2)
    line.refuse = false
    await line.waitFor(() => line?.journal.length === 2)
    expect(line.journal.at(-1)).toMatchObject({ value: 8 })
    await line.waitFor(() => line?.gaps.length === 1)
    expect(line.gaps).toMatchObject([{ device: 'unit-1', cause: 'queue-overflow', count: 2 }])
  })
})

describe('a device that falls silent', () => {
  it('has each tag bad once, then dies, and comes back with its values when it answers again', async () => {
    line = new Line(server, profileOf([{ scan: 'fast' }, { scan: 'fast' }]), [1])
    await line.waitFor(() => line?.model.isAlive('unit-1') === true)
    server.script = gatewaySaysGone
    await line.waitFor(() => line?.model.isAlive('unit-1') === false)
    expect(line.life).toEqual(['unit-1 born after 0 bad', 'unit-1 died after 2 bad'])
    expect(line.acquisition.status()[0]).toMatchObject({
      state: 'lost',
      error: expect.stringContaining('does not answer'),
    })
    server.script = undefined
    await line.waitFor(() => line?.model.isAlive('unit-1') === true)
    await line.waitFor(() => line?.journal.length === 6)
    expect(line.journal.map((s) => s.quality)).toEqual([192, 192, 0, 0, 192, 192])
  })

  it('leaves its neighbours on the same link alone', async () => {
    server.script = (request) => (request.unit === 2 ? gatewaySaysGone(request) : undefined)
    line = new Line(server, profileOf([{ scan: 'fast' }]), [1, 2])
    await line.waitFor(() => line?.model.isAlive('unit-1') === true)
    server.registers.set(0, 1)
    await line.waitFor(() => line?.journal.some((s) => s.tagId === 100 && s.value === 1) === true)
    expect(line.life).toEqual(['unit-1 born after 0 bad'])
    expect(line.acquisition.status()[1]).toMatchObject({ state: 'lost' })
  })
})

describe('a tag that the device refuses', () => {
  it('is bad alone and tells why, while the device lives', async () => {
    server.script = (request) => (request.start + request.count > 1 ? exception(request, 2) : undefined)
    line = new Line(server, profileOf([{ scan: 'fast' }, { scan: 'fast' }]), [1])
    await line.waitFor(() => line?.journal.length === 2)
    expect(line.journal.map((s) => s.quality)).toEqual([192, 0])
    const [status] = line.acquisition.status()
    expect(status?.state).toBe('answers')
    expect([...(status?.faults ?? [])]).toEqual([['t1', 'holding:1: the device has no such address (exception 2)']])
  })
})
