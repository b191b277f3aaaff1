import { type Static, Type } from 'typebox'
import { AssetRef } from './asset.ts'
import { Id, Instant, nullable } from './http.ts'
import { PersonRef } from './person.ts'
import { Priority } from './priority.ts'
import { LocalizedText } from './text.ts'

/** The nine derived ISA-18.2 states: see the alarm engine. */
export const ISA_STATES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'] as const
export const IsaState = Type.Enum(ISA_STATES)
export type IsaState = (typeof ISA_STATES)[number]

/** One line of the alarm list: an alarm point with its current state. */
export const Alarm = Type.Object({
  id: Id,
  name: LocalizedText,
  alarm: Type.String(),
  tag: Type.String(),
  /** Path of the tag, `group/edge/device/tag`. */
  tagPath: Type.String(),
  asset: nullable(AssetRef),
  assetPath: Type.Array(AssetRef),
  priority: Priority,
  class: Type.String(),
  state: IsaState,
  /** All set flags; none hides another. */
  flags: Type.Array(
    Type.Union([
      Type.Literal('active'),
      Type.Literal('unacknowledged'),
      Type.Literal('latched'),
      Type.Literal('shelved'),
      Type.Literal('suppressed-by-design'),
      Type.Literal('out-of-service'),
      Type.Literal('stale'),
    ]),
  ),
  level: nullable(Type.String()),
  value: nullable(Type.Union([Type.Number(), Type.Boolean(), Type.String()])),
  setpoint: nullable(Type.Number()),
  unit: nullable(Type.String()),
  occurrenceId: nullable(Id),
  isFirstOut: Type.Boolean(),
  activeSince: nullable(Instant),
  changedAt: Instant,
  acknowledgedBy: nullable(PersonRef),
  acknowledgedAt: nullable(Instant),
  shelvedUntil: nullable(Instant),
  incident: nullable(Type.Object({ id: Id, number: Type.String() })),
})
export type Alarm = Static<typeof Alarm>

/** Rationalisation and definition, for the alarm page. */
export const AlarmDetail = Type.Object({
  alarm: Alarm,
  definition: Type.Unknown(),
  version: Type.Integer(),
  log: Type.Array(
    Type.Object({
      seq: Type.String(),
      transition: Type.String(),
      state: IsaState,
      eventAt: Instant,
      recordedAt: Instant,
      by: nullable(PersonRef),
      comment: nullable(Type.String()),
      value: nullable(Type.Union([Type.Number(), Type.Boolean(), Type.String()])),
      level: nullable(Type.String()),
    }),
  ),
})
export type AlarmDetail = Static<typeof AlarmDetail>

/** `POST /api/alarms/:id/acknowledgements` */
export const Acknowledgement = Type.Object(
  { comment: Type.Optional(Type.String({ maxLength: 1000 })) },
  { additionalProperties: false },
)
/** `POST /api/alarms/:id/shelvings`: timed by `minutes`, or one-shot. */
export const Shelving = Type.Object(
  {
    minutes: Type.Integer({ minimum: 1, maximum: 1440 }),
    oneShot: Type.Optional(Type.Boolean()),
    reason: Type.String({ minLength: 1, maxLength: 1000 }),
  },
  { additionalProperties: false },
)
/** Answer of every operator action: 200 applied, 202 still waiting for the shard. */
export const AlarmActionResult = Type.Object({
  id: Id,
  status: Type.Union([Type.Literal('applied'), Type.Literal('pending'), Type.Literal('refused')]),
  state: nullable(IsaState),
  error: nullable(Type.String()),
})
export type AlarmActionResult = Static<typeof AlarmActionResult>
