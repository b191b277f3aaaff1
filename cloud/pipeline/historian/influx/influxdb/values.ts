import type { Quality } from '#shared/contracts/sample.ts'
import type { LastValue, RawColumns, RawRequest } from '../../historian.ts'
import type { TagSet } from '../labels.ts'
import { conditions, type InfluxQl, LABELS, type Series, within } from './query.ts'

const FIELDS = '"value", "text", "quality"'

/** Reads values of one tag; several values have several times, so that an offset is a page. */
export async function readRaw(ql: InfluxQl, request: RawRequest, tags: TagSet): Promise<RawColumns> {
  const { from, to, limit, skip } = request
  const [condition] = conditions(tags)
  if (condition === undefined || limit < 1) return rawOf(undefined)
  const page = `ORDER BY time LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(skip)}`
  const [found] = await ql.ask(`SELECT ${FIELDS} FROM ${ql.from} WHERE ${condition} AND ${within(from, to)} ${page}`)
  return rawOf(found?.[0])
}

function rawOf(series: Series | undefined): RawColumns {
  const rows = series?.values ?? []
  const text = rows.map((row) => (row[2] ?? null) as string | null)
  return {
    at: Float64Array.from(rows, (row) => Number(row[0])),
    v: Float64Array.from(rows, (row) => (row[1] === null ? Number.NaN : Number(row[1]))),
    q: Float64Array.from(rows, (row) => Number(row[3])),
    wide: [],
    text: text.every((value) => value === null) ? [] : text,
  }
}

/** The first ms after all that InfluxDB can store. */
const END_OF_TIME = 9_223_372_036_854

/** Reads the newest value of each tag. */
export async function readLast(ql: InfluxQl, tags: TagSet, before: number): Promise<LastValue[]> {
  const until = Math.min(before, END_OF_TIME)
  const statements = conditions(tags).map(
    (condition) =>
      `SELECT ${FIELDS} FROM ${ql.from} WHERE ${condition} AND time < ${Math.trunc(until)}ms GROUP BY ${LABELS} ORDER BY time DESC LIMIT 1`,
  )
  if (statements.length === 0) return []
  return (await ql.ask(...statements)).flat().flatMap((series) => lastOf(series, tags))
}

function lastOf({ tags: labels = {}, values }: Series, tags: TagSet): LastValue[] {
  const tag = tags.keyOf(labels)
  const [at, value, text, quality] = values[0] ?? []
  if (tag === undefined || at === undefined) return []
  const newest = (text ?? value ?? null) as string | number | null
  return [{ tag, sourceAt: Number(at), value: newest, quality: Number(quality) as Quality }]
}
