import type { BucketColumns, BucketRequest } from '../../historian.ts'
import type { TagSet } from '../labels.ts'
import { type BucketRow, BucketTable } from '../rows.ts'
import { conditions, type InfluxQl, LABELS, type Series, within } from './query.ts'

type Column = Exclude<keyof BucketRow, 'tag' | 'bucket'>

/** Values up to which the times of min, max and last are read: on 2.6 million they take three quarters of a minute. */
const MOST_TIMED = 200_000

/** Reads buckets for the tags of one device after the other. */
export async function readBuckets(ql: InfluxQl, request: BucketRequest, tags: TagSet): Promise<BucketColumns> {
  const table = new BucketTable()
  const { from, to, widthMs, origin = from } = request
  const asked = { from, to, widthMs, origin }
  const put: Put = { table, tags, ...asked, bucketOf: (at) => Math.floor((at - origin) / widthMs) }
  for (const condition of conditions(tags)) {
    const where = `WHERE ${condition} AND ${within(from, to)}`
    await readDevice(ql, put, { from: ql.from, where, by: grouping(asked) })
  }
  return table.columns()
}

async function readDevice(ql: InfluxQl, put: Put, source: Source): Promise<void> {
  const [counts = []] = await ql.ask(aggregate(source, 'count("quality")'))
  enter(put, counts, 'count')
  const isTimed = total(counts) <= MOST_TIMED
  const plan = [...AGGREGATES.map((of) => planOf(source, of)), ...(isTimed ? timesPlan(put, source) : [])]
  const found = await ql.ask(...plan.map(({ statement }) => statement))
  for (const [i, { fill }] of plan.entries()) fill(put, found[i] ?? [])
  if (!isTimed) for (const series of counts) spreadTimes(put, series)
}

const total = (counts: readonly Series[]): number =>
  counts.flatMap(({ values }) => values).reduce((sum, [, count]) => sum + Number(count), 0)

type Asked = Required<Omit<BucketRequest, 'tags'>>

interface Source {
  readonly from: string
  readonly where: string
  /** Grouping by bucket and series. */
  readonly by: string
}

/** One statement and what its answer fills. */
interface Step {
  readonly statement: string
  readonly fill: (put: Put, found: readonly Series[]) => void
}

const grouping = ({ widthMs, origin }: Asked) =>
  `GROUP BY time(${widthMs}ms, ${((origin % widthMs) + widthMs) % widthMs}ms), ${LABELS} fill(none)`

/** A statement each: two aggregates in one statement take three to six times as long as two statements. */
const AGGREGATES: readonly (readonly [string, Column])[] = [
  ['first("value")', 'first'],
  ['min("value")', 'min'],
  ['max("value")', 'max'],
  ['last("value")', 'last'],
  ['count("value")', 'numbers'],
  ['sum("value")', 'sum'],
  ['min("quality")', 'quality'],
]

const aggregate = ({ from, where, by }: Source, of: string) => `SELECT ${of} FROM ${from} ${where} ${by}`

const planOf = (source: Source, [of, column]: readonly [string, Column]): Step => ({
  statement: aggregate(source, of),
  fill: (put, found) => enter(put, found, column),
})

/**
 * Aggregates answer the start of their bucket as their time, top() and bottom() the time of the value. No function answers
 * the time of the last value of a bucket: it is the time of the very first one plus all steps from value to value so far.
 */
function timesPlan(put: Put, source: Source): Step[] {
  const steps = `SELECT elapsed("quality", 1ms) AS "step" FROM ${source.from} ${source.where} GROUP BY ${LABELS}`
  return [
    { statement: aggregate(source, 'bottom("value", 1)'), fill: (into, found) => enterTimes(into, found, 'minAt') },
    { statement: aggregate(source, 'top("value", 1)'), fill: (into, found) => enterTimes(into, found, 'maxAt') },
    {
      statement: `SELECT sum("step") FROM (${steps}) WHERE ${within(put.from, put.to)} ${source.by}`,
      fill: (into, found) => enter(into, found, 'lastAt'),
    },
    {
      statement: `SELECT first("quality") FROM ${source.from} ${source.where} GROUP BY ${LABELS}`,
      fill: enterLast,
    },
  ]
}

/** Times of many values are taken to be spread over their bucket, so that a chart still shows every extreme. */
function spreadTimes(
  { table, tags, from, to, widthMs, bucketOf, origin }: Put,
  { tags: labels = {}, values }: Series,
): void {
  const tag = tags.keyOf(labels)
  if (tag === undefined) return
  for (const [at] of values) {
    const row = table.row(tag, bucketOf(Number(at)))
    const start = Math.max(from, origin + row.bucket * widthMs)
    const end = Math.min(to, origin + (row.bucket + 1) * widthMs)
    row.lastAt = end - 1
    if (row.numbers === 0) continue
    row.minAt = Math.floor(start + (end - start) / 3)
    row.maxAt = Math.floor(start + ((end - start) * 2) / 3)
  }
}

interface Put extends Asked {
  readonly table: BucketTable
  readonly tags: TagSet
  readonly bucketOf: (at: number) => number
}

function enter(put: Put, found: readonly Series[], column: Column): void {
  for (const { tags: labels = {}, values } of found) {
    const tag = put.tags.keyOf(labels)
    if (tag === undefined) continue
    for (const [at, value] of values) put.table.row(tag, put.bucketOf(Number(at)))[column] = Number(value)
  }
}

function enterTimes(put: Put, found: readonly Series[], column: 'minAt' | 'maxAt'): void {
  for (const { tags: labels = {}, values } of found) {
    const tag = put.tags.keyOf(labels)
    if (tag === undefined) continue
    for (const [at] of values) put.table.row(tag, put.bucketOf(Number(at)))[column] = Number(at)
  }
}

/** `lastAt` holds the steps of each bucket so far. */
function enterLast(put: Put, firsts: readonly Series[]): void {
  for (const { tags: labels = {}, values } of firsts) {
    const tag = put.tags.keyOf(labels)
    if (tag === undefined) continue
    let at = Number(values[0]?.[0])
    for (const row of put.table.rows(tag)) {
      at += Number.isNaN(row.lastAt) ? 0 : row.lastAt
      row.lastAt = at
    }
  }
}
