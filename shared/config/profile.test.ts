import { describe, expect, it } from 'vitest'
import { ConfigError, type Fault } from './config-error.ts'
import { parseProfile } from './profile.ts'

const GOOD = `
profile: pump
version: 1
name: { en: Pump, zh-CN: 泵 }
asset-class-placeholder: x
`.replace('asset-class-placeholder: x', 'assetClass: pump\nprotocol: modbus')

const tag = (name: string, address: string, type: string, more = '') =>
  `  - { tag: ${name}, name: { en: ${name}, zh-CN: ${name} }, address: "${address}", type: ${type}${more} }\n`

function faultsOf(text: string): readonly Fault[] {
  try {
    parseProfile(text, 'pump.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('a device profile', () => {
  it('may share a register between bits', () => {
    const tags = tag('ready', 'holding:4.0', 'bit') + tag('fault', 'holding:4.1', 'bit') + tag('open', 'coil:4', 'bit')
    expect(faultsOf(`${GOOD}tags:\n${tags}`)).toEqual([])
  })

  it('may not read a register twice', () => {
    const tags = tag('a', 'holding:4', 'float32') + tag('b', 'holding:5', 'uint16')
    expect(faultsOf(`${GOOD}tags:\n${tags}`)).toMatchObject([{ path: 'tags[1].address', found: "the register of 'a'" }])
  })

  it('tells a forbidden range that cannot be meant, and what could be read only within one, each with its line', () => {
    const modbus = 'modbus: { addressBase: 1, forbidden: ["holding:20-29", "holding:9-3", "coils 7", "coil:0"] }\n'
    const tags =
      tag('a', 'holding:19', 'float32') +
      tag('b', 'holding:30', 'int16', ', scaleFactor: "holding:29"') +
      tag('c', 'input:20', 'int16')
    expect(faultsOf(`${GOOD}${modbus}tags:\n${tags}`)).toMatchObject([
      { path: 'modbus.forbidden[1]', line: 7, found: "'holding:9-3'" },
      { path: 'modbus.forbidden[2]', line: 7, found: "'coils 7'" },
      { path: 'modbus.forbidden[3]', line: 7, expected: 'a range such as holding:200-299 or coil:7, from 1 to 65536' },
      { path: 'tags[0].address', line: 9, found: 'holding:19-20' },
      { path: 'tags[1].scaleFactor', line: 10, found: 'holding:29' },
    ])
  })

  it('tells a firmware tag that it does not have, with its line', () => {
    const modbus = 'modbus: { firmware: fw-versoin }\n'
    expect(faultsOf(`${GOOD}${modbus}tags:\n${tag('fw-version', 'holding:1', 'uint16')}`)).toMatchObject([
      { path: 'modbus.firmware', line: 7, nearest: 'fw-version' },
    ])
  })

  it('may not hold a tag twice, nor an address in another notation', () => {
    const tags = tag('a', 'holding:4', 'int16') + tag('a', '40005', 'int16') + tag('c', 'coil:1', 'int16')
    expect(faultsOf(`${GOOD}tags:\n${tags}`).map((f) => f.path)).toEqual([
      'tags[1].tag',
      'tags[1].address',
      'tags[2].address',
    ])
  })

  it('names the nearest tag when an alarm watches one that does not exist', () => {
    const alarm = `alarms:
  - alarm: hot
    name: { en: Hot, zh-CN: 热 }
    tag: temprature
    priority: low
    condition: { kind: limit, levels: [{ level: H, setpoint: 90 }] }
`
    const faults = faultsOf(`${GOOD}tags:\n${tag('temperature', 'input:0', 'int16')}${alarm}`)
    expect(faults).toMatchObject([{ path: 'alarms[0].tag', nearest: 'temperature', fix: "write 'temperature'" }])
  })

  it('must say why an alarm above low priority exists, and keep its levels in order', () => {
    const alarm = `alarms:
  - alarm: hot
    name: { en: Hot, zh-CN: 热 }
    tag: t
    priority: high
    condition: { kind: limit, levels: [{ level: H, setpoint: 90 }, { level: L, setpoint: 95 }] }
`
    expect(faultsOf(`${GOOD}tags:\n${tag('t', 'input:0', 'int16')}${alarm}`).map((f) => f.path)).toEqual([
      'alarms[0].rationalisation',
      'alarms[0].condition.levels[0].setpoint',
    ])
  })

  it('maps every worded value of its state tag to a machine state', () => {
    const words = ', words: { "0": { en: Off, zh-CN: 关 }, "1": { en: On, zh-CN: 开 } }'
    const state = 'machineState: { tag: state, states: { "0": idle, "2": running } }\n'
    const faults = faultsOf(`${GOOD}${state}tags:\n${tag('state', 'input:0', 'uint16', words)}`)
    expect(faults.map((f) => f.path)).toEqual(['machineState.states.2', 'machineState.states'])
  })

  it.each<[string, string, string]>([
    ['input:0', 'uint16', ', writable: true'],
    ['holding:0', 'uint16', ', write: { min: 1 }'],
    ['holding:0', 'uint16', ', writable: true, range: [0, 10], write: { min: 11 }'],
    ['coil:0', 'bit', ', writable: true, write: { step: 1 }'],
    ['holding:0', 'uint32', ', wordOrder: EFGHABCD'],
    ['holding:0', 'uint32', ', packing: low'],
    ['holding:0', 'uint32', ', clamp: [5, 1]'],
    ['holding:0', 'uint64', ', invalid: [18446744073709551615]'],
  ])('is told what cannot be meant: %s %s%s', (address, type, more) => {
    expect(faultsOf(`${GOOD}tags:\n${tag('a', address, type, more)}`)).toHaveLength(1)
  })

  it('may say how a tag is written, and name 64-bit codes exactly', () => {
    const tags =
      tag('a', 'holding:0', 'int16', ', writable: true, range: [0, 10], write: { step: 0.5, everySeconds: 5 }') +
      tag('b', 'holding:4', 'uint64', ', wordOrder: EFGHABCD, invalid: ["18446744073709551615"]') +
      tag('c', 'holding:8', 'string', ', length: 4, packing: low') +
      tag('d', 'holding:12', 'bcd32')
    expect(faultsOf(`${GOOD}modbus: { quirks: { bitWrites: mask } }\ntags:\n${tags}`)).toEqual([])
  })
})
