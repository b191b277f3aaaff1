import { type Static, Type } from 'typebox'
import { Id } from './http.ts'

/** What an operator can do to an alarm point. Names of the `kind` column of `alarm_actions`. */
export const ALARM_ACTIONS = [
  'acknowledge',
  'confirm',
  'reset',
  'shelve',
  'shelve-one-shot',
  'unshelve',
  'suppress',
  'unsuppress',
  'out-of-service',
  'return-to-service',
] as const
export const AlarmActionKind = Type.Enum(ALARM_ACTIONS)
export type AlarmActionKind = (typeof ALARM_ACTIONS)[number]

/**
 * One operator action, as it is queued for the shard and as it is sent down to an edge that owns the definition.
 * Times in ms since 1970.
 */
export const AlarmCommand = Type.Object({
  id: Id,
  pointId: Id,
  kind: AlarmActionKind,
  /** Person who acts. */
  by: Type.String({ minLength: 1 }),
  at: Type.Number(),
  /** The occurrence that the person saw; when another one is open by now, the action is refused. */
  occurrenceId: Type.Optional(Id),
  /** Comment; for shelving the reason, which is required. */
  comment: Type.Optional(Type.String()),
  /** End of a shelving, required for both kinds. */
  until: Type.Optional(Type.Number()),
  /** Name of the suppression rule, or the open work order that takes the alarm out of service: required for both. */
  reference: Type.Optional(Type.String()),
})
export type AlarmCommand = Static<typeof AlarmCommand>

/** Why an action was refused. Public API, shown by the console in its own words. */
export const ALARM_REFUSALS = [
  'alarm.unknown-point',
  'alarm.other-occurrence',
  'alarm.not-unacknowledged',
  'alarm.not-unconfirmed',
  'alarm.not-returned',
  'alarm.not-latched',
  'alarm.still-active',
  'alarm.still-unacknowledged',
  'alarm.highly-managed',
  'alarm.until-required',
  'alarm.until-too-late',
  'alarm.reason-required',
  'alarm.not-shelved',
  'alarm.reference-required',
  'alarm.names-the-cause',
  'alarm.not-suppressed',
  'alarm.not-out-of-service',
] as const
export type AlarmRefusal = (typeof ALARM_REFUSALS)[number]
