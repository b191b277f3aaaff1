import type { Scalar } from '#shared/contracts/sample.ts'
import type { Machine } from '../machine.ts'
import { clamp, lag, wander } from '../physics.ts'
import type { Random } from '../random.ts'

const RAD = Math.PI / 180
/** Day of the year that the plant lives in: 20 April, a clear spring day. */
const DAY_OF_YEAR = 110

/** Elevation of the sun in degrees: declination by Cooper (1969), hour angle 15° an hour from solar noon. */
export function sunElevation(hour: number, latitudeDeg: number, dayOfYear = DAY_OF_YEAR): number {
  const declination = 23.45 * RAD * Math.sin((2 * Math.PI * (284 + dayOfYear)) / 365)
  const hourAngle = 15 * RAD * (hour - 12)
  const latitude = latitudeDeg * RAD
  const sine =
    Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle)
  return Math.asin(clamp(sine, -1, 1)) / RAD
}

/** Clear-sky irradiance in W/m² on level ground (Haurwitz 1945). */
export function clearSky(elevationDeg: number): number {
  if (elevationDeg <= 0) return 0
  const sine = Math.sin(elevationDeg * RAD)
  return 1098 * sine * Math.exp(-0.057 / sine)
}

/** Operating states of SunSpec's inverter models. */
export const SUNSPEC_STATE = { off: 1, sleeping: 2, starting: 3, mppt: 4, throttled: 5, fault: 7, standby: 8 } as const
type SunspecState = (typeof SUNSPEC_STATE)[keyof typeof SUNSPEC_STATE]

/** SunSpec's map from 40000: the marker, model 1 and 103 with their lengths, the scale factors and the end marker. */
export const SUNSPEC_REGISTERS: Readonly<Record<number, number>> = {
  40000: 0x5375,
  40001: 0x6e53,
  40002: 1,
  40003: 66,
  40068: 1,
  40069: 0x8000,
  40070: 103,
  40071: 50,
  40076: 0xfffe,
  40083: 0xffff,
  40085: 1,
  40087: 0xfffe,
  40089: 1,
  40091: 1,
  40093: 0xfffe,
  40096: 0,
  40098: 0xfffe,
  40100: 0xffff,
  40102: 1,
  40107: 0xffff,
  40122: 0xffff,
  40123: 0,
}

export interface InverterParams {
  readonly ratedKw: number
  readonly latitudeDeg: number
  readonly startHour: number
  readonly daySpeed: number
}

interface State {
  hour: number
  cloud: number
  acKw: number
  dcKw: number
  cabinetC: number
  sinkC: number
  energyWh: number
  gridV: number
  gridHz: number
  forced: SunspecState | undefined
}

/** A string inverter under a wandering sky. Its panels are 20 % larger than its AC limit, so that it clips at noon. */
export function createSolarInverter(params: InverterParams, random: Random): Machine {
  const m: State = {
    hour: params.startHour,
    cloud: 0,
    acKw: 0,
    dcKw: 0,
    cabinetC: 28,
    sinkC: 30,
    energyWh: 182_400_000,
    gridV: 0,
    gridHz: 0,
    forced: undefined,
  }

  function step(seconds: number): void {
    m.hour = (m.hour + (seconds * params.daySpeed) / 3600) % 24
    m.cloud = wander(m.cloud, seconds, random, { sigma: 0.9, tau: 60 })
    // Passing clouds: clear most of the time, down to a quarter of the light under a thick one.
    const shade = 1 - 0.75 * clamp((m.cloud - 0.6) / 1.2, 0, 1)
    const light = clearSky(sunElevation(m.hour, params.latitudeDeg)) * shade
    const offered = m.forced === undefined ? (1.2 * params.ratedKw * light) / 1000 : 0
    m.dcKw = lag(m.dcKw, Math.min(offered, params.ratedKw / 0.98), seconds, 2)
    m.acKw = m.dcKw < 0.1 ? 0 : m.dcKw * 0.98 - 0.05
    m.sinkC = lag(m.sinkC, 26 + (34 * m.acKw) / params.ratedKw, seconds, 300)
    m.cabinetC = lag(m.cabinetC, 25 + (14 * m.acKw) / params.ratedKw, seconds, 600)
    m.energyWh += (m.acKw * 1000 * seconds) / 3600
    m.gridV = wander(m.gridV, seconds, random, { sigma: 1.2, tau: 20 })
    m.gridHz = wander(m.gridHz, seconds, random, { sigma: 0.015, tau: 15 })
  }

  return {
    step,
    read: () => readInverter(m, stateOf(m, params)),
    command(command) {
      const states = { start: undefined, stop: SUNSPEC_STATE.standby, maintenance: SUNSPEC_STATE.off }
      m.forced = command === 'trip' ? SUNSPEC_STATE.fault : states[command]
    },
    write() {},
    powerKw: () => -m.acKw,
    registers: SUNSPEC_REGISTERS,
  }
}

function stateOf(m: State, params: InverterParams): SunspecState {
  if (m.forced !== undefined) return m.forced
  if (m.acKw <= 0) return SUNSPEC_STATE.sleeping
  return m.acKw > 0.995 * params.ratedKw - 0.05 ? SUNSPEC_STATE.throttled : SUNSPEC_STATE.mppt
}

function readInverter(m: State, state: SunspecState): Readonly<Record<string, Scalar>> {
  const volts = 230.5 + m.gridV
  const amps = (m.acKw * 1000) / (3 * volts)
  const dcVolts = m.dcKw < 0.1 ? 40 : 690 + 25 * Math.min(1, m.dcKw / 60)
  return {
    manufacturer: 'Andon Simulators',
    model: 'SI-100K',
    'serial-number': 'AS100K-26-00417',
    'ac-current': 3 * amps,
    'phase-a-current': amps,
    'phase-b-current': amps * 1.003,
    'phase-c-current': amps * 0.997,
    'phase-a-voltage': volts,
    'phase-b-voltage': volts + 0.4,
    'phase-c-voltage': volts - 0.6,
    'ac-power': m.acKw * 1000,
    frequency: 50 + m.gridHz,
    'apparent-power': m.acKw * 1000 * 1.004,
    'power-factor': m.acKw > 0 ? 99.6 : null,
    'ac-energy': m.energyWh,
    'dc-current': (m.dcKw * 1000) / dcVolts,
    'dc-voltage': dcVolts,
    'dc-power': m.dcKw * 1000,
    'cabinet-temperature': m.cabinetC,
    'heat-sink-temperature': m.sinkC,
    // This inverter has no such sensor: SunSpec's "not implemented".
    'transformer-temperature': null,
    state,
  }
}
