import { type Static, type TSchema, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { WireValue } from './tag.ts'

/** What a bucket can be told as. `avg` and `sum` are of the values that are numbers, `count` is of all values. */
export const AGGREGATES = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last'] as const
export type Aggregate = (typeof AGGREGATES)[number]

/** Most tags of one question. */
export const MOST_TAGS = 1000

const closed = { additionalProperties: false } as const

/**
 * A question about some tags, `GET /api/history?tag=PATH&tag=…&from=…&to=…` or, with more tags than an address holds,
 * `POST /api/history`. `to` is exclusive.
 * - `points=N` (600 unless told): at most N buckets a tag with first, min, max and last, so that no extreme is lost;
 * - `aggregate=avg&aggregate=max&every=1h`: buckets of that width, on multiples of it since 1970 UTC, told as wanted;
 * - `points=N&method=lttb`: N points a tag that look like the whole (largest triangle, three buckets); extremes may be missing.
 */
export const HistoryQuestion = Type.Object(
  {
    tag: Type.Array(Type.String({ minLength: 1, maxLength: 400 }), { minItems: 1, maxItems: MOST_TAGS }),
    from: Instant,
    to: Instant,
    points: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    aggregate: Type.Optional(Type.Array(Type.Enum([...AGGREGATES]), { minItems: 1 })),
    every: Type.Optional(
      Type.String({ pattern: '^[1-9][0-9]{0,8}(ms|s|m|h|d)$', description: 'A width like 10s, 15m, 1h or 1d.' }),
    ),
    method: Type.Optional(Type.Enum(['buckets', 'lttb'])),
  },
  closed,
)
export type HistoryQuestion = Static<typeof HistoryQuestion>

const Numbers = Type.Array(nullable(Type.Number()))
const Times = Type.Array(Type.Number())

/** Buckets of one tag, column by column; only buckets that hold values. Times in ms since 1970. */
export const HistorySeries = Type.Object({
  path: Type.String(),
  unit: nullable(Type.String()),
  bucketMs: Type.Number(),
  /** Start of each bucket that holds values. */
  at: Times,
  first: Numbers,
  min: Numbers,
  max: Numbers,
  last: Numbers,
  minAt: Times,
  maxAt: Times,
  lastAt: Times,
  count: Type.Array(Type.Integer()),
  /** Worst quality in the bucket: 192 good, 64 uncertain, 0 bad. */
  quality: Type.Array(Type.Integer()),
})
export type HistorySeries = Static<typeof HistorySeries>

/** Buckets of one tag as they were wanted: a column for each aggregate. */
export const AggregateSeries = Type.Object({
  path: Type.String(),
  unit: nullable(Type.String()),
  bucketMs: Type.Number(),
  at: Times,
  quality: Type.Array(Type.Integer()),
  avg: Type.Optional(Numbers),
  min: Type.Optional(Numbers),
  max: Type.Optional(Numbers),
  sum: Type.Optional(Numbers),
  count: Type.Optional(Type.Array(Type.Integer())),
  first: Type.Optional(Numbers),
  last: Type.Optional(Numbers),
})
export type AggregateSeries = Static<typeof AggregateSeries>

/** Chosen values of one tag. */
export const PointSeries = Type.Object({
  path: Type.String(),
  unit: nullable(Type.String()),
  at: Times,
  value: Type.Array(Type.Number()),
  /** What they were chosen from: every value or, where those are too many, the extremes of four buckets a point. */
  from: Type.Enum(['values', 'extremes']),
})
export type PointSeries = Static<typeof PointSeries>

export const HistoryGap = Type.Object({
  device: nullable(Type.String()),
  from: Instant,
  to: Instant,
  count: Type.String(),
  cause: Type.String(),
})
export type HistoryGap = Static<typeof HistoryGap>

const Gaps = Type.Array(HistoryGap)
export const History = Type.Object({
  method: Type.Literal('buckets'),
  series: Type.Array(HistorySeries),
  gaps: Gaps,
})
export type History = Static<typeof History>
export const AggregatedHistory = Type.Object({
  method: Type.Literal('aggregate'),
  series: Type.Array(AggregateSeries),
  gaps: Gaps,
})
export const HistoryPoints = Type.Object({
  method: Type.Literal('lttb'),
  series: Type.Array(PointSeries),
  gaps: Gaps,
})
/** Series stand in the order of the question; `gaps` are those of the tags' devices, newest first. */
export const HistoryAnswer = Type.Union([History, AggregatedHistory, HistoryPoints])
export type HistoryAnswer = Static<typeof HistoryAnswer>

/** `GET /api/history/raw?tag=PATH&from=…&to=…&cursor&limit`: stored samples of one tag. */
export const RawQuestion = Type.Object(
  {
    tag: Type.String({ minLength: 1, maxLength: 400 }),
    from: Instant,
    to: Instant,
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,16}[.][0-9]{1,9}$', description: 'Of the page before.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 })),
  },
  closed,
)
export type RawQuestion = Static<typeof RawQuestion>

/** Stored samples in time order, column by column. Times in ms since 1970. */
export const RawHistory = Type.Object({
  path: Type.String(),
  at: Times,
  value: Type.Array(WireValue),
  /** 192 good, 64 uncertain, 0 bad. */
  quality: Type.Array(Type.Integer()),
  nextCursor: nullable(Type.String()),
})
export type RawHistory = Static<typeof RawHistory>

/** `GET /api/history/last?tag=PATH&tag=…&before=…`: the newest stored value of each tag that has one. */
export const LastQuestion = Type.Object(
  {
    tag: Type.Array(Type.String({ minLength: 1, maxLength: 400 }), { minItems: 1, maxItems: MOST_TAGS }),
    before: Type.Optional(Instant),
  },
  closed,
)
export type LastQuestion = Static<typeof LastQuestion>
export const LastValues = Type.Object({
  items: Type.Array(
    Type.Object({ path: Type.String(), at: Instant, value: WireValue, quality: Type.Integer() }, closed),
  ),
})
export type LastValues = Static<typeof LastValues>

/** `GET /api/history/retention?tag=PATH&tag=…` */
export const RetentionQuestion = Type.Object({ tag: LastQuestion.properties.tag }, closed)
export type RetentionQuestion = Static<typeof RetentionQuestion>

const byLevel = <T extends TSchema>(schema: T) =>
  Type.Object({ values: nullable(schema), minutes: nullable(schema), hours: nullable(schema) })

/**
 * How long single values, minutes and hours of tags are kept, in ms (null: for ever), and up to when retention has removed
 * them. Where another engine keeps history, by settings of its own, it is named and there is no class.
 */
export const Retained = Type.Object({
  items: Type.Array(
    Type.Object({
      path: Type.String(),
      class: nullable(Type.String()),
      engine: nullable(Type.String()),
      keepMs: byLevel(Type.Number()),
      removedUntil: byLevel(Instant),
    }),
  ),
})
export type Retained = Static<typeof Retained>

/** `POST /api/history/exports`: every stored value of some tags as a file. */
export const ExportQuestion = Type.Object(
  {
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 400 }), { minItems: 1, maxItems: MOST_TAGS }),
    from: Instant,
    to: Instant,
    format: Type.Enum(['csv', 'parquet']),
  },
  closed,
)
export type ExportQuestion = Static<typeof ExportQuestion>

/**
 * An export and how far it is. It is made while its file is fetched (`GET …/file`, once): `waiting` until then, `running`,
 * then `done`, `failed` with the cause, or `cancelled`, also by whoever fetched it.
 */
export const HistoryExport = Type.Object({
  id: Id,
  tags: Type.Array(Type.String()),
  from: Instant,
  to: Instant,
  format: Type.Enum(['csv', 'parquet']),
  fileName: Type.String(),
  state: Type.Enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  /** Values read so far, and how many there were when it began; null before. */
  rows: Type.Integer(),
  estimatedRows: nullable(Type.Integer()),
  /** Bytes handed over so far. A Parquet file is handed over when all values are read. */
  bytes: Type.Integer(),
  createdAt: Instant,
  endedAt: nullable(Instant),
  /** Code and words of what went wrong; null unless it failed. */
  cause: nullable(Type.Object({ code: Type.String(), detail: Type.String() })),
})
export type HistoryExport = Static<typeof HistoryExport>
