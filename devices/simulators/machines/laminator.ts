import type { Scalar } from '#shared/contracts/sample.ts'
import { type Machine, STATE, type StateCode, stateAfter } from '../machine.ts'
import { clamp, lag, wander } from '../physics.ts'
import type { Random } from '../random.ts'

const ATMOSPHERE_MBAR = 1013
const ULTIMATE_MBAR = 0.4
/** Chamber volume over pumping speed: 1.1 m³ at 600 m³/h. */
const PUMP_TAU_S = 6.6
const VENT_TAU_S = 4
const HEATER_KW = 18
const ZONE_OFFSETS = [0.6, 0, -0.8] as const

/** Pressure in mbar after pumping for so long: exponential down to what leaks and outgassing leave. */
export function pumpDown(mbar: number, seconds: number): number {
  return lag(mbar, ULTIMATE_MBAR, seconds, PUMP_TAU_S)
}

export const PHASES = ['load', 'evacuate', 'press', 'vent', 'unload'] as const
export type Phase = (typeof PHASES)[number]
/** Parts of a cycle, as shares of its length. */
const SHARES: Readonly<Record<Phase, number>> = { load: 0.08, evacuate: 0.3, press: 0.5, vent: 0.05, unload: 0.07 }

/** The phase at a moment of the cycle (share from 0 to 1). */
export function phaseAt(share: number): Phase {
  let end = 0
  for (const phase of PHASES) {
    end += SHARES[phase]
    if (share < end) return phase
  }
  return 'unload'
}

interface Zone {
  temperatureC: number
  heater: number
}

/** Heater share by a proportional band of 4 K around the setpoint, on top of the standing loss. */
function heaterFor(zone: Zone, setpointC: number): number {
  return clamp(0.42 + (setpointC - zone.temperatureC) / 4, 0, 1)
}

interface State {
  code: StateCode
  clock: number
  phase: Phase
  chamberMbar: number
  membraneMbar: number
  zones: Zone[]
  setpointC: number
  cycles: number
  modules: bigint
  lastCycleS: number
  energyKwh: number
  noise: number
  scans: number
  pumpHours: number
}

function freshState(temperatureC: number, share: number, cycleSeconds: number): State {
  return {
    code: STATE.running,
    clock: share * cycleSeconds,
    phase: phaseAt(share),
    chamberMbar: ATMOSPHERE_MBAR,
    membraneMbar: ATMOSPHERE_MBAR,
    zones: ZONE_OFFSETS.map((o) => ({ temperatureC: temperatureC + o, heater: 0.4 })),
    setpointC: temperatureC,
    cycles: 40_180,
    modules: 80_360n,
    lastCycleS: cycleSeconds,
    energyKwh: 210_400,
    noise: 0,
    scans: 0,
    pumpHours: 7_712.5,
  }
}

function stepChambers(m: State, seconds: number): void {
  const isPumped = m.code === STATE.running && (m.phase === 'evacuate' || m.phase === 'press')
  const isPressed = m.code === STATE.running && m.phase === 'press'
  m.chamberMbar = isPumped ? pumpDown(m.chamberMbar, seconds) : lag(m.chamberMbar, ATMOSPHERE_MBAR, seconds, VENT_TAU_S)
  // The membrane's upper chamber is pumped with the lower one and vented alone to press the module.
  const isUpperPumped = isPumped && !isPressed
  const pressed = lag(m.membraneMbar, isPressed ? 900 : ATMOSPHERE_MBAR, seconds, 8)
  m.membraneMbar = isUpperPumped ? pumpDown(m.membraneMbar, seconds) : pressed
  m.pumpHours += isPumped ? seconds / 3600 : 0
}

function stepHeat(m: State, seconds: number): void {
  const isHot = m.code === STATE.running || m.code === STATE.idle
  const draw = m.phase === 'evacuate' ? 0.16 : 0
  m.zones.forEach((zone, i) => {
    zone.heater = isHot ? heaterFor(zone, m.setpointC + (ZONE_OFFSETS[i] ?? 0)) : 0
    // Full power ends 285 K above the hall, a cold module draws heat while it warms up under vacuum.
    zone.temperatureC = lag(zone.temperatureC, 24 + 285 * (zone.heater - draw * 0.25), seconds, 420)
    m.energyKwh += (zone.heater * HEATER_KW * seconds) / 3600
  })
}

/** A module laminator: three heated zones, a two-chamber vacuum cycle, two modules a cycle. */
export function createLaminator(params: { temperatureC: number; cycleSeconds: number }, random: Random): Machine {
  const m = freshState(params.temperatureC, random.next(), params.cycleSeconds)
  const kw = () => m.zones.reduce((sum, z) => sum + z.heater * HEATER_KW, 0) + (m.phase === 'evacuate' ? 11 : 4)

  function stepCycle(seconds: number): void {
    if (m.code !== STATE.running) return
    m.clock += seconds
    if (m.clock >= params.cycleSeconds) {
      m.clock -= params.cycleSeconds
      m.cycles++
      m.modules += 2n
      m.lastCycleS = params.cycleSeconds * (1 + 0.01 * random.normal())
    }
    m.phase = phaseAt(m.clock / params.cycleSeconds)
  }

  return {
    step(seconds) {
      stepCycle(seconds)
      stepChambers(m, seconds)
      stepHeat(m, seconds)
      m.noise = wander(m.noise, seconds, random, { sigma: 0.12, tau: 5 })
      m.scans++
    },
    read: () => readLaminator(m),
    command(command) {
      m.code = stateAfter(command)
    },
    write(tag, value) {
      if (tag === 'temperature-setpoint') m.setpointC = Number(value)
    },
    powerKw: kw,
  }
}

function readLaminator(m: State): Readonly<Record<string, Scalar>> {
  const zone = (i: number) => (m.zones[i]?.temperatureC ?? 0) + m.noise
  const isRunning = m.code === STATE.running
  return {
    'zone-1-temperature': zone(0),
    'zone-2-temperature': zone(1),
    'zone-3-temperature': zone(2),
    'temperature-setpoint': m.setpointC,
    'chamber-pressure': m.chamberMbar,
    'membrane-pressure': m.membraneMbar,
    'heater-output': (100 * m.zones.reduce((sum, z) => sum + z.heater, 0)) / m.zones.length,
    phase: PHASES.indexOf(m.phase),
    state: m.code,
    'cycle-count': m.cycles,
    'module-count': m.modules,
    'cycle-time': m.lastCycleS,
    energy: m.energyKwh,
    'pump-hours': m.pumpHours,
    'pump-running': isRunning && (m.phase === 'evacuate' || m.phase === 'press'),
    'lid-closed': isRunning && m.phase !== 'load' && m.phase !== 'unload',
    'scan-count': m.scans,
    recipe: 'GG-182-BIFACIAL',
  }
}
