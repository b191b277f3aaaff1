import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, openJournal } from '#edge/journal/index.ts'
import type { EdgeDevice, EdgeModel, TagSample } from '#edge/model.ts'
import { silentLog } from '#shared/log/log.ts'
import { protoDecode, protoEncode } from '#tests/support/sparkplug-decoder.ts'
import { WireHost } from '#tests/support/wire-host.ts'
import { type EdgeCommand, startUplink, type Uplink, type UplinkOptions } from './index.ts'
import type { UplinkTiming } from './timing.ts'

const clock = { now: () => Date.now() }
const TIMING: Partial<UplinkTiming> = {
  heartbeatMs: 100,
  resendAfterMs: 150,
  ackTimeoutMs: 1500,
  reconnectMinMs: 20,
  reconnectMaxMs: 100,
}

/** A model whose values and devices a test moves. */
class TestModel implements EdgeModel {
  readonly group = 'plant'
  readonly edge = 'line-1'
  readonly devices: EdgeDevice[]
  readonly values = new Map<number, TagSample>()
  readonly alive = new Set<string>()
  readonly #listeners = new Set<(device: string, isAlive: boolean) => void>()

  constructor(journal: Journal, devices: Record<string, string[]>) {
    this.devices = Object.entries(devices).map(([device, tags]) => ({
      device,
      profile: 'meter',
      tags: tags.map((tag) => ({ id: journal.tagId(device, tag, 'double'), device, tag, type: 'double' })),
      units: new Map(tags.map((tag) => [tag, 'kW'])),
    }))
    for (const device of Object.keys(devices)) this.alive.add(device)
  }

  current(tagId: number) {
    return this.values.get(tagId)
  }

  isAlive(device: string) {
    return this.alive.has(device)
  }

  onDeviceChange(listener: (device: string, isAlive: boolean) => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(device: string, isAlive: boolean) {
    if (isAlive) this.alive.add(device)
    else this.alive.delete(device)
    for (const listener of this.#listeners) listener(device, isAlive)
  }
}

let directory: string
let host: WireHost
let journal: Journal
let model: TestModel
const uplinks: Uplink[] = []

function start(extra: Partial<UplinkOptions> = {}): Uplink {
  const config = {
    url: host.url,
    keepAliveSeconds: 10,
    acknowledgement: 'required',
    backlogSamplesPerSecond: 50_000,
  } as const
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing: TIMING, ...extra })
  uplinks.push(uplink)
  return uplink
}

const openIn = (path: string) =>
  openJournal({ directory: path, config: { commitSpacingMs: 1, ballastMb: 0, minFreeMb: 0 }, clock, log: silentLog })

const tagOf = (device: string, tag = 'power') => journal.tagId(device, tag, 'double')
let counter = 0
/** Appends one sample each for some tags; every value is unique. */
const append = (...tagIds: number[]) =>
  journal.append(
    tagIds.map((tagId) => ({ tagId, sourceAt: Date.now(), value: ++counter, quality: 192 })),
    'live',
  )

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'uplink-'))
  host = new WireHost('plant', 'line-1')
  await host.start()
  journal = openIn(directory)
  model = new TestModel(journal, { 'meter-1': ['power', 'energy'], 'meter-2': ['power'] })
  counter = 0
})
afterEach(async () => {
  for (const uplink of uplinks.splice(0)) await uplink.close()
  await journal.close()
  await host.stop()
  rmSync(directory, { recursive: true })
})

const until = (isSo: () => boolean) => host.until(isSo)
const allArrived = () => host.committed.hasAll(1n, journal.newest)
const valuesReceived = () => [...host.samples.values()].map(({ metric }) => metric.double_value)

describe('an edge node that connects', () => {
  it('wills its NDEATH at QoS 1 with the bdSeq of its NBIRTH, subscribes, then births before all data', async () => {
    start()
    await append(tagOf('meter-1'))
    await until(allArrived)
    const [connect] = host.connects
    expect(connect).toMatchObject({ clean: true, keepalive: 10 })
    expect(connect?.will).toMatchObject({ topic: 'spBv1.0/plant/NDEATH/line-1', qos: 1, retain: false })
    expect(host.subscriptions).toEqual(['spBv1.0/plant/NCMD/line-1', 'spBv1.0/plant/DCMD/line-1/#'])
    expect(host.messages.slice(0, 4).map(({ kind, device }) => [kind, device])).toEqual([
      ['NBIRTH', undefined],
      ['DBIRTH', 'meter-1'],
      ['DBIRTH', 'meter-2'],
      ['DDATA', 'meter-1'],
    ])
    expect(host.messages.slice(0, 4).map(({ seq }) => seq)).toEqual([0, 1, 2, 3])
    expect(host.messages.every(({ qos, retain }) => qos === 0 && !retain)).toBe(true)
  })

  it('announces every tag with alias, type, unit and quality; stale when it was not read yet', async () => {
    model.values.set(tagOf('meter-1'), {
      tagId: tagOf('meter-1'),
      sourceAt: 1_700_000_000_000,
      value: 7.5,
      quality: 64,
    })
    start()
    await until(() => host.of('DBIRTH').length === 2)
    const metrics = host.of('DBIRTH')[0]?.payload.metrics ?? []
    const byName = (name: string) => metrics.find((metric) => metric.name === name)
    expect(byName('power')).toMatchObject({
      alias: String(tagOf('meter-1')),
      datatype: 10,
      double_value: 7.5,
      timestamp: '1700000000000',
    })
    expect(byName('power')?.properties).toEqual({
      keys: ['Quality', 'Andon Quality', 'engUnit'],
      values: [
        { type: 3, int_value: 0 },
        { type: 3, int_value: 64 },
        { type: 12, string_value: 'kW' },
      ],
    })
    expect(byName('energy')).toMatchObject({ is_null: true, datatype: 10 })
    expect(byName('energy')?.properties?.values[0]).toEqual({ type: 3, int_value: 500 })
    expect(byName('Properties/Profile')).toMatchObject({ string_value: 'meter' })
    for (const name of ['Andon/First Offset', 'Andon/Last Offset'])
      expect(byName(name)).toMatchObject({ is_null: true, is_transient: true, datatype: 8 })
    const node = host.of('NBIRTH')[0]?.payload.metrics ?? []
    const nodeMetric = (name: string) => node.find((metric) => metric.name === name)
    expect(nodeMetric('Andon/Epoch')).toMatchObject({ long_value: String(journal.epoch), datatype: 8 })
    expect(nodeMetric('Andon/Epoch')?.alias).toBeUndefined()
    expect(nodeMetric('Node Control/Rebirth')).toMatchObject({ boolean_value: false, datatype: 11 })
    expect(nodeMetric('Node Control/Rebirth')?.alias).toBeUndefined()
    expect([nodeMetric('Andon/First Offset')?.long_value, nodeMetric('Andon/Last Offset')?.long_value]).toEqual([
      '1',
      '0',
    ])
  })

  it('sends data by alias without name or type, and a heartbeat when there is none', async () => {
    start()
    await until(() => host.of('NDATA').length > 1)
    await append(tagOf('meter-2'))
    await until(allArrived)
    const data = host.of('DDATA')[0]?.payload.metrics ?? []
    expect(data.map(({ alias, name, datatype }) => [alias, name, datatype])).toEqual(
      [
        tagOf('meter-2'),
        journal.tagId('meter-2', 'Andon/First Offset', 'uint64'),
        journal.tagId('meter-2', 'Andon/Last Offset', 'uint64'),
      ].map((alias) => [String(alias), undefined, undefined]),
    )
    expect(host.of('NDATA')[0]?.payload.metrics).toHaveLength(1)
  })

  it('frees the journal on acknowledgement', async () => {
    const uplink = start()
    for (let i = 0; i < 5; i++) await append(tagOf('meter-1'), tagOf('meter-2'))
    await until(allArrived)
    await until(() => journal.acknowledged === journal.newest)
    expect(uplink.status()).toMatchObject({
      state: 'connected',
      depth: 0,
      inFlight: 0,
      backlog: 0n,
      sent: 10,
      resent: 0,
    })
  })

  it('counts the sequence over node and devices, modulo 256, without a hole', async () => {
    start()
    for (let i = 0; i < 300; i++) await append(tagOf(i % 2 ? 'meter-1' : 'meter-2'))
    await until(allArrived)
    const seqs = host.messages.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => i % 256))
  })
})

describe('lost data', () => {
  it('is sent again when acknowledgements stay below it, as historical', async () => {
    const uplink = start()
    await append(tagOf('meter-1'))
    await until(allArrived)
    host.loseNext = 40
    for (let i = 0; i < 60; i++) await append(tagOf('meter-1'), tagOf('meter-2'))
    const nudge = setInterval(() => host.acknowledge(), 50)
    await until(allArrived)
    clearInterval(nudge)
    await until(() => journal.acknowledged === journal.newest)
    expect(valuesReceived().toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: counter }, (_, i) => i + 1))
    expect(uplink.status().resent).toBeGreaterThanOrEqual(40)
    const resent = [...host.samples.values()].filter(({ metric }) => metric.is_historical)
    expect(resent.length).toBeGreaterThanOrEqual(40)
    expect(host.connects).toHaveLength(1)
  })

  it('makes a new connection when nothing is acknowledged any more, which sends all again from there', async () => {
    host.acknowledges = false
    start({ timing: { ...TIMING, ackTimeoutMs: 200 } })
    await append(tagOf('meter-1'))
    await until(() => host.connects.length >= 2)
    host.acknowledges = true
    await until(() => host.doubled.length > 0)
    await until(() => journal.acknowledged === 1n)
    expect(valuesReceived()).toEqual([1])
  })
})

describe('a link that breaks', () => {
  it('comes back with a new will and a higher bdSeq, sends live at once and the backlog as historical', async () => {
    start()
    await append(tagOf('meter-1'))
    await until(() => journal.acknowledged === 1n)
    await host.stop()
    for (let i = 0; i < 50; i++) await append(tagOf('meter-1'), tagOf('meter-2'))
    await host.start()
    await until(() => host.of('NBIRTH').length === 2)
    await append(tagOf('meter-1'))
    const live = journal.newest
    await until(() => host.samples.has(live))
    await until(allArrived)
    const bdSeqs = host
      .of('NBIRTH')
      .map(({ payload }) => payload.metrics?.find(({ name }) => name === 'bdSeq')?.long_value)
    expect(bdSeqs[0]).toBe('0')
    expect(Number(bdSeqs[1])).toBeGreaterThan(0)
    expect(host.samples.get(live)?.metric.is_historical).toBeFalsy()
    const late = [...host.samples.values()].filter(({ offset }) => offset > 1n && offset < live)
    expect(late.every(({ metric }) => metric.is_historical)).toBe(true)
    expect(valuesReceived().toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: counter }, (_, i) => i + 1))
    expect(host.doubled).toEqual([])
    const first = host.of('NBIRTH')[1]?.payload.metrics?.find(({ name }) => name === 'Andon/First Offset')
    expect(first?.long_value).toBe('2')
  })

  it('is told by the will, which the broker publishes', async () => {
    start()
    await until(() => host.of('NBIRTH').length === 1)
    host.cut()
    await until(() => host.of('NDEATH').length === 1)
    const death = host.of('NDEATH')[0]
    expect(death).toMatchObject({ qos: 1, retain: false, seq: undefined })
    expect(death?.payload.metrics).toMatchObject([{ name: 'bdSeq', datatype: 4, long_value: '0' }])
    await until(() => host.of('NBIRTH').length === 2)
  })

  it('loses and doubles nothing through many cuts', async () => {
    start()
    for (let round = 0; round < 6; round++) {
      await until(() => host.of('NBIRTH').length > round)
      for (let i = 0; i < 30; i++) await append(tagOf('meter-1'), tagOf('meter-2'))
      host.cut()
    }
    await until(allArrived)
    expect(valuesReceived().toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: counter }, (_, i) => i + 1))
  })

  it('brings the gap of what the disk could not hold, so that the host’s record has no silent hole', async () => {
    await journal.close()
    const config = { commitSpacingMs: 0, ballastMb: 0, minFreeMb: 0, maxMb: 1, segmentMb: 1, thinSeconds: 0 }
    journal = openJournal({ directory, config, clock, log: silentLog })
    const tag = tagOf('meter-1')
    for (let i = 0; i < 250; i++) {
      const at = Date.now()
      const samples = Array.from({ length: 1000 }, (_, k) => {
        return { tagId: tag, sourceAt: at + i * 1000 + k, value: Math.random(), quality: 192 } as const
      })
      await journal.append(samples, 'backfill')
    }
    const { discarded } = journal.status().counters
    expect(discarded).toBeGreaterThan(0)
    start()
    await until(() => host.committed.hasAll(1n, journal.newest))
    const arrived = [...host.samples.values()].filter(({ metric }) => metric.double_value !== undefined).length
    expect(arrived + discarded).toBe(250 * 1000)
    await until(() => journal.status().depth === 0)
  })

  it('brings a thinned backlog, each sample under its own offset, although messages are lost on the way', async () => {
    await journal.close()
    const config = { commitSpacingMs: 0, ballastMb: 0, minFreeMb: 0, maxMb: 1, segmentMb: 1, thinSeconds: 1 }
    journal = openJournal({ directory, config, clock, log: silentLog })
    const tags = ['meter-1', 'meter-2'].map((device) => tagOf(device))
    const [from, read] = [Date.now(), new Map<string, number>()]
    for (let i = 0; i < 300; i++) {
      const samples = Array.from({ length: 1000 }, (_, k) => {
        const [tagId, sourceAt, value] = [tags[k % 2]!, from + i * 500 + (k >> 1), Math.random()]
        read.set(`${tagId} ${sourceAt}`, value)
        return { tagId, sourceAt, value, quality: 192 } as const
      })
      await journal.append(samples, 'backfill')
    }
    const { thinned, discarded } = journal.status().counters
    expect([thinned > 0, discarded]).toEqual([true, 0])
    host.loseNext = 2
    start()
    await until(() => journal.status().depth === 0)
    const arrived = [...host.samples.values()].filter(({ metric }) => metric.double_value !== undefined)
    expect(arrived.length + thinned).toBe(300 * 1000)
    const known = ({ metric }: (typeof arrived)[number]) => read.get(`${metric.alias} ${metric.timestamp}`)
    expect(arrived.filter((sample) => known(sample) !== sample.metric.double_value)).toEqual([])
    expect(host.earlyGaps).toBeGreaterThan(0)
  })

  it('sends alarm events before older samples', async () => {
    for (let i = 0; i < 20; i++) await append(tagOf('meter-1'))
    await journal.appendAlarmEvent('{"alarm":1}', Date.now())
    start()
    await until(allArrived)
    const first = host.of('DDATA', 'NDATA').find(({ payload }) => (payload.metrics?.length ?? 0) > 1)
    expect(first?.payload.metrics?.[0]).toMatchObject({ string_value: '{"alarm":1}', is_historical: true })
  })
})

describe('an edge agent that stops', () => {
  it('publishes its NDEATH itself and disconnects, so that the will is not sent as well', async () => {
    const uplink = start()
    await until(() => host.of('NBIRTH').length === 1)
    await uplink.close()
    expect(host.of('NDEATH')).toMatchObject([{ seq: undefined, qos: 1 }])
    expect(uplink.status().state).toBe('closed')
  })

  it('goes on after a restart where the host left off, with the gap of an unclean stop acknowledged too', async () => {
    const first = start()
    await append(tagOf('meter-1'))
    await until(() => journal.acknowledged === 1n)
    await first.close()
    await append(tagOf('meter-1'))
    await journal.close()
    markUnclean(directory)
    journal = openIn(directory)
    start()
    await append(tagOf('meter-1'))
    await until(() => journal.acknowledged === journal.newest)
    expect(journal.newest).toBe((1n << 32n) + 4n)
    expect(valuesReceived().filter((value) => value !== undefined)).toEqual(
      [1, 3, 2].filter((v) => v <= counter).sort(),
    )
  })
})

describe('a device', () => {
  it('that dies is told by DDEATH with a sequence number, and born again when it answers', async () => {
    start()
    await until(() => host.of('DBIRTH').length === 2)
    model.set('meter-1', false)
    await until(() => host.of('DDEATH').length === 1)
    expect(host.of('DDEATH')[0]).toMatchObject({ device: 'meter-1', seq: expect.any(Number) })
    model.set('meter-1', true)
    await until(() => host.of('DBIRTH').length === 3)
  })

  it('that is dead is born for its old samples, and told dead again after them', async () => {
    model.alive.delete('meter-1')
    await append(tagOf('meter-1'))
    start()
    await until(() => host.of('DDEATH').length === 1)
    const story = host.messages.filter(({ device }) => device === 'meter-1').map(({ kind }) => kind)
    expect(story).toEqual(['DBIRTH', 'DDATA', 'DDEATH'])
  })

  it('that the configuration no longer has is born from the journal for its old samples', async () => {
    await append(journal.tagId('gone', 'level', 'double'))
    start()
    await until(allArrived)
    const birth = host.of('DBIRTH').find(({ device }) => device === 'gone')
    expect(birth?.payload.metrics?.map(({ name }) => name)).toContain('level')
    expect(birth?.payload.metrics?.map(({ name }) => name)).not.toContain('Properties/Profile')
  })
})

describe('commands', () => {
  it('of rebirth are answered by all births again, with sequence 0 and the same bdSeq', async () => {
    start()
    await until(() => host.of('DBIRTH').length === 2)
    host.command([{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }])
    await until(() => host.of('DBIRTH').length === 4)
    expect(host.of('NBIRTH').map(({ seq }) => seq)).toEqual([0, 0])
    const bdSeqs = host
      .of('NBIRTH')
      .map(({ payload }) => payload.metrics?.find(({ name }) => name === 'bdSeq')?.long_value)
    expect(bdSeqs[0]).toBe(bdSeqs[1])
  })

  it('to write are carried out once and answered under their id', async () => {
    const carried: unknown[] = []
    start({
      onCommand: async (command) => {
        carried.push(command)
        return { status: 'done' }
      },
    })
    await until(() => host.of('DBIRTH').length === 2)
    const command = [
      { name: 'Andon/Command Id', datatype: 12, string_value: 'c-1' },
      { name: 'power', datatype: 10, double_value: 5 },
    ]
    const results = () =>
      host
        .of('DDATA')
        .flatMap(({ payload }) => payload.metrics ?? [])
        .filter(({ alias }) => alias === String(journal.tagId('meter-1', 'Andon/Command Result', 'string')))
    host.command(command, 'meter-1')
    await until(() => results().length === 1)
    host.command(command, 'meter-1')
    await until(() => results().length === 2)
    expect(carried).toEqual([{ id: 'c-1', device: 'meter-1', writes: [{ tag: 'power', type: 'double', value: 5 }] }])
    expect(results().map(({ string_value }) => string_value)).toEqual([
      '{"id":"c-1","status":"done"}',
      '{"id":"c-1","status":"done"}',
    ])
  })

  it('carry what the host expects to be there', async () => {
    const commands: EdgeCommand[] = []
    const onCommand = async (command: EdgeCommand) => {
      commands.push(command)
      return { status: 'done' } as const
    }
    start({ onCommand })
    await until(() => host.of('DBIRTH').length === 2)
    const expected = { keys: ['Andon Expected'], values: [{ type: 10, double_value: 4.5 }] }
    const id = { name: 'Andon/Command Id', datatype: 12, string_value: 'c-9' }
    host.command([id, { name: 'power', datatype: 10, double_value: 5, properties: expected }], 'meter-1')
    await until(() => commands.length === 1)
    expect(commands[0]?.writes).toMatchObject([{ tag: 'power', value: 5, expected: 4.5 }])
  })

  it('that the broker had kept are left alone', async () => {
    const metrics = [{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }]
    host.publish('spBv1.0/plant/NCMD/line-1', protoEncode({ timestamp: '1', metrics }), true)
    start()
    await until(() => host.of('DBIRTH').length === 2)
    host.command([{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }])
    await until(() => host.of('DBIRTH').length === 4)
    expect(host.of('NBIRTH')).toHaveLength(2)
  })

  it('that name no tag are refused under their id, and garbage is counted', async () => {
    const uplink = start()
    await until(() => host.of('DBIRTH').length === 2)
    host.publish('spBv1.0/plant/NCMD/line-1', new Uint8Array([1, 2, 3]))
    host.command(
      [
        { name: 'Andon/Command Id', datatype: 12, string_value: 'c-2' },
        { name: 'nonsense', datatype: 10, double_value: 5 },
      ],
      'meter-1',
    )
    const answer = () => host.of('DDATA')[0]?.payload.metrics?.[0]?.string_value
    await until(() => answer() !== undefined)
    expect(JSON.parse(answer() ?? '')).toMatchObject({ id: 'c-2', status: 'refused' })
    expect(uplink.status().refusedMessages).toBe(1)
  })

  it('to acknowledge another epoch are ignored', async () => {
    host.acknowledges = false
    start()
    await append(tagOf('meter-1'))
    await until(allArrived)
    host.command([
      { name: 'Andon/Epoch', datatype: 8, long_value: String(journal.epoch ^ 1n) },
      { name: 'Andon/Ack Offset', datatype: 8, long_value: '1' },
    ])
    host.command([{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }])
    await until(() => host.of('NBIRTH').length === 2)
    expect(journal.acknowledged).toBe(0n)
  })
})

describe('a host that never acknowledges', () => {
  it('is sent the last seconds again after a reconnect, and nothing older', async () => {
    host.acknowledges = false
    const config = { url: host.url, keepAliveSeconds: 10, backlogSamplesPerSecond: 50_000 }
    const timing = { ...TIMING, rollingMs: 300, ackTimeoutMs: 100 }
    start({ config: { ...config, acknowledgement: 'none' }, timing })
    await append(tagOf('meter-1'))
    await until(() => journal.acknowledged === 1n)
    await append(tagOf('meter-1'))
    await until(allArrived)
    host.cut()
    await until(() => host.doubled.length > 0)
    expect(host.doubled).toEqual([2n])
    expect(host.connects).toHaveLength(2)
  })
})

describe('a host that never acknowledges, behind a network that swallows everything', () => {
  it('is sent again what was swallowed: only what reached the broker counts as delivered', async () => {
    host.acknowledges = false
    const network = await swallowingNetwork(() => host.port)
    const config = { url: `mqtt://127.0.0.1:${network.port}`, keepAliveSeconds: 10, backlogSamplesPerSecond: 50_000 }
    start({ config: { ...config, acknowledgement: 'none' }, timing: { ...TIMING, rollingMs: 200 } })
    await append(tagOf('meter-1'))
    await until(() => journal.acknowledged === 1n)
    network.swallow()
    await append(tagOf('meter-1'))
    await network.heard(6)
    expect(journal.acknowledged).toBe(1n)
    network.restore()
    await until(allArrived)
    expect(valuesReceived()).toEqual([1, 2])
    await until(() => journal.acknowledged === 2n)
    await network.close()
  })
})

describe('a primary host', () => {
  const state = (online: boolean, timestamp: number) =>
    host.publish('spBv1.0/STATE/scada', Buffer.from(JSON.stringify({ online, timestamp })), true)

  it('is waited for, and its going is answered by NDEATH; a stale message is ignored', async () => {
    const config = { url: host.url, keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond: 50_000 }
    const uplink = start({ config: { ...config, acknowledgement: 'required', primaryHost: 'scada' } })
    await until(() => host.connects.length === 1)
    await until(() => host.subscriptions.includes('spBv1.0/STATE/scada'))
    host.publish('spBv1.0/STATE/other', Buffer.from(JSON.stringify({ online: true, timestamp: 300 })), true)
    state(false, 90)
    expect(host.messages).toEqual([])
    state(true, 100)
    await until(() => host.of('NBIRTH').length === 1)
    state(false, 50)
    await append(tagOf('meter-1'))
    await until(allArrived)
    state(false, 200)
    await until(() => host.of('NDEATH').length === 1)
    await until(() => host.connects.length === 2)
    expect(uplink.status().state).not.toBe('connected')
    expect(host.of('NBIRTH')).toHaveLength(1)
  })
})

describe('several servers', () => {
  let other: WireHost
  beforeEach(async () => {
    other = new WireHost('plant', 'line-1')
    await other.start()
  })
  afterEach(() => other.stop())
  const config = (of: object) => {
    const rest = { keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond: 50_000 } as const
    return { url: host.url, servers: [other.url], ...rest, ...of }
  }
  const say = (at: WireHost, online: boolean, timestamp: number) =>
    at.publish('spBv1.0/STATE/scada', Buffer.from(JSON.stringify({ online, timestamp })), true)

  it('are tried in turn when one does not answer, and the next in the list takes over', async () => {
    await host.stop()
    const uplink = start({ config: config({}) })
    await other.until(() => other.of('NBIRTH').length === 1)
    expect(uplink.status().server).toBe(other.url)
    await host.start()
    await other.stop()
    await until(() => host.of('NBIRTH').length === 1)
    await other.start()
    expect(uplink.status().server).toBe(host.url)
  })

  it('are left for one where the primary host is online, and no two are connected at once', async () => {
    say(host, false, 10)
    say(other, true, 20)
    start({ config: config({ primaryHost: 'scada' }) })
    await other.until(() => other.of('NBIRTH').length === 1)
    expect(host.of('NBIRTH', 'DBIRTH', 'NDATA', 'DDATA')).toEqual([])
    say(host, true, 30)
    say(other, false, 40)
    await other.until(() => other.of('NDEATH').length === 1)
    await until(() => host.of('NBIRTH').length === 1)
    const bdSeqs = [...host.connects, ...other.connects].map(
      ({ will }) => protoDecode(will!.payload as Buffer).metrics?.[0]?.long_value,
    )
    expect(new Set(bdSeqs).size).toBe(bdSeqs.length)
  })

  it('are left without a wait that goes on behind them', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    say(host, false, 10)
    say(other, false, 10)
    const timing = { hostWaitMs: 60_000, reconnectMinMs: 5, reconnectMaxMs: 5 }
    start({ config: config({ primaryHost: 'scada' }), timing })
    await until(() => host.connects.length === 2)
    const before = timers()
    await until(() => host.connects.length === 8)
    expect(timers() - before).toBeLessThan(6)
  })

  it('are left too when one says nothing of the primary host for too long', async () => {
    say(other, true, 20)
    start({
      config: config({ primaryHost: 'scada' }),
      timing: { hostWaitMs: 50, reconnectMinMs: 20, reconnectMaxMs: 50 },
    })
    await other.until(() => other.of('NBIRTH').length === 1)
    expect(host.connects.length).toBeGreaterThan(0)
  })
})

/** A way to the broker that can take everything and pass on nothing, without closing a connection, as a pulled cable does. */
async function swallowingNetwork(brokerPort: () => number) {
  const heard = new EventEmitter()
  const sockets = new Set<Socket>()
  let isSwallowing = false
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ port: brokerPort(), host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.on('data', (bytes) => {
        if (isSwallowing) heard.emit(from === client ? 'client' : 'broker')
        else to.write(bytes)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    port: (server.address() as AddressInfo).port,
    swallow: () => {
      isSwallowing = true
    },
    /** Waits until the client has sent so many more times. */
    heard: async (times: number) => {
      for (let i = 0; i < times; i++) await once(heard, 'client')
    },
    restore: () => {
      isSwallowing = false
      cut()
    },
    close: async () => {
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}

/** Makes a closed journal look as if its process had been killed. */
function markUnclean(path: string): void {
  const db = new DatabaseSync(join(path, 'journal.db'))
  db.exec("UPDATE meta SET value = 'open' WHERE key = 'state'")
  db.close()
}
