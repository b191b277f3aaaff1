import { type Static, Type } from 'typebox'
import { IsaState } from './alarm.ts'
import { Id, nullable } from './http.ts'
import { Priority } from './priority.ts'

/** What happened to an alarm point, as the alarm log names it. */
export const ALARM_TRANSITIONS = [
  'activated',
  'returned',
  'level-changed',
  'acknowledged',
  'confirmed',
  'shelved',
  'unshelved',
  'suppressed',
  'unsuppressed',
  'out-of-service',
  'returned-to-service',
  'reset',
  're-alarmed',
  'closed',
] as const
export const AlarmTransition = Type.Enum(ALARM_TRANSITIONS)
export type AlarmTransition = (typeof ALARM_TRANSITIONS)[number]

/** Phases of the condition region. In `pending-off` the alarm is still active. */
export const ALARM_PHASES = ['normal', 'pending-on', 'active', 'pending-off'] as const
export type AlarmPhase = (typeof ALARM_PHASES)[number]

/** A value as an alarm event carries it; integers beyond 2^53 as decimal strings. */
export const AlarmValue = Type.Union([Type.Number(), Type.Boolean(), Type.String(), Type.Null()])
export type AlarmValue = Static<typeof AlarmValue>

/**
 * One line of the alarm log, and the data of the outbox event `alarm.changed`. Raise details are immutable: a later line
 * adds, it never overwrites. Times in ms since 1970.
 */
export const AlarmEvent = Type.Object({
  /** Follows from what happened, so that evaluating the same samples again makes the same id. */
  id: Id,
  /** Null when the point had no open occurrence (an alarm shelved while it is normal). */
  occurrenceId: nullable(Id),
  pointId: Id,
  group: Type.String(),
  edge: Type.String(),
  device: Type.String(),
  tag: Type.String(),
  alarm: Type.String(),
  transition: AlarmTransition,
  /** Event time: of the sample or timer for the condition, of the act for an operator's action. */
  eventAt: Type.Number(),
  recordedAt: Type.Number(),
  /** State after the transition. */
  state: IsaState,
  /** Phase of the condition region after the transition. */
  condition: Type.Enum(ALARM_PHASES),
  /** Priority in force: the level's own, else the definition's. */
  priority: Priority,
  /** True when the alarm calls an operator after this transition. A suppressed alarm never does. */
  isAnnunciated: Type.Boolean(),
  /** True when this transition sounds the alarm anew: first activation, re-activation, a rise in priority, a lifted suppression, a re-alarm. */
  isRaised: Type.Boolean(),
  /** Times that the occurrence was raised; 0 without an occurrence. */
  count: Type.Integer(),
  level: Type.Optional(Type.String()),
  value: Type.Optional(AlarmValue),
  setpoint: Type.Optional(Type.Number()),
  /** Most extreme value of the occurrence so far, of a limit alarm, and its time. */
  peak: Type.Optional(Type.Number()),
  peakAt: Type.Optional(Type.Number()),
  /** Quality of the point at that moment. */
  quality: Type.Optional(Type.Union([Type.Literal('good'), Type.Literal('bad'), Type.Literal('stale')])),
  by: Type.Optional(Type.String()),
  comment: Type.Optional(Type.String()),
  /** End of a shelving. */
  until: Type.Optional(Type.Number()),
  /** The suppression rule, or the work order that took the alarm out of service. */
  reference: Type.Optional(Type.String()),
  /** Why the machine changed the state by itself. */
  reason: Type.Optional(Type.String()),
  /** Found by evaluating samples that arrived after newer ones. */
  isLate: Type.Boolean(),
})
export type AlarmEvent = Static<typeof AlarmEvent>
