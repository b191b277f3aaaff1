import type { Scalar } from '#shared/contracts/sample.ts'
import type { Machine } from '../machine.ts'
import { wander } from '../physics.ts'
import type { Random } from '../random.ts'

/** A meter at the grid connection: what the plant draws less what the sun gives, integrated to energy both ways. */
export function createEnergyMeter(params: { baseLoadKw: number }, random: Random): Machine {
  const m = {
    kw: params.baseLoadKw,
    importWh: 8_412_330_000,
    exportWh: 1_204_400,
    volts: 0,
    hertz: 0,
    base: 0,
    scans: 0,
  }
  let peakKw = 0

  function step(seconds: number, around: { loadKw(): number; solarKw(): number }): void {
    m.base = wander(m.base, seconds, random, { sigma: 4, tau: 120 })
    m.volts = wander(m.volts, seconds, random, { sigma: 1.1, tau: 20 })
    m.hertz = wander(m.hertz, seconds, random, { sigma: 0.015, tau: 15 })
    m.kw = params.baseLoadKw + m.base + around.loadKw() - around.solarKw()
    if (m.kw > 0) m.importWh += (m.kw * 1000 * seconds) / 3600
    else m.exportWh -= (m.kw * 1000 * seconds) / 3600
    peakKw = Math.max(peakKw, m.kw)
    m.scans++
  }

  function read(): Readonly<Record<string, Scalar>> {
    const volts = 230.2 + m.volts
    const factor = m.kw >= 0 ? 0.94 : -0.97
    const amps = Math.abs(m.kw * 1000) / (3 * volts * Math.abs(factor))
    return {
      'phase-a-voltage': volts,
      'phase-b-voltage': volts - 0.3,
      'phase-c-voltage': volts + 0.5,
      'phase-a-current': amps * 1.02,
      'phase-b-current': amps * 0.99,
      'phase-c-current': amps * 0.99,
      'active-power': m.kw * 1000,
      'reactive-power': m.kw * 1000 * 0.363,
      'power-factor': factor,
      frequency: 50 + m.hertz,
      'peak-power': peakKw,
      'energy-import': BigInt(Math.round(m.importWh)),
      'energy-export': BigInt(Math.round(m.exportWh)),
      'uptime-seconds': m.scans,
    }
  }

  return { step, read, command() {}, write() {}, powerKw: () => 0 }
}
