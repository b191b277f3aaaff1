import type { Scalar } from '#shared/contracts/sample.ts'
import { type Machine, STATE, type StateCode, stateAfter } from '../machine.ts'
import { clamp, lag, wander } from '../physics.ts'
import type { Random } from '../random.ts'

const AMBIENT_F = 30
const RATED_F = 95
const RATED_RPM = 2970
const TRIPPED_TAU_S = 25

/** Motor current over rated current that heats the winding to a temperature in °F: copper loss grows with its square. */
export function loadAt(motorF: number): number {
  return Math.sqrt(clamp((motorF - AMBIENT_F) / (RATED_F - AMBIENT_F), 0, 1.4))
}

/** Pressure in bar that a load can hold: the setpoint down to 70 % load, below it in proportion. */
export function heldPressure(load: number, setpointBar: number): number {
  return setpointBar * clamp(load / 0.7, 0, 1)
}

interface State {
  state: StateCode
  setpointBar: number
  pressureBar: number
  currentA: number
  oilC: number
  noiseBar: number
  noiseA: number
  hours: number
  energyKwh: number
  starts: number
  scans: number
}

const kwOf = (m: State) => 1.732 * 0.4 * m.currentA * 0.86

/** A screw compressor whose motor temperature is recorded; load, current and pressure follow from it. */
export function createCompressor(params: { ratedCurrentA: number }, random: Random): Machine {
  const m: State = {
    state: STATE.running,
    setpointBar: 7.5,
    pressureBar: 7.5,
    currentA: loadAt(92) * params.ratedCurrentA,
    oilC: 80,
    noiseBar: 0,
    noiseA: 0,
    hours: 18_211.4,
    energyKwh: 4_120_338,
    starts: 1_204,
    scans: 0,
  }

  function step(seconds: number, around: { replayed(tag: string): number | undefined }): void {
    const isRunning = m.state === STATE.running
    const load = isRunning ? loadAt(around.replayed('motor-temperature') ?? 92) : 0
    m.noiseBar = wander(m.noiseBar, seconds, random, { sigma: 0.04, tau: 6 })
    m.noiseA = wander(m.noiseA, seconds, random, { sigma: 0.8, tau: 3 })
    m.pressureBar = lag(m.pressureBar, heldPressure(load, m.setpointBar), seconds, isRunning ? 4 : TRIPPED_TAU_S)
    m.currentA = lag(m.currentA, load * params.ratedCurrentA, seconds, isRunning ? 1.5 : 0.2)
    m.oilC = lag(m.oilC, 22 + 60 * load, seconds, 90)
    m.hours += isRunning ? seconds / 3600 : 0
    m.energyKwh += (kwOf(m) * seconds) / 3600
    m.scans++
  }

  return {
    step,
    read: () => readCompressor(m, params.ratedCurrentA),
    command(command) {
      const next = stateAfter(command)
      if (next === STATE.running && m.state !== STATE.running) m.starts++
      m.state = next
    },
    write(tag, value) {
      if (tag === 'pressure-setpoint') m.setpointBar = Number(value)
    },
    powerKw: () => kwOf(m),
  }
}

function readCompressor(m: State, ratedCurrentA: number): Readonly<Record<string, Scalar>> {
  const isRunning = m.state === STATE.running
  return {
    'discharge-pressure': Math.max(0, m.pressureBar + (isRunning ? m.noiseBar : 0)),
    'motor-current': Math.max(0, m.currentA + (isRunning ? m.noiseA : 0)),
    'oil-temperature': m.oilC,
    'motor-speed': isRunning ? RATED_RPM - 8 * (m.currentA / ratedCurrentA) : 0,
    'motor-power': kwOf(m),
    'running-hours': m.hours,
    energy: m.energyKwh,
    starts: m.starts,
    state: m.state,
    'motor-running': isRunning,
    'fault-relay': m.state === STATE.fault,
    'pressure-setpoint': m.setpointBar,
    'scan-count': m.scans,
    controller: 'SC-132 v4.2',
  }
}
