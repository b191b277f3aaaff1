import { describe, expect, it } from 'vitest'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { classNumber } from '../historian/retention-classes.ts'
import { createClassKeeper } from './class-keeper.ts'
import { deviceState, TagState } from './tag-state.ts'

const text = { en: 'x', 'zh-CN': 'x' }
const tag = (name: string, retention?: string) => ({
  ...{ tag: name, name: text, address: 'holding:0', type: 'int16' as const },
  ...(retention ? { retention } : {}),
})
const METER: DeviceProfile = {
  ...{ profile: 'meter', version: 1, name: text, assetClass: 'meter', protocol: 'modbus' },
  tags: [tag('energy', 'billing'), tag('power'), tag('hum', 'unheard-of')],
}

function setUp() {
  const told: { tag: number; class: number }[][] = []
  const warned: unknown[] = []
  const keeper = createClassKeeper({
    historian: { classify: async (tags) => void told.push([...tags]) },
    profiles: new Map([['meter', METER]]),
    settings: { default: { values: '1y' }, billing: { values: '10y' } },
    later: (work) => void work(),
    log: { ...silentLog, warn: (fields: unknown) => void warned.push(fields) } as typeof silentLog,
  })
  let key = 0
  const device = (profile: string | null, names: readonly string[]) => {
    const state = deviceState({ id: `d${key}`, device: 'd', profile })
    for (const name of names) {
      key += 1
      const facts = { id: `t${key}`, key, path: `g/e/d/${name}`, tag: name, type: 'double', unit: null } as const
      state.tags.set(name, new TagState(facts, state))
    }
    return state
  }
  return { keeper, device, told, warned }
}

describe('the retention class of a tag', () => {
  it('is what its profile says, of those that there are; an unknown one is told once', () => {
    const { keeper, device, warned } = setUp()
    const meter = device('meter', ['energy', 'power', 'hum'])
    expect(['energy', 'power', 'hum'].map((name) => keeper.classOf(meter, name))).toEqual([
      'billing',
      'default',
      'default',
    ])
    expect(warned).toEqual([{ class: 'unheard-of' }])
  })

  it('is told to history at the start, for every tag, and when a device with classes is born', () => {
    const { keeper, device, told } = setUp()
    const [meter, plain] = [device('meter', ['energy', 'power']), device(null, ['a'])]
    keeper.start([meter, plain])
    const own = [
      { tag: 1, class: classNumber('billing') },
      { tag: 2, class: 0 },
    ]
    expect(told).toEqual([[...own, { tag: 3, class: 0 }]])
    keeper.born(plain)
    keeper.born(meter)
    expect(told.slice(1)).toEqual([own])
    meter.profile = null
    keeper.born(meter)
    expect(told.at(-1)).toEqual([
      { tag: 1, class: 0 },
      { tag: 2, class: 0 },
    ])
  })
})
