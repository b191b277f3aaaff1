import type { AlarmCondition, AlarmDefinition, LimitLevel } from '#shared/contracts/alarm-definition.ts'
import { PRIORITIES, type Priority } from '#shared/contracts/priority.ts'
import { pointId } from './identity.ts'
import type { LevelName } from './state.ts'

/** Longest shelving, of either kind: one long shift. */
export const SHELVE_MAXIMUM_MS = 12 * 3_600_000
const DEFAULT_RE_ALARM_REPEATS = 3

/** One level, ready for comparison. `side` is 1 above, -1 below; a greater `rank` is more extreme. */
export interface RuleLevel {
  readonly name: LevelName
  readonly side: 1 | -1
  readonly rank: number
  readonly setpoint: number
  readonly deadband: number
  readonly isInclusive: boolean
  readonly priority: Priority
  /** Position among the priorities, 0 most urgent. */
  readonly urgency: number
}

/** A definition bound to one alarm point and made ready for evaluation. */
export interface AlarmRule {
  /** `group/edge/device/alarm`. */
  readonly path: string
  readonly pointId: string
  readonly version: number
  readonly definition: AlarmDefinition
  readonly condition: AlarmCondition
  /** Limit: the most extreme first. Other kinds: one level that stands for "true". */
  readonly levels: readonly RuleLevel[]
  readonly onDelayMs: number
  readonly offDelayMs: number
  readonly reAlarmMs: number | null
  readonly reAlarmRepeats: number
  readonly acknowledgeTimeoutMs: number | null
  /** Shelving by an operator is refused. */
  readonly isHighlyManaged: boolean
}

function limitLevel(level: LimitLevel, fallback: Priority): RuleLevel {
  const priority = level.priority ?? fallback
  return {
    name: level.level,
    side: level.level.startsWith('H') ? 1 : -1,
    rank: level.level.length,
    setpoint: level.setpoint,
    deadband: level.deadband ?? 0,
    isInclusive: level.inclusive ?? false,
    priority,
    urgency: PRIORITIES.indexOf(priority),
  }
}

function levelsOf({ condition, priority }: AlarmDefinition): RuleLevel[] {
  if (condition.kind === 'limit') {
    return condition.levels.map((level) => limitLevel(level, priority)).sort((a, b) => b.rank - a.rank)
  }
  const isRate = condition.kind === 'rate-of-change'
  return [
    {
      name: null,
      side: 1,
      rank: 1,
      setpoint: isRate ? condition.perMinute : Number.NaN,
      deadband: isRate ? (condition.deadband ?? 0) : 0,
      isInclusive: false,
      priority,
      urgency: PRIORITIES.indexOf(priority),
    },
  ]
}

const minutes = (value: number | undefined) => (value === undefined ? null : Math.round(value * 60_000))

/** Makes a definition ready for the alarm point at `path` (`group/edge/device/alarm`). */
export function alarmRule(path: string, version: number, definition: AlarmDefinition): AlarmRule {
  return {
    path,
    pointId: pointId(path),
    version,
    definition,
    condition: definition.condition,
    levels: levelsOf(definition),
    onDelayMs: Math.round((definition.onDelaySeconds ?? 0) * 1000),
    offDelayMs: Math.round((definition.offDelaySeconds ?? 0) * 1000),
    reAlarmMs: minutes(definition.reAlarmMinutes),
    reAlarmRepeats: definition.reAlarmRepeats ?? DEFAULT_RE_ALARM_REPEATS,
    acknowledgeTimeoutMs: minutes(definition.acknowledgeTimeoutMinutes),
    isHighlyManaged: definition.class === 'safety',
  }
}

/** The rule's level of that name; undefined when a newer definition no longer has it. */
export const levelNamed = (rule: AlarmRule, name: LevelName) => rule.levels.find((level) => level.name === name)
