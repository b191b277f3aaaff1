import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadPlant } from '../load-plant.ts'
import { type Change, runPlant } from '../simulators/plant-run.ts'

const { plant, profiles, tracks } = loadPlant(fileURLToPath(new URL('module-factory.yaml', import.meta.url)))
const START = 1_800_000_000_000

/** Every value that one tag of a fresh run serves, as [second, value]. */
function served(of: { device: string; tag: string; seconds: number; speed?: number }): [number, unknown][] {
  const run = runPlant({ plant, profiles, tracks, startedAt: START, speed: of.speed ?? 1 })
  const seen: [number, unknown][] = []
  for (let ms = 0; ms <= of.seconds * 1000; ms += 100) {
    for (const c of run.advance(START + ms)) {
      if (c.device === of.device && c.tag.tag === of.tag) seen.push([ms / 1000, c.value])
    }
  }
  return seen
}

const firstBelow = (rows: [number, unknown][], limit: number) => rows.find(([, v]) => Number(v) < limit)?.[0]

describe('the module factory', () => {
  it('serves at least 60 tags over both protocols', () => {
    const tags = plant.devices.flatMap((d) => profiles.get(d.profile)?.tags ?? [])
    expect(tags.length).toBeGreaterThanOrEqual(60)
    expect(plant.devices.filter((d) => d.modbus?.port === 5020).length).toBeGreaterThan(1)
    expect(existsSync(fileURLToPath(new URL('../recordings/nab/LICENSE.txt', import.meta.url)))).toBe(true)
  })

  it('loses its compressor between 40 s and two minutes after the start', () => {
    const rows = served({ device: 'compressor-1', tag: 'motor-temperature', seconds: 120 })
    expect(rows.filter(([s]) => s < 18).every(([, v]) => Number(v) > 85)).toBe(true)
    expect(firstBelow(rows, 60)).toBe(50)
    expect(firstBelow(rows, 55)).toBe(72)
  })

  it('loses it so many times faster as it is told', () => {
    const rows = served({ device: 'compressor-1', tag: 'motor-temperature', seconds: 20, speed: 10 })
    expect(firstBelow(rows, 55)).toBe(7.2)
  })

  it('trips the compressor after its temperature, and stays so until a work order is done', () => {
    const run = runPlant({ plant, profiles, tracks, startedAt: START, speed: 1 })
    const states: [number, unknown][] = []
    const note = (ms: number, changes: readonly Change[]) => {
      for (const c of changes)
        if (c.device === 'compressor-1' && c.tag.tag === 'state') states.push([ms / 1000, c.value])
    }
    for (let ms = 0; ms <= 300_000; ms += 100) note(ms, run.advance(START + ms))
    expect(states.map(([, v]) => v)).toEqual([1, 7])
    run.workOrderDone('compressor-1')
    for (let ms = 300_100; ms <= 320_000; ms += 100) note(ms, run.advance(START + ms))
    expect(states.map(([, v]) => v)).toEqual([1, 7, 6, 1])
    for (let ms = 320_100; ms <= 360_000; ms += 100) run.advance(START + ms)
    const compressor = run.devices.find((d) => d.name === 'compressor-1')
    expect(compressor?.value('motor-temperature')).toBeGreaterThan(80)
    expect(compressor?.value('discharge-pressure')).toBeGreaterThan(7)
  })

  it('serves the same values for the same seed, however often it is asked', () => {
    const often = runPlant({ plant, profiles, tracks, startedAt: START, speed: 1 })
    for (let ms = 0; ms <= 60_000; ms += 50) often.advance(START + ms)
    const once = runPlant({ plant, profiles, tracks, startedAt: START, speed: 1 })
    once.advance(START + 60_000)
    for (const device of once.devices) {
      for (const { tag } of device.profile.tags) {
        const other = often.devices.find((d) => d.name === device.name)
        expect([device.name, tag, device.value(tag)]).toEqual([device.name, tag, other?.value(tag)])
      }
    }
  })

  it('trips the chemical unit on pressure once its feed is lost', () => {
    const state = served({ device: 'reactor-1', tag: 'state', seconds: 900, speed: 1 })
    expect(state.map(([, v]) => v)).toEqual([1, 7])
    expect(state[1]?.[0]).toBeCloseTo(628, 0)
  })
})
