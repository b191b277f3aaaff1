import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type ModbusServer, serveModbus } from '#devices/simulators/modbus-server.ts'
import { createUnit } from '#devices/simulators/modbus-unit.ts'
import { publish, publishedType } from '#edge/acquisition/publish.ts'
import type { PolledDriver } from '#edge/drivers/driver.ts'
import { parseProfile } from '#shared/config/profile.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import type { ModbusAddress } from '../address.ts'
import { modbus } from '../index.ts'
import { discoverSunspec, NotSunspecError, type ReadHolding } from './discover.ts'
import { type Group, type Point, sunspecModels } from './models.ts'
import { type ProfileOptions, sunspecProfile } from './profile.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const text = (value: string, registers: number): number[] =>
  Array.from(
    { length: registers },
    (_, i) => ((value.charCodeAt(2 * i) || 0) << 8) | (value.charCodeAt(2 * i + 1) || 0),
  )
const common = (maker: string, type: string) => [
  ...[1, 66, ...text(maker, 16), ...text(type, 16), ...text('', 8), ...text('1.2', 8), ...text('SN42', 16), 1, 0x8000],
]
/** A model of a length with these registers set, counted from its id as the makers' manuals do. */
function model(id: number, length: number, set: Readonly<Record<number, number>>, fill = 0xffff): number[] {
  const registers = [id, length, ...new Array<number>(length).fill(fill)]
  for (const [offset, value] of Object.entries(set)) registers[Number(offset)] = value & 0xffff
  return registers
}
const END = [0xffff, 0]

/** A real server with these registers from an address on. */
async function serve(base: number, registers: readonly number[]) {
  const image = [0x5375, 0x6e53, ...registers]
  const unit = createUnit({
    device: 'd',
    profile: parseProfile(NOTHING, 'n.yaml'),
    latencyMs: 0,
    registers: Object.fromEntries(image.map((value, i) => [base + i, value])),
  })
  const events = () => ({ onRead() {}, onWrite() {} })
  const server: ModbusServer = await serveModbus({ host: '127.0.0.1', port: 0, units: new Map([[1, unit]]), events })
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-sunspec-'))
  const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir })
  closers.push(
    () => rmSync(dataDir, { recursive: true }),
    () => server.close(),
    () => protocol.close(),
  )
  return async (profile: DeviceProfile): Promise<PolledDriver<ModbusAddress>> => {
    const config = { host: '127.0.0.1', port: server.port, unit: 1, timeoutMs: 5000, connectTimeoutMs: 5000 }
    const driver = protocol.createDriver({ device: 'd', profile, config }) as PolledDriver<ModbusAddress>
    closers.push(() => driver.close())
    await driver.connect(signal)
    return driver
  }
}

const { signal } = new AbortController()
const NOTHING =
  'profile: n\nversion: 1\nname: { en: n, zh-CN: n }\nassetClass: n\nprotocol: modbus\ntags: [{ tag: x, name: { en: x, zh-CN: x }, address: "input:0", type: uint16 }]\n'

function holding(driver: PolledDriver<ModbusAddress>): ReadHolding {
  return async (start, count) => {
    const name = { en: 'r', 'zh-CN': 'r' }
    const address = driver.parseAddress({ tag: 'r', name, address: `holding:${start}`, type: 'string', length: count })
    return (await driver.readNow?.('r', address, signal))?.registers
  }
}

async function discovered(base: number, registers: readonly number[], options: ProfileOptions = {}) {
  const open = await serve(base, registers)
  const bare = await open(parseProfile(NOTHING, 'n.yaml'))
  const found = await discoverSunspec(holding(bare))
  const made = sunspecProfile(found, options)
  const checked = parseProfile(JSON.stringify(made.profile), 'made.yaml')
  const driver = await open(checked)
  const addresses = new Map(checked.tags.map((tag) => [tag.tag, driver.parseAddress(tag)]))
  const samples = await driver.read(addresses, { scan: 'normal', withinMs: 5000, signal })
  const byTag = new Map(checked.tags.map((tag) => [tag.tag, tag]))
  const values = Object.fromEntries(
    samples.map((sample) => {
      const tag = byTag.get(sample.tag)
      const { value, quality } = tag ? publish(sample, tag, publishedType(tag)) : sample
      return [sample.tag, quality === 192 ? value : 'bad']
    }),
  )
  return { found, made, values }
}

describe('the models of SunSpec', () => {
  const size = ({ points }: Pick<Group, 'points'>) => points.reduce((sum, point) => sum + point.size, 0)
  const lengths = (...ids: number[]) => ids.map((id) => size(sunspecModels().get(id) ?? { points: [] }))
  const shape = (groups: readonly Group[]): unknown[] =>
    groups.flatMap((group) => (group.groups.length === 0 ? [size(group)] : [size(group), shape(group.groups)]))
  const groupsOf = (id: number) => shape(sunspecModels().get(id)?.groups ?? [])

  it('have the lengths that the standard gives them', () => {
    expect(lengths(1, 101, 102, 103)).toEqual([66, 50, 50, 50])
    expect(lengths(111, 112, 113)).toEqual([60, 60, 60])
    expect(lengths(201, 202, 203, 204)).toEqual([105, 105, 105, 105])
    expect(lengths(211, 212, 213, 214)).toEqual([124, 124, 124, 124])
    expect(lengths(701, 702, 703, 704, 713)).toEqual([153, 50, 17, 65, 7])
    expect(lengths(705, 706, 707, 708, 709, 710, 711, 712)).toEqual([13, 13, 7, 7, 7, 7, 12, 12])
    expect(lengths(160, 714, 802, 803, 804, 805)).toEqual([8, 18, 62, 26, 46, 42])
  })

  it('have groups of the lengths that the standard gives them', () => {
    expect([160, 714, 803, 804, 805, 711].map(groupsOf)).toEqual([[20], [25], [32], [16], [4], [10]])
    expect([705, 706, 712].map(groupsOf)).toEqual([
      [10, [2]],
      [5, [2]],
      [4, [2]],
    ])
    const trip = (point: number) => [1, [1, [point], 1, [point], 1, [point]]]
    expect([707, 708, 709, 710].map(groupsOf)).toEqual([trip(3), trip(3), trip(4), trip(4)])
  })

  it('name every scale factor that they use', () => {
    for (const { ids, points, groups } of sunspecModels().values()) {
      const factors = new Set(points.filter(({ type }) => type === 'sunssf').map(({ name }) => name))
      const all = (group: Pick<Group, 'points' | 'groups'>): Point[] => [...group.points, ...group.groups.flatMap(all)]
      const missing = all({ points, groups }).filter((point) => point.scaleFactor && !factors.has(point.scaleFactor))
      expect([ids, missing]).toEqual([ids, []])
    }
  })
})

describe('a SunSpec inverter at 40000', () => {
  it('becomes a profile that reads its values, scaled, and bad where it measures nothing', async () => {
    const inverter = model(103, 50, {
      ...{ 2: 1234, 3: 411, 4: 412, 5: 411, 6: -2 },
      ...{ 10: 2301, 11: 2302, 12: 2303, 13: -1 },
      ...{ 14: 8500, 15: 0, 16: 4999, 17: -2, 24: 0x0001, 25: 0x86a0, 26: 1 },
      ...{ 33: 0x8000, 34: 0x8000, 37: 0, 38: 4, 40: 0, 41: 0, 42: 0, 43: 0 },
    })
    const inputs = model(160, 8 + 20, { 2: -1, 3: -1, 4: 0, 5: 0, 8: 1, 19: 87, 20: 6502, 21: 5650 })
    const { found, made, values } = await discovered(40_000, [
      ...common('ACME', 'Sun 10'),
      ...inverter,
      ...inputs,
      ...END,
    ])
    expect(found).toMatchObject({ base: 40_000, models: [{ id: 1 }, { id: 103 }, { id: 160 }] })
    expect(found.cutShort).toBeUndefined()
    expect(made.profile).toMatchObject({
      profile: 'sunspec-acme-sun-10',
      vendor: 'ACME',
      assetClass: 'inverter',
      machineState: { tag: 'state', states: { '4': 'running', '7': 'unplanned-stop' } },
      modbus: { firmware: 'firmware-version' },
    })
    expect(values).toMatchObject({
      manufacturer: 'ACME',
      'serial-number': 'SN42',
      'ac-current': 12.34,
      'voltage-phase-a': 230.1,
      'ac-power': 8500,
      frequency: 49.99,
      'ac-energy': 1_000_000,
      'cabinet-temperature': 'bad',
      state: 4,
      'input-1-dc-current': 8.7,
      'input-1-dc-voltage': 650.2,
      'input-1-dc-power': 5650,
    })
    expect(values).not.toHaveProperty('heat-sink-temperature')
    expect(made.leftOut).toBeGreaterThan(0)
  })
})

describe('a SunSpec meter at 0', () => {
  it('becomes a profile with the addresses of the maker’s manual', async () => {
    const meter = model(203, 105, {
      ...{ 2: -120, 3: -40, 6: -1, 7: 2310, 8: 2311, 15: -1, 16: 500, 17: -1, 18: -8200, 19: -2700, 22: 0 },
      ...{ 33: -98, 37: 0, 38: 0x0012, 39: 0xd687, 46: 0, 47: 500, 54: 1, 105: 0, 106: 0 },
    })
    const { made, values } = await discovered(0, [...common('ACME', 'M'), ...meter, ...END])
    expect(made.profile.assetClass).toBe('meter')
    expect(values).toMatchObject({
      'ac-current': -12,
      'phase-voltage': 231,
      frequency: 50,
      'ac-power': -8200,
      'ac-power-phase-a': -2700,
      'power-factor': -98,
      'energy-exported': 12_345_670,
      'energy-imported': 5000,
    })
    expect(made.profile.tags.find(({ tag }) => tag === 'ac-power')).toMatchObject({
      address: `holding:${2 + 68 + 18}`,
      scaleFactor: `holding:${2 + 68 + 22}`,
      invalid: [-32_768],
    })
  })

  it('with floats needs no scale factors', async () => {
    const float = (value: number, at: number): Record<number, number> => {
      const bytes = Buffer.alloc(4)
      bytes.writeFloatBE(value)
      return { [at]: bytes.readUInt16BE(0), [at + 1]: bytes.readUInt16BE(2) }
    }
    const meter = model(213, 124, { ...float(1.5, 2), ...float(49.5, 26), ...float(-250.25, 28) }, 0x7fc0)
    const { values } = await discovered(0, [...common('ACME', 'F'), ...meter, ...END])
    expect(values).toMatchObject({ 'ac-current': 1.5, frequency: 49.5, 'ac-power': -250.25, 'energy-exported': 'bad' })
  })
})

describe('a SunSpec battery at 50000', () => {
  it('becomes a profile with its state of charge', async () => {
    const battery = model(802, 62, {
      ...{ 2: 200, 3: 1024, 11: 735, 22: 3, 26: 0, 27: 5, 34: 5120, 44: -150, 47: 0x8000 },
      ...{ 52: 0, 53: 1, 54: 0, 56: -1, 59: -1, 60: -3, 61: -1, 62: 0, 63: 0 },
    })
    const { made, values } = await discovered(50_000, [...common('ACME', 'B'), ...battery, ...END])
    expect(made.profile).toMatchObject({ assetClass: 'battery', machineState: { tag: 'state' } })
    expect(values).toMatchObject({
      'charge-capacity': 200,
      'energy-capacity': 10_240,
      'state-of-charge': 73.5,
      state: 3,
      'event-flags': 5,
      voltage: 512,
      current: -15,
      power: 'bad',
    })
  })
})

describe('a SunSpec inverter with settings (IEEE 1547)', () => {
  const NONE = 0xffff
  const capacity = model(702, 50, { 2: 1000, 7: 1100, 14: 2400, 26: 900, 45: 1, 46: -3, 47: 0x8000, 49: -1 })
  const controls = model(704, 65, { 14: 1, 15: 800, 24: -1, 25: -5000, 53: -3, 54: -1, 55: 0, 59: 950, 60: 1 })
  const point = (volts: number, dependent: number) => [volts, dependent & 0xffff]
  const curve = (active: number, readOnly: number, ...points: number[]) => [
    ...[active, 1, 1, 1000, NONE, 0, NONE, 0, 50, readOnly],
    ...points,
  ]
  const voltVar = [
    ...[705, 13 + 2 * 18, 1, 0, 1, 4, 2, 0, 0, 0, 0, 1, 0xffff, 0xffff, 0xfffe],
    ...curve(2, 1, ...point(920, 440), ...point(1080, -440), ...point(NONE, 0x8000), ...point(NONE, 0x8000)),
    ...curve(4, 0, ...point(900, 300), ...point(950, 0), ...point(1050, 0), ...point(1100, -300)),
  ]
  /** Each of the three curves of a set: active points, then pairs of a value and a time of 32 bits. */
  const trips = (id: number, value: readonly number[], factor: number) => [
    ...[id, 7 + 1 + 3 * (1 + 2 * (value.length + 2)), 1, 0, 1, 2, 1, factor & 0xffff, 0xfffe],
    ...[1, ...[1, 2, 3].flatMap((times) => [1, ...value, 0, 16 * times, ...value, 0, 200])],
  ]
  const droop = [
    ...[711, 12 + 2 * 10, 1, 0, 1, 2, 0, 0, 0, 0, 1, 0xfffd, 0xfffd, 0xfffe],
    ...[0, 36, 0, 36, 50, 50, 0, 500, 0x8000, 1],
    ...[0, 100, 0, 100, 40, 40, 0, 900, 0x8000, 0],
  ]
  const device = [
    ...[...common('ACME', 'D'), ...capacity, ...controls, ...voltVar],
    ...[...trips(707, [700], -1), ...trips(710, [0, 6200], -2), ...droop, ...END],
  ]

  it('tells ratings, controls and what is in force of curves, trips and droop', async () => {
    const { found, made, values } = await discovered(40_000, device)
    expect([found.cutShort, found.models.map(({ id }) => id)]).toEqual([undefined, [1, 702, 704, 705, 707, 710, 711]])
    expect(values).toMatchObject({
      'active-power-rating': 10_000,
      'apparent-power-rating': 'bad',
      'nominal-voltage-rating': 240,
      'active-power-setting': 9000,
      'power-limit-enabled': 1,
      'power-limit': 80,
      'active-power-setpoint': -5000,
      'power-factor-injecting': 0.95,
      'excitation-injecting': 1,
      'volt-var-enabled': 1,
      'volt-var-curve-1-point-2-voltage': 108,
      'volt-var-curve-1-point-2-reactive-power': -44,
      'volt-var-curve-1-response-time': 0.5,
      'low-voltage-trip-set-1-must-trip-point-1-voltage': 70,
      'low-voltage-trip-set-1-momentary-cessation-point-1-time': 0.48,
      'high-frequency-trip-set-1-may-trip-point-2-frequency': 62,
      'frequency-droop-control-1-deadband-over-frequency': 0.036,
      'frequency-droop-control-1-droop-under-frequency': 0.05,
    })
    expect(Object.keys(values).filter((tag) => /curve-2|control-2|point-3/.test(tag))).toEqual([])
    const { tags } = made.profile
    expect(tags.find(({ tag }) => tag === 'power-limit')).toMatchObject({ scan: 'slow', unit: '%' })
    expect(tags.some(({ writable }) => writable)).toBe(false)
    expect(tags.find(({ tag }) => tag === 'volt-var-curve-1-point-2-voltage')?.name['zh-CN']).toBe(
      '电压无功 曲线1 点2 电压',
    )
  })

  it('tells stored sets and empty points too when all is wanted', async () => {
    const { values } = await discovered(40_000, device, { hasAll: true })
    expect(values).toMatchObject({
      'volt-var-curve-1-point-3-voltage': 'bad',
      'volt-var-curve-2-point-4-reactive-power': -30,
      'frequency-droop-control-2-response-time': 9,
    })
  })
})

describe('a SunSpec battery with its strings, modules and cells', () => {
  const bank = [
    ...model(803, 26 + 2 * 32, { 2: 2, 3: 2, 4: 251, 7: 249, 22: -3, 23: -1, 24: -1, 25: 0, 26: -1, 27: -1 }),
  ]
  const string = (at: number, charge: number, amps: number) => {
    for (const [offset, value] of [
      [0, 8],
      [1, 0],
      [2, 3],
      [4, charge],
      [6, amps],
      [7, 3412],
      [9, 3390],
    ] as const)
      bank[2 + 26 + 32 * at + offset] = value & 0xffff
  }
  string(0, 735, -152)
  string(1, 721, -149)
  const stringOf = (index: number, cells: number) =>
    model(804, 46 + 16, {
      ...{ 2: index, 3: 1, 4: 0, 5: 3, 8: 730, 13: -150, 14: 5120, 15: 3412, 17: 3390 },
      ...{ 38: -1, 39: 0, 40: -1, 41: -1, 42: -1, 43: -3, 44: -1, 48: cells, 51: 3412, 53: 3390 },
    })
  const cells = model(805, 42 + 3 * 4, {
    ...{ 2: 2, 3: 1, 4: 3, 10: 512, 38: -1, 39: 0, 40: -1, 41: -1, 42: -3, 43: -1 },
    ...{ 44: 3410, 45: 251, 48: 3411, 49: 252, 52: 3412, 53: 0x8000 },
  })
  const device = [...common('ACME', 'B'), ...bank, ...stringOf(1, 14), ...stringOf(2, 16), ...cells, ...END]

  it('names each of them by its own number', async () => {
    const { found, values } = await discovered(40_000, device)
    expect(found.models.map(({ id }) => id)).toEqual([1, 803, 804, 804, 805])
    expect(values).toMatchObject({
      strings: 2,
      'highest-module-temperature': 25.1,
      'string-1-state-of-charge': 73.5,
      'string-2-state-of-charge': 72.1,
      'string-2-current': -14.9,
      'string-1-highest-cell-voltage': 3.412,
      'string-1-module-1-cells': 14,
      'string-2-module-1-cells': 16,
      'string-2-module-1-voltage': 51.2,
      'string-2-module-1-cell-2-voltage': 3.411,
      'string-2-module-1-cell-3-temperature': 'bad',
    })
    expect(Object.keys(values).filter((tag) => tag.includes('cell-4'))).toEqual([])
  })
})

describe('a device that is not as it ought to be', () => {
  it('without the marker is told with what to try', async () => {
    const open = await serve(1000, [])
    const driver = await open(parseProfile(NOTHING, 'n.yaml'))
    await expect(discoverSunspec(holding(driver))).rejects.toThrow(NotSunspecError)
    await expect(discoverSunspec(holding(driver))).rejects.toThrow('another unit number answers')
  })

  it('that forgets the end mark keeps what it told before, and models unknown to Andon are named', async () => {
    const strange = model(64_110, 4, {})
    const { found, made } = await discovered(40_000, [...common('ACME', 'X'), ...strange])
    expect(found.cutShort).toContain('does not let register')
    expect(made.unknown).toEqual([64_110])
  })

  it('that serves only the registers which it uses is read around the others', async () => {
    const open = await serve(40_000, [...common('ACME', 'Z'), ...model(103, 50, { 14: 700, 15: 0 }), ...END])
    const driver = await open(parseProfile(NOTHING, 'n.yaml'))
    const whole = holding(driver)
    const strict: ReadHolding = async (start, count) =>
      start <= 40_046 && start + count > 40_046 ? undefined : whole(start, count)
    const { profile } = sunspecProfile(await discoverSunspec(strict))
    expect(profile.tags.map(({ tag }) => tag)).toEqual(expect.arrayContaining(['manufacturer', 'ac-power']))
    expect(profile.tags.map(({ tag }) => tag)).not.toContain('firmware-version')
  })

  it('of an older edition has the points that it has room for', async () => {
    const short = model(713, 6, { 2: 500, 4: 80, 6: 1, 7: 1 })
    const { values } = await discovered(40_000, [...common('ACME', 'Y'), ...short, ...END])
    expect(values).toMatchObject({ 'energy-rating': 5000, 'state-of-charge': 80, 'storage-status': 1 })
  })
})
