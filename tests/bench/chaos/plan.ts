import { deviceName, edgeName } from '../ingest/plan.ts'

/** The load of the chaos benchmark: every sample follows from its round, so that the ledger is a count and a resend needs no store. */
export interface ChaosLoad {
  readonly group: string
  readonly edges: number
  readonly devices: number
  /** Time between two samples of one tag, ms. */
  readonly periodMs: number
  /** Source time of the first round, ms since 1970. */
  readonly baseAt: number
  /** Rounds from the fault of one device to the fault of the next. */
  readonly faultEvery: number
}

/** What the generator took down of an edge: rounds accepted, and the one from which its alarm tags were quiet. */
export interface Accepted {
  readonly rounds: number
  readonly quietFrom: number
}

export const PROFILE_KEY = 'chaos-block'
export const ON_DELAY_MS = 2000
export const H = { setpoint: 90, deadband: 2 } as const
export const HH = { setpoint: 98, deadband: 2 } as const

/** Tags of each device, in the order of their offsets; the last three have alarms. */
export const TAGS = [
  ...['noise-1', 'noise-2', 'noise-3', 'flaky', 'count-1', 'count-2', 'switch-1', 'switch-2'],
  ...['pressure', 'level', 'fault'],
] as const
export type TagName = (typeof TAGS)[number]

export const TYPES = {
  'noise-1': 'double',
  'noise-2': 'double',
  'noise-3': 'double',
  flaky: 'double',
  'count-1': 'int32',
  'count-2': 'int32',
  'switch-1': 'boolean',
  'switch-2': 'boolean',
  pressure: 'double',
  level: 'double',
  fault: 'boolean',
} as const satisfies Record<TagName, 'double' | 'int32' | 'boolean'>

/** A device among all of the load. */
export interface Place {
  readonly edge: number
  readonly device: number
}

/** Null with quality 0 is what could not be read; booleans as 0 and 1. */
export interface Sample {
  readonly at: number
  readonly value: number | null
  readonly quality: 192 | 64 | 0
}

export const placeName = ({ edge, device }: Place): string => `${edgeName(edge)}/${deviceName(device)}`
export const timeOf = (load: ChaosLoad, n: number): number => load.baseAt + n * load.periodMs

/** Every device of the load. */
export function places({ edges, devices }: Pick<ChaosLoad, 'edges' | 'devices'>): Place[] {
  return Array.from({ length: edges * devices }, (_, i) => ({ edge: i % edges, device: Math.floor(i / edges) }))
}

const PRESSURE_CYCLE = 24
const LEVEL_CYCLE = 40
const FIRST_FAULT = 8
const FAULT_ROUNDS = 10

/** The n-th sample of a tag; from `quietFrom` on its alarm tags stand at rest. */
export function sampleOf(
  load: ChaosLoad,
  place: Place,
  tag: TagName,
  { n, quietFrom }: { readonly n: number; readonly quietFrom: number },
): Sample {
  const number = place.device * load.edges + place.edge
  const at = timeOf(load, n)
  const good = (value: number): Sample => ({ at, value, quality: 192 })
  const isQuiet = n >= quietFrom
  switch (tag) {
    case 'noise-1':
    case 'noise-2':
    case 'noise-3':
      return good(((n * 7919 + number * 104_729 + TAGS.indexOf(tag) * 611_953) % 10_007) / 100)
    case 'flaky':
      return flaky(at, n + number)
    case 'count-1':
    case 'count-2':
      return good(n * 16 + (tag === 'count-1' ? 0 : number))
    case 'switch-1':
    case 'switch-2':
      return good((n + number) & (tag === 'switch-1' ? 1 : 4) ? 1 : 0)
    case 'pressure':
      return good(isQuiet ? 50 : pressure((n + number * 5) % PRESSURE_CYCLE))
    case 'level':
      return good(level((n + number) % LEVEL_CYCLE, n - quietFrom))
    case 'fault':
      return good(!isQuiet && isFaulty(load, number, n) ? 1 : 0)
  }
}

function flaky(at: number, step: number): Sample {
  if (step % 23 === 0) return { at, value: null, quality: 0 }
  return { at, value: (step % 1000) / 4, quality: step % 17 === 0 ? 64 : 192 }
}

/** Beyond H, then HH, then held above H by the deadband alone. */
function pressure(step: number): number {
  if (step < 16 || step > 20) return 50 + step / 4
  return [95, 96, 99, 95, 89][step - 16] as number
}

const LONG = { from: 20, until: 32 }

/** Once too short for the on-delay, once long enough; one that has begun goes on when the alarm tags come to rest. */
function level(step: number, restedFor: number): number {
  const isLong = step >= LONG.from && step < LONG.until && step - LONG.from > restedFor
  const isShort = (step === 10 || step === 11) && restedFor < 0
  return (isLong || isShort ? 95 : 60) + step / 16
}

/** Each device fails once, one after the other, so that each opens an incident of its own. */
function isFaulty(load: ChaosLoad, number: number, n: number): boolean {
  const from = FIRST_FAULT + number * load.faultEvery
  return n >= from && n < from + FAULT_ROUNDS
}
