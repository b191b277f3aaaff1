import { type Accepted, type ChaosLoad, H, HH, ON_DELAY_MS, type Place, sampleOf, timeOf } from './plan.ts'

/** What the alarm log must hold of one alarm point, in this order. */
export interface Expected {
  readonly transition: string
  readonly at: number
}

export const ALARMS = ['pressure-high', 'level-high', 'machine-fault'] as const
export type AlarmName = (typeof ALARMS)[number]

type Level = 'none' | 'H' | 'HH'

/** The transitions of one alarm that follow from the ledger, reckoned without the product's engine. */
export function expectedOf(load: ChaosLoad, place: Place, alarm: AlarmName, accepted: Accepted): Expected[] {
  const values = (tag: 'pressure' | 'level' | 'fault') =>
    Array.from({ length: accepted.rounds }, (_, n) => {
      return Number(sampleOf(load, place, tag, { n, quietFrom: accepted.quietFrom }).value)
    })
  switch (alarm) {
    case 'pressure-high':
      return limits(load, values('pressure'))
    case 'level-high':
      return delayed(load, values('level'))
    case 'machine-fault':
      return limits(
        load,
        values('fault').map((value) => (value === 1 ? H.setpoint + 1 : 0)),
      )
  }
}

/** The level that a value has, given the one before: a level that is held ends a deadband lower. */
function levelAfter(before: Level, value: number): Level {
  const isHeld = { H: before !== 'none', HH: before === 'HH' }
  if (value > HH.setpoint - (isHeld.HH ? HH.deadband : 0)) return 'HH'
  return value > H.setpoint - (isHeld.H ? H.deadband : 0) ? 'H' : 'none'
}

function limits(load: ChaosLoad, values: readonly number[]): Expected[] {
  const found: Expected[] = []
  let level: Level = 'none'
  values.forEach((value, n) => {
    const next = levelAfter(level, value)
    if (next === level) return
    const transition = level === 'none' ? 'activated' : next === 'none' ? 'returned' : 'level-changed'
    found.push({ transition, at: timeOf(load, n) })
    level = next
  })
  return found
}

function delayed(load: ChaosLoad, values: readonly number[]): Expected[] {
  const found: Expected[] = []
  let from: number | undefined
  values.forEach((value, n) => {
    const isHigh = value > H.setpoint
    if (isHigh) from ??= n
    if (isHigh || from === undefined) return
    const [beganAt, endedAt] = [timeOf(load, from), timeOf(load, n)]
    const at = beganAt + ON_DELAY_MS
    if (at <= endedAt) {
      found.push({ transition: 'activated', at }, { transition: 'returned', at: endedAt })
    }
    from = undefined
  })
  return found
}
