import type { AlarmCondition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmValue } from '#shared/contracts/alarm-event.ts'
import type { AlarmRule, RuleLevel } from './rule.ts'
import type { AlarmState, LevelName, RateMemory } from './state.ts'

/** The level that the condition demands, null for none, undefined when it cannot be judged. */
export type Verdict = RuleLevel | null | undefined

type RateCondition = Extract<AlarmCondition, { kind: 'rate-of-change' }>

/** Entries that a window keeps: its resolution. */
const WINDOW_STEPS = 60

function isBeyond(value: number, level: RuleLevel, deadband: number): boolean {
  const excess = (value - level.setpoint) * level.side + deadband
  return level.isInclusive ? excess >= 0 : excess > 0
}

/** The most extreme level beyond its setpoint; a level in force, and those under it, hold until the value is back by their deadband. */
export function judgeLimit(levels: readonly RuleLevel[], value: number, held: RuleLevel | undefined): Verdict {
  for (const level of levels) {
    const isHeld = held !== undefined && held.side === level.side && held.rank >= level.rank
    if (isBeyond(value, level, isHeld ? level.deadband : 0)) return level
  }
  return null
}

const asNumber = (value: number | boolean | string) => (typeof value === 'boolean' ? Number(value) : value)

function judgeDiscrete(abnormal: readonly (number | boolean | string)[], value: AlarmValue): boolean {
  if (value === null) return false
  return abnormal.some((one) => one === value || asNumber(one) === asNumber(value))
}

function judgeRate(rule: AlarmRule, condition: RateCondition, state: AlarmState): Verdict {
  const base = state.rate?.base
  const level = rule.levels[0]
  if (base === undefined || base === null || typeof state.value !== 'number' || !level) return undefined
  const perMinute = ((state.value - base) * 60) / condition.windowSeconds
  const speed = { rising: perMinute, falling: -perMinute, both: Math.abs(perMinute) }[condition.direction]
  const isHolding = state.phase === 'active' || state.phase === 'pending-off'
  return isBeyond(speed, level, isHolding ? level.deadband : 0) ? level : null
}

/** Judges the newest value that the state holds. `held` is the level in force. */
export function judge(rule: AlarmRule, state: AlarmState, held: RuleLevel | undefined): Verdict {
  const { condition } = rule
  const yes = rule.levels[0] ?? null
  switch (condition.kind) {
    case 'limit':
      return typeof state.value === 'number' ? judgeLimit(rule.levels, state.value, held) : undefined
    case 'rate-of-change':
      return judgeRate(rule, condition, state)
    case 'discrete':
      return judgeDiscrete(condition.abnormal, state.value) ? yes : null
    case 'bad-quality':
      return state.isBad ? yes : null
    case 'no-data':
      return null
  }
}

/** True when the condition can be judged on this value; a limit on a text cannot. */
export function canJudge(kind: AlarmCondition['kind'], value: AlarmValue): boolean {
  if (kind === 'limit' || kind === 'rate-of-change') return typeof value === 'number'
  return kind === 'no-data' || kind === 'bad-quality' || value !== null
}

/** The window with one more value. Values closer than a sixtieth of the window replace each other; the newest always counts. */
export function remember(memory: RateMemory | null, windowMs: number, at: number, value: number): RateMemory {
  const { base, entries } = memory ?? { base: null, entries: [] }
  const before = entries.at(-2)
  const isClose = before !== undefined && at - before[0] < windowMs / WINDOW_STEPS
  return { base, entries: [...(isClose ? entries.slice(0, -1) : entries), [at, value]] }
}

/** The next moment at which the value a window ago changes; null when none is waiting. */
export function nextBaseAt(memory: RateMemory | null, windowMs: number): number | null {
  const oldest = memory?.entries[0]
  return oldest ? oldest[0] + windowMs : null
}

/** The window after its oldest entry became the value a window ago. */
export function shiftBase(memory: RateMemory): RateMemory {
  const [oldest, ...rest] = memory.entries
  return oldest ? { base: oldest[1], entries: rest } : memory
}

/** The level that is in force, by which deadbands hold; undefined when none is. */
export function heldLevel(rule: AlarmRule, phase: AlarmState['phase'], name: LevelName): RuleLevel | undefined {
  if (phase !== 'active' && phase !== 'pending-off') return undefined
  for (const level of rule.levels) if (level.name === name) return level
  return undefined
}
