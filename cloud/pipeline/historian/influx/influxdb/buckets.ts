import type { BucketColumns, BucketRequest } from '../../historian.ts'
import type { TagSet } from '../labels.ts'
import { type BucketRow, BucketTable } from '../rows.ts'
import { conditions, type InfluxQl, LABELS, type Series, within } from './query.ts'

type Column = Exclude<keyof BucketRow, 'tag' | 'bucket'>

/** Reads buckets, six statements for the tags of one device. */
export async function readBuckets(ql: InfluxQl, request: BucketRequest, tags: TagSet): Promise<BucketColumns> {
  const table = new BucketTable()
  const { from, to, widthMs, origin = from } = request
  const put: Put = { table, tags, bucketOf: (at) => Math.floor((at - origin) / widthMs) }
  for (const condition of conditions(tags)) {
    const [numbers = [], all = [], lows = [], highs = [], firsts = [], steps = []] = await ql.ask(
      ...statements(ql.from, condition, { from, to, widthMs, origin }),
    )
    enter(put, numbers, { first: 'first', min: 'min', max: 'max', last: 'last', count: 'numbers', sum: 'sum' })
    enter(put, all, { count: 'count', min: 'quality' })
    enterTimes(put, lows, 'minAt')
    enterTimes(put, highs, 'maxAt')
    enterLast(put, firsts, steps)
  }
  return table.columns()
}

/**
 * Aggregates answer the start of their bucket as their time, top() and bottom() the time of the value. No function answers
 * the time of the last value of a bucket: it is the time of the very first one plus all steps from value to value so far.
 */
function statements(source: string, condition: string, request: Required<Omit<BucketRequest, 'tags'>>): string[] {
  const { from, to, widthMs, origin } = request
  const where = `WHERE ${condition} AND ${within(from, to)}`
  const by = `GROUP BY time(${widthMs}ms, ${((origin % widthMs) + widthMs) % widthMs}ms), ${LABELS} fill(none)`
  const steps = `SELECT elapsed("quality", 1ms) AS "step" FROM ${source} ${where} GROUP BY ${LABELS}`
  return [
    `SELECT first("value"), min("value"), max("value"), last("value"), count("value"), sum("value") FROM ${source} ${where} ${by}`,
    `SELECT count("quality"), min("quality") FROM ${source} ${where} ${by}`,
    `SELECT bottom("value", 1) FROM ${source} ${where} ${by}`,
    `SELECT top("value", 1) FROM ${source} ${where} ${by}`,
    `SELECT first("quality") FROM ${source} ${where} GROUP BY ${LABELS}`,
    `SELECT sum("step") FROM (${steps}) WHERE ${within(from, to)} ${by}`,
  ]
}

interface Put {
  readonly table: BucketTable
  readonly tags: TagSet
  readonly bucketOf: (at: number) => number
}

function enter(put: Put, found: readonly Series[], names: Readonly<Record<string, Column>>): void {
  for (const { tags: labels = {}, columns, values } of found) {
    const tag = put.tags.keyOf(labels)
    if (tag === undefined) continue
    const targets = columns.map((column) => names[column])
    for (const row of values) {
      const into = put.table.row(tag, put.bucketOf(Number(row[0])))
      targets.forEach((target, i) => {
        if (target && row[i] !== null) into[target] = Number(row[i])
      })
    }
  }
}

function enterTimes(put: Put, found: readonly Series[], column: 'minAt' | 'maxAt'): void {
  for (const { tags: labels = {}, values } of found) {
    const tag = put.tags.keyOf(labels)
    if (tag === undefined) continue
    for (const [at] of values) put.table.row(tag, put.bucketOf(Number(at)))[column] = Number(at)
  }
}

function enterLast(put: Put, firsts: readonly Series[], steps: readonly Series[]): void {
  enter(put, steps, { sum: 'lastAt' })
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
