import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { LocalizedText } from './text.ts'

/** A value on the wire: 64-bit integers as decimal strings when beyond 2^53. */
export const WireValue = Type.Union([Type.Number(), Type.Boolean(), Type.String(), Type.Null()])
export type WireValue = Static<typeof WireValue>

/** `stale` is a state of the session: the edge is silent, or the device is dead. */
export const WireQuality = Type.Union([
  Type.Literal('good'),
  Type.Literal('uncertain'),
  Type.Literal('bad'),
  Type.Literal('stale'),
])
export type WireQuality = Static<typeof WireQuality>

export const LiveValue = Type.Object({
  /** `group/edge/device/tag` */
  path: Type.String(),
  value: WireValue,
  quality: WireQuality,
  sourceAt: nullable(Instant),
})
export type LiveValue = Static<typeof LiveValue>

export const Tag = Type.Object({
  id: Id,
  path: Type.String(),
  group: Type.String(),
  edge: Type.String(),
  device: Type.String(),
  tag: Type.String(),
  name: LocalizedText,
  type: Type.String(),
  unit: nullable(Type.String()),
  decimals: nullable(Type.Integer()),
  range: nullable(Type.Tuple([Type.Number(), Type.Number()])),
  words: nullable(Type.Record(Type.String(), LocalizedText)),
  /** Setpoints of limit alarms on this tag, for the trend's limit lines. */
  limits: Type.Array(Type.Object({ level: Type.String(), setpoint: Type.Number(), priority: Type.String() })),
  value: WireValue,
  quality: WireQuality,
  sourceAt: nullable(Instant),
})
export type Tag = Static<typeof Tag>
