import { describe, expect, it } from 'vitest'
import type { TagSample } from '#edge/model.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { SCAN_DEFAULTS } from './config.ts'
import { createDevice } from './device.ts'
import { createModel } from './model.ts'

const text = { en: 'x', 'zh-CN': 'x' }
const profile: DeviceProfile = {
  profile: 'tank',
  version: 1,
  name: text,
  assetClass: 'tank',
  protocol: 'opcua',
  tags: [
    { tag: 'level', name: text, address: 'i=1', type: 'float64' },
    { tag: 'total', name: text, address: 'i=2', type: 'float64', scan: 'slow' },
  ],
}
const NOW = 1_000_000

function deviceAt(clock: { now: number }) {
  const tags = profile.tags.map(({ tag }, id) => ({ id, device: 'tank-1', tag, type: 'double' as const }))
  const device = { device: 'tank-1', profile: 'tank', tags }
  const journal: TagSample[] = []
  const created = createDevice({
    device,
    profile,
    places: new Map(profile.tags.map(({ tag }, place) => [tag, place])),
    model: createModel({ group: 'g', edge: 'e', devices: [device] }),
    sink: async (samples) => void journal.push(...samples),
    gap: async () => undefined,
    alarmEvent: async () => undefined,
    scan: SCAN_DEFAULTS,
    now: () => clock.now,
    log: silentLog,
  })
  const read = (tag: string, value: number, sourceAt: number) =>
    created.onSamples([{ tag, value, quality: 192, sourceAt }])
  return { read, journal, created }
}

describe('the source time of a sample', () => {
  it('is the device’s own while it is near the gateway’s', async () => {
    const { read, journal } = deviceAt({ now: NOW })
    await read('level', 1, NOW - 1500)
    expect(journal[0]?.sourceAt).toBe(NOW - 1500)
  })

  it('is now for a value that stood unchanged before the link opened', async () => {
    const clock = { now: NOW }
    const { read, journal, created } = deviceAt(clock)
    await read('level', 1, NOW - 3_600_000)
    await created.onLost(new Error('gone'), 0)
    clock.now += 10_000
    await read('level', 1, NOW - 3_600_000)
    expect(journal.filter((s) => s.quality === 192).map((s) => s.sourceAt)).toEqual([NOW, NOW + 10_000])
  })

  it('is now for a value that a device gives again after it was recorded as lost, however young', async () => {
    const clock = { now: NOW }
    const { read, journal, created } = deviceAt(clock)
    await read('level', 1, NOW)
    clock.now += 300
    await created.onLost(new Error('gone'), 0)
    clock.now += 700
    await read('level', 1, NOW)
    expect(journal.filter((s) => s.quality === 192).map((s) => s.sourceAt)).toEqual([NOW, NOW + 1000])
  })

  it('is now for a change that a slow scan class saw late, and the device’s own for a normal one', async () => {
    const { read, journal } = deviceAt({ now: NOW })
    await read('total', 1, NOW)
    await read('level', 1, NOW)
    await read('total', 2, NOW - 9000)
    await read('level', 2, NOW - 9000)
    expect(journal.slice(2).map((s) => s.sourceAt)).toEqual([NOW, NOW - 9000])
  })
})

describe('a sample of a tag that the profile does not have', () => {
  it('is ignored', async () => {
    const { read, journal } = deviceAt({ now: NOW })
    await read('ghost', 1, NOW)
    expect(journal).toEqual([])
  })
})
