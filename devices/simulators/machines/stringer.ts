import type { Scalar } from '#shared/contracts/sample.ts'
import { type Machine, STATE, type StateCode, stateAfter } from '../machine.ts'
import { lag, wander } from '../physics.ts'
import type { Random } from '../random.ts'

const CELLS_A_STRING = 12
const REJECT_SHARE = 0.012
const SOLDER_C = 232

/** Why a stringer stops by itself, with its share of all stops. */
const STOPS: readonly { readonly state: StateCode; readonly share: number }[] = [
  { state: STATE.starved, share: 0.45 },
  { state: STATE.blocked, share: 0.3 },
  { state: STATE.fault, share: 0.25 },
]

/** The state of a stop, chosen by a number in [0, 1). */
export function stopFor(draw: number): StateCode {
  let end = 0
  for (const stop of STOPS) {
    end += stop.share
    if (draw < end) return stop.state
  }
  return STATE.fault
}

export interface StringerParams {
  readonly cycleSeconds: number
  readonly stopsPerHour: number
  readonly meanStopSeconds: number
}

interface State {
  state: StateCode
  isCommanded: boolean
  untilStopS: number
  stopLeftS: number
  cellClockS: number
  good: number
  rejected: number
  strings: number
  stops: number
  solderC: number
  vacuumKpa: number
  noise: number
  ribbonMm: bigint
  scans: number
}

const freshState = (untilStopS: number): State => ({
  state: STATE.running,
  isCommanded: false,
  untilStopS,
  stopLeftS: 0,
  cellClockS: 0,
  good: 1_204_480,
  rejected: 14_811,
  strings: 100_373,
  stops: 412,
  solderC: SOLDER_C,
  vacuumKpa: -62,
  noise: 0,
  ribbonMm: 90_336_000_000n,
  scans: 0,
})

function makeCells(m: State, seconds: number, cycleSeconds: number, random: Random): void {
  m.cellClockS += seconds
  while (m.cellClockS >= cycleSeconds) {
    m.cellClockS -= cycleSeconds
    m.ribbonMm += 182n
    if (random.next() < REJECT_SHARE) m.rejected++
    else if (++m.good % CELLS_A_STRING === 0) m.strings++
  }
}

/** A cell stringer: one cell a cycle, a few rejects, stops that come as a Poisson process and last exponentially. */
export function createStringer(params: StringerParams, random: Random): Machine {
  const m = freshState(random.exponential(3600 / params.stopsPerHour))

  function runOrStop(seconds: number): void {
    if (m.isCommanded) return
    if (m.state !== STATE.running) {
      m.stopLeftS -= seconds
      if (m.stopLeftS <= 0) m.state = STATE.running
      return
    }
    m.untilStopS -= seconds
    makeCells(m, seconds, params.cycleSeconds, random)
    if (m.untilStopS > 0) return
    m.untilStopS = random.exponential(3600 / params.stopsPerHour)
    m.stopLeftS = random.exponential(params.meanStopSeconds)
    m.state = stopFor(random.next())
    m.stops++
  }

  return {
    step(seconds) {
      runOrStop(seconds)
      const isRunning = m.state === STATE.running
      m.solderC = lag(m.solderC, m.state === STATE.off ? 24 : SOLDER_C - (isRunning ? 0 : 6), seconds, 45)
      m.vacuumKpa = lag(m.vacuumKpa, isRunning ? -62 : -8, seconds, 2)
      m.noise = wander(m.noise, seconds, random, { sigma: 0.5, tau: 4 })
      m.scans++
    },
    read: () => readStringer(m, params.cycleSeconds),
    command(command) {
      m.state = stateAfter(command)
      m.isCommanded = m.state !== STATE.running
    },
    write() {},
    powerKw: () => (m.state === STATE.running ? 14 : 3),
  }
}

function readStringer(m: State, cycleSeconds: number): Readonly<Record<string, Scalar>> {
  const isRunning = m.state === STATE.running
  return {
    state: m.state,
    'cells-good': m.good,
    'cells-rejected': m.rejected,
    'strings-made': m.strings,
    'stop-count': m.stops,
    'ribbon-used': m.ribbonMm,
    'reject-rate': (100 * m.rejected) / (m.good + m.rejected),
    'cycle-time': cycleSeconds * 1000,
    'solder-temperature': m.solderC + m.noise,
    'gripper-vacuum': m.vacuumKpa + m.noise,
    'beacon-green': isRunning,
    'beacon-amber': m.state === STATE.starved || m.state === STATE.blocked,
    'beacon-red': m.state === STATE.fault,
    'jam-detected': m.state === STATE.fault,
    'cover-closed': m.state !== STATE.maintenance,
    'scan-count': m.scans,
  }
}
