import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STATE } from '../machine.ts'
import { lag } from '../physics.ts'
import { createRandom } from '../random.ts'
import { createCompressor, heldPressure, loadAt } from './compressor.ts'
import { createCounters } from './counters.ts'
import { createEnergyMeter } from './energy-meter.ts'
import { createLaminator, phaseAt, pumpDown } from './laminator.ts'
import { clearSky, createSolarInverter, sunElevation } from './solar-inverter.ts'
import { createStringer } from './stringer.ts'

const alone = { replayed: () => undefined, loadKw: () => 0, solarKw: () => 0 }

describe('a first-order lag', () => {
  it('is 63 % there after one time constant, whatever the steps', () => {
    expect(lag(0, 100, 10, 10)).toBeCloseTo(63.2, 1)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (steps) => {
        let value = 0
        for (let i = 0; i < steps; i++) value = lag(value, 100, 10 / steps, 10)
        expect(value).toBeCloseTo(63.212, 2)
      }),
    )
  })
})

describe('a compressor', () => {
  it('draws a current that heats its motor as recorded: copper loss grows with its square', () => {
    expect(loadAt(95)).toBeCloseTo(1)
    expect(loadAt(46.25)).toBeCloseTo(0.5)
    expect(loadAt(20)).toBe(0)
  })

  it('loses pressure once its load falls under 70 %, and all of it after a trip', () => {
    expect(heldPressure(0.9, 7.5)).toBe(7.5)
    expect(heldPressure(0.35, 7.5)).toBeCloseTo(3.75)
    const machine = createCompressor({ ratedCurrentA: 140 }, createRandom(1))
    machine.command('trip')
    for (let s = 0; s < 150; s++) machine.step(1, { ...alone, replayed: () => 90 })
    expect(machine.read()).toMatchObject({ state: STATE.fault, 'motor-running': false, 'fault-relay': true })
    expect(machine.read()['discharge-pressure']).toBeLessThan(0.1)
  })
})

describe('a laminator', () => {
  it('pumps its chamber down exponentially to what leaks leave', () => {
    expect(pumpDown(1013, 6.6)).toBeCloseTo(0.4 + 1012.6 / Math.E, 1)
    expect(pumpDown(1013, 120)).toBeCloseTo(0.4, 2)
  })

  it('goes through its phases in order and counts two modules a cycle', () => {
    expect([0, 0.2, 0.5, 0.9, 0.95].map(phaseAt)).toEqual(['load', 'evacuate', 'press', 'vent', 'unload'])
    const machine = createLaminator({ temperatureC: 145, cycleSeconds: 100 }, createRandom(3))
    const before = machine.read()
    for (let s = 0; s < 1000; s++) machine.step(1, alone)
    const after = machine.read()
    expect(Number(after['cycle-count']) - Number(before['cycle-count'])).toBe(10)
    expect(Number(after['module-count']) - Number(before['module-count'])).toBe(20)
  })

  it('holds its zones near the setpoint, and follows a new one', () => {
    const machine = createLaminator({ temperatureC: 145, cycleSeconds: 180 }, createRandom(5))
    for (let s = 0; s < 1800; s++) machine.step(1, alone)
    expect(Number(machine.read()['zone-2-temperature'])).toBeGreaterThan(143)
    expect(Number(machine.read()['zone-2-temperature'])).toBeLessThan(147)
    machine.write('temperature-setpoint', 150)
    for (let s = 0; s < 1800; s++) machine.step(1, alone)
    expect(Number(machine.read()['zone-2-temperature'])).toBeGreaterThan(148)
  })

  it('cools down when it has tripped', () => {
    const machine = createLaminator({ temperatureC: 145, cycleSeconds: 180 }, createRandom(5))
    machine.command('trip')
    for (let s = 0; s < 420; s++) machine.step(1, alone)
    expect(Number(machine.read()['zone-2-temperature'])).toBeLessThan(75)
  })
})

describe('a stringer', () => {
  const params = { cycleSeconds: 2, stopsPerHour: 10, meanStopSeconds: 30 }

  it('makes one cell a cycle while it runs, and never fewer than before', () => {
    const machine = createStringer(params, createRandom(11))
    let last = machine.read()
    let running = 0
    const total = (r: typeof last) => Number(r['cells-good']) + Number(r['cells-rejected'])
    const start = total(last)
    for (let s = 0; s < 3600; s++) {
      machine.step(1, alone)
      const now = machine.read()
      expect(total(now)).toBeGreaterThanOrEqual(total(last))
      if (now.state === STATE.running) running++
      last = now
    }
    expect(total(last) - start).toBeCloseTo(running / params.cycleSeconds, -1)
    expect(Number(last['stop-count'])).toBeGreaterThan(412)
  })

  it('stops about as often as it is told', () => {
    const machine = createStringer(params, createRandom(12))
    for (let s = 0; s < 36_000; s++) machine.step(1, alone)
    const stops = Number(machine.read()['stop-count']) - 412
    expect(stops).toBeGreaterThan(60)
    expect(stops).toBeLessThan(130)
  })

  it('shows one lamp: green, amber or red', () => {
    const machine = createStringer(params, createRandom(13))
    for (let s = 0; s < 3600; s++) {
      machine.step(1, alone)
      const r = machine.read()
      expect([r['beacon-green'], r['beacon-amber'], r['beacon-red']].filter(Boolean).length).toBe(1)
    }
  })
})

describe('a solar inverter', () => {
  it('follows the sun: highest at noon, none at night, symmetric', () => {
    expect(sunElevation(12, 31.2, 172)).toBeCloseTo(90 - 31.2 + 23.45, 0)
    expect(sunElevation(0, 31.2)).toBeLessThan(0)
    expect(sunElevation(9, 31.2)).toBeCloseTo(sunElevation(15, 31.2), 6)
    expect(clearSky(-5)).toBe(0)
    expect(clearSky(60)).toBeGreaterThan(850)
    expect(clearSky(60)).toBeLessThan(1000)
  })

  it('never passes its limit, sleeps at night and only gains energy', () => {
    const params = { ratedKw: 100, latitudeDeg: 31.2, startHour: 0, daySpeed: 60 }
    const machine = createSolarInverter(params, createRandom(21))
    let energy = 0
    const states = new Set<unknown>()
    for (let s = 0; s < 1440; s++) {
      machine.step(1, alone)
      const r = machine.read()
      expect(Number(r['ac-power'])).toBeLessThanOrEqual(100_000)
      expect(Number(r['ac-energy'])).toBeGreaterThanOrEqual(energy)
      energy = Number(r['ac-energy'])
      states.add(r.state)
    }
    expect(states).toContain(2)
    expect(states).toContain(4)
  })
})

describe('an energy meter', () => {
  it('integrates what the plant draws less what the sun gives', () => {
    const meter = createEnergyMeter({ baseLoadKw: 1 }, createRandom(31))
    const before = meter.read()
    for (let s = 0; s < 3600; s++) meter.step(1, { ...alone, loadKw: () => 500, solarKw: () => 101 })
    const drawn = Number(meter.read()['energy-import']) - Number(before['energy-import'])
    expect(drawn / 1000).toBeCloseTo(400, -1)
    expect(meter.read()['energy-export']).toBe(before['energy-export'])
  })
})

describe('a counter block', () => {
  it('never serves a value twice, even after a restart', () => {
    const seen = new Set<unknown>()
    for (const startedAt of [1_800_000_000_000, 1_800_000_001_000]) {
      const block = createCounters(['a', 'b'], startedAt)
      for (let i = 0; i < 50; i++) {
        block.step(0.02, alone)
        for (const value of Object.values(block.read())) seen.add(value)
      }
    }
    expect(seen.size).toBe(200)
    expect(Math.max(...([...seen] as number[]))).toBeLessThan(Number.MAX_SAFE_INTEGER)
  })
})
