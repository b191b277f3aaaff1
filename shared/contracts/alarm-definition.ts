import { type Static, Type } from 'typebox'
import { Priority, Severity, Trade } from './priority.ts'
import { Key, LocalizedText } from './text.ts'

const closed = { additionalProperties: false } as const
const Seconds = Type.Number({ minimum: 0, maximum: 86_400 })

/** One setpoint of a limit alarm. `deadband` acts on return only; `inclusive` makes the comparison ≥ or ≤ instead of > or <. */
export const LimitLevel = Type.Object(
  {
    level: Type.Union([Type.Literal('HH'), Type.Literal('H'), Type.Literal('L'), Type.Literal('LL')]),
    setpoint: Type.Number(),
    deadband: Type.Optional(Type.Number({ minimum: 0 })),
    inclusive: Type.Optional(Type.Boolean()),
    priority: Type.Optional(Priority),
  },
  closed,
)
export type LimitLevel = Static<typeof LimitLevel>

/** What makes the alarm condition true. Tier 0 of the detectors. */
export const AlarmCondition = Type.Union([
  Type.Object({ kind: Type.Literal('limit'), levels: Type.Array(LimitLevel, { minItems: 1, maxItems: 4 }) }, closed),
  Type.Object(
    {
      kind: Type.Literal('rate-of-change'),
      /** Change in units per minute beyond which the condition is true, measured over `windowSeconds`. */
      perMinute: Type.Number({ exclusiveMinimum: 0 }),
      windowSeconds: Type.Number({ exclusiveMinimum: 0, maximum: 3600 }),
      direction: Type.Union([Type.Literal('rising'), Type.Literal('falling'), Type.Literal('both')]),
      deadband: Type.Optional(Type.Number({ minimum: 0 })),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('discrete'),
      abnormal: Type.Array(Type.Union([Type.Number(), Type.Boolean(), Type.String()]), { minItems: 1 }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal('no-data'), afterSeconds: Type.Number({ exclusiveMinimum: 0 }) }, closed),
  Type.Object({ kind: Type.Literal('bad-quality') }, closed),
])
export type AlarmCondition = Static<typeof AlarmCondition>

/** Why the alarm exists and what the operator does (ISA-18.2 rationalisation). Required above low priority. */
export const Rationalisation = Type.Object(
  {
    cause: LocalizedText,
    consequence: LocalizedText,
    action: LocalizedText,
    timeToRespondMinutes: Type.Number({ exclusiveMinimum: 0 }),
  },
  closed,
)

export const ALARM_CLASSES = ['process', 'quality', 'safety', 'environment', 'instrument'] as const

/** An alarm as a device profile declares it; bound to a device it becomes an alarm point. */
export const AlarmDefinition = Type.Object(
  {
    alarm: Key,
    name: LocalizedText,
    tag: Type.String({ minLength: 1 }),
    condition: AlarmCondition,
    priority: Priority,
    class: Type.Optional(Type.Enum(ALARM_CLASSES)),
    onDelaySeconds: Type.Optional(Seconds),
    offDelaySeconds: Type.Optional(Seconds),
    latching: Type.Optional(Type.Boolean()),
    /** Raised again when still active this long after it was last raised. */
    reAlarmMinutes: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** Most re-alarms of one occurrence; 3 when absent. */
    reAlarmRepeats: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    /** An acknowledgement of an alarm that stays active ends after this time. */
    acknowledgeTimeoutMinutes: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    /** The occurrence closes only when somebody has confirmed the response. */
    requiresConfirmation: Type.Optional(Type.Boolean()),
    /** The alarm names a cause (first-out), so no suppression rule may hide it. */
    namesCause: Type.Optional(Type.Boolean()),
    /** Opens an incident of this severity; absent: the alarm is for the operator's list alone. */
    incident: Type.Optional(Severity),
    /** The trades that are paged. */
    trades: Type.Optional(Type.Array(Trade, { minItems: 1 })),
    rationalisation: Type.Optional(Rationalisation),
  },
  closed,
)
export type AlarmDefinition = Static<typeof AlarmDefinition>
