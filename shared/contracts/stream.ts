import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { LiveValue } from './tag.ts'

/**
 * Messages of `GET /api/stream` (WebSocket). Two kinds of topic: durable events, numbered after commit and resumed from
 * the last number; live values, conflated to the last one per tag.
 *
 * Durable topics: `alarms`, `incidents`, `work-orders`, `retros`, `assets`, `edges`, `inbox:me`, `channel:<id>`, `record:<id>`.
 */
export const ClientMessage = Type.Union([
  Type.Object(
    {
      type: Type.Literal('subscribe'),
      topics: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 200 }),
      /** Number of the last event seen; events after it are sent again. Absent: from now on. */
      after: Type.Optional(Type.Integer({ minimum: 0 })),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    { type: Type.Literal('unsubscribe'), topics: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 200 }) },
    { additionalProperties: false },
  ),
  /** Replaces the set of tags whose live values are wanted. */
  Type.Object(
    { type: Type.Literal('values'), paths: Type.Array(Type.String({ maxLength: 400 }), { maxItems: 1000 }) },
    { additionalProperties: false },
  ),
])
export type ClientMessage = Static<typeof ClientMessage>

export const StreamEvent = Type.Object({
  type: Type.Literal('event'),
  seq: Type.Integer(),
  id: Id,
  event: Type.String(),
  topics: Type.Array(Type.String()),
  at: Instant,
  recordId: nullable(Id),
  causeId: nullable(Id),
  data: Type.Record(Type.String(), Type.Unknown()),
})
export type StreamEvent = Static<typeof StreamEvent>

export const ServerMessage = Type.Union([
  /** First message: number of the newest event and server time. */
  Type.Object({ type: Type.Literal('hello'), seq: Type.Integer(), now: Instant }),
  StreamEvent,
  Type.Object({ type: Type.Literal('values'), items: Type.Array(LiveValue) }),
  /** `after` lies beyond the window: read the lists again, then go on from `seq`. */
  Type.Object({ type: Type.Literal('resync'), seq: Type.Integer() }),
  /** Every 5 s, so that a dead link is noticed and clocks stay on server time. */
  Type.Object({ type: Type.Literal('tick'), seq: Type.Integer(), now: Instant }),
  Type.Object({ type: Type.Literal('refused'), topic: Type.String(), code: Type.String() }),
])
export type ServerMessage = Static<typeof ServerMessage>
