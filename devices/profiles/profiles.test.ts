import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadProfiles } from '#shared/config/profile.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const profiles = [...loadProfiles(folder).values()]
const tags = profiles.flatMap((p) => p.tags.map((t) => ({ ...t, protocol: p.protocol })))
const alarms = profiles.flatMap((p) => p.alarms ?? [])

describe('the profiles that the product ships', () => {
  it('all fit their schema and pass every check', () => {
    expect(profiles.length).toBe(readdirSync(folder).filter((f) => f.endsWith('.yaml')).length)
  })

  it('cover integers, floats, bits and text over both protocols, in several word orders', () => {
    expect(new Set(profiles.map((p) => p.protocol))).toEqual(new Set(['modbus', 'opcua']))
    for (const type of [
      'bit',
      'int16',
      'uint16',
      'int32',
      'uint32',
      'int64',
      'uint64',
      'float32',
      'float64',
      'string',
    ]) {
      expect(tags.some((t) => t.type === type)).toBe(true)
    }
    for (const order of ['ABCD', 'CDAB', 'BADC', 'DCBA']) expect(tags.some((t) => t.wordOrder === order)).toBe(true)
    for (const area of ['holding', 'input', 'coil', 'discrete']) {
      expect(tags.some((t) => t.address.startsWith(`${area}:`))).toBe(true)
    }
  })

  it('give every alarm above low priority an action, and every incident a trade', () => {
    expect(alarms.filter((a) => a.priority !== 'low' && !a.rationalisation)).toEqual([])
    expect(alarms.filter((a) => a.incident && !a.trades)).toEqual([])
  })

  it('say for every machine what its state tag means', () => {
    const silent = profiles.filter((p) => !p.machineState).map((p) => p.profile)
    expect(silent.filter((p) => p !== 'energy-meter' && !p.startsWith('bench-'))).toEqual([])
  })
})
