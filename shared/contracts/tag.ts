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

/**
 * `GET /api/history?tag=PATH&tag=…&from=…&to=…&points=N`: at most N buckets a tag, column by column.
 * A bucket holds first, min, max and last with the time of each, so that no extreme is lost. Times in ms since 1970.
 */
export const HistorySeries = Type.Object({
  path: Type.String(),
  unit: nullable(Type.String()),
  bucketMs: Type.Number(),
  /** Start of each bucket that holds values. */
  at: Type.Array(Type.Number()),
  first: Type.Array(nullable(Type.Number())),
  min: Type.Array(nullable(Type.Number())),
  max: Type.Array(nullable(Type.Number())),
  last: Type.Array(nullable(Type.Number())),
  minAt: Type.Array(Type.Number()),
  maxAt: Type.Array(Type.Number()),
  lastAt: Type.Array(Type.Number()),
  count: Type.Array(Type.Integer()),
  /** Worst quality in the bucket: 192 good, 64 uncertain, 0 bad. */
  quality: Type.Array(Type.Integer()),
})
export type HistorySeries = Static<typeof HistorySeries>

/** `GET /api/history/raw?tag=PATH&from=…&to=…&cursor&limit`: stored samples in time order, column by column. Times in ms since 1970. */
export const RawHistory = Type.Object({
  path: Type.String(),
  at: Type.Array(Type.Number()),
  value: Type.Array(WireValue),
  /** 192 good, 64 uncertain, 0 bad. */
  quality: Type.Array(Type.Integer()),
  nextCursor: nullable(Type.String()),
})
export type RawHistory = Static<typeof RawHistory>

export const HistoryGap = Type.Object({
  device: nullable(Type.String()),
  from: Instant,
  to: Instant,
  count: Type.String(),
  cause: Type.String(),
})
export type HistoryGap = Static<typeof HistoryGap>

export const History = Type.Object({ series: Type.Array(HistorySeries), gaps: Type.Array(HistoryGap) })
export type History = Static<typeof History>
