import type { DuckDBConnection, DuckDBMaterializedResult } from '@duckdb/node-api'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { BucketColumns, BucketRequest, LastValue, RawColumns, RawRequest } from '../historian.ts'
import { HistoryTimeoutError } from '../historian.ts'
import { parquet } from './block-file.ts'
import { type BlockFile, files, inTransaction, type Kind, slots, tableOf } from './catalogue.ts'
import { doubles, items } from './columns.ts'
import type { Store } from './store.ts'

/** Answers queries on connections of its own, each stopped at the store's time limit. */
export interface Reader {
  buckets(request: BucketRequest): Promise<BucketColumns>
  raw(request: RawRequest): Promise<RawColumns>
  last(tags: readonly number[], before?: number): Promise<LastValue[]>
  close(): Promise<void>
}

/** Two, so that a long query does not hold up the short ones. */
const CONNECTIONS = 2

/** Opens the read connections of a store. */
export async function openReader(store: Store): Promise<Reader> {
  const idle: DuckDBConnection[] = []
  const waiting: ((connection: DuckDBConnection) => void)[] = []
  for (let i = 0; i < CONNECTIONS; i++) idle.push(await store.connect())
  const borrow = () => {
    const free = idle.pop()
    return free ? Promise.resolve(free) : new Promise<DuckDBConnection>((resolve) => waiting.push(resolve))
  }
  const giveBack = (connection: DuckDBConnection) => {
    const next = waiting.shift()
    if (next) next(connection)
    else idle.push(connection)
  }
  const read = async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const connection = await borrow()
    try {
      return await limited(connection, store.options.queryLimitMs, () =>
        inTransaction(connection, () => work(connection)),
      )
    } finally {
      giveBack(connection)
    }
  }
  return {
    buckets: (request) => read((connection) => readBuckets(store, connection, request)),
    raw: (request) => read((connection) => readRaw(store, connection, request)),
    last: (tags, before = Number.MAX_SAFE_INTEGER) =>
      read((connection) => readLast(store, connection, { tags, from: 0, to: before })),
    async close() {
      for (let i = 0; i < CONNECTIONS; i++) (await borrow()).closeSync()
    },
  }
}

/** Interrupting reaches only a statement that runs, so it is done again until the query, which has several, has ended. */
const INTERRUPT_EVERY_MS = 20

async function limited<T>(connection: DuckDBConnection, limitMs: number, work: () => Promise<T>): Promise<T> {
  let isLate = false
  const interrupt = () => {
    isLate = true
    connection.interrupt()
    timer = setTimeout(interrupt, INTERRUPT_EVERY_MS)
  }
  let timer = setTimeout(interrupt, limitMs)
  try {
    return await work()
  } catch (error) {
    if (!isLate) throw error
    throw new HistoryTimeoutError(`The query was stopped after ${limitMs} ms; ask for a shorter time or fewer tags`)
  } finally {
    clearTimeout(timer)
  }
}

const whole = (numbers: readonly number[]): string => numbers.map((n) => Math.trunc(n)).join(', ')

/** Columns of either kind under the same names: v NaN, i and t null where the kind has none. */
const COLUMNS: Readonly<Record<Kind, string>> = {
  n: 'tag, ts, v, NULL::BIGINT AS i, NULL::VARCHAR AS t, q',
  w: "tag, ts, coalesce(i::DOUBLE, try_cast(t AS DOUBLE), 'nan'::DOUBLE) AS v, i, t, q",
}

interface Span {
  readonly tags: readonly number[]
  readonly from: number
  readonly to: number
}

/** Everything stored of some tags within [from, to), as a subquery. The caller's transaction keeps the list true. */
async function within(store: Store, connection: DuckDBConnection, { tags, from, to }: Span): Promise<string> {
  const where = `WHERE tag IN (${whole(tags)}) AND ts >= ${Math.trunc(from)} AND ts < ${Math.trunc(to)}`
  const hot = await slots(connection)
  const named = (await files(connection)).filter((file) => file.lastAt >= from && file.firstAt < to)
  const part = (kind: Kind) => [
    ...hot.map((slot) => `SELECT ${COLUMNS[kind]} FROM ${tableOf(kind, slot.id)} ${where}`),
    ...fileParts(store, named, kind).map((source) => `SELECT ${COLUMNS[kind]} FROM ${source} ${where}`),
  ]
  return [...part('n'), ...part('w')].join(' UNION ALL ')
}

function fileParts(store: Store, named: readonly BlockFile[], kind: Kind): string[] {
  const names = named.filter((file) => file.kind === kind).map((file) => file.name)
  return names.length === 0 ? [] : [parquet(store.blocks, names)]
}

async function readBuckets(store: Store, connection: DuckDBConnection, request: BucketRequest): Promise<BucketColumns> {
  const source = await within(store, connection, request)
  const result = await connection.run(`
    WITH s AS (SELECT tag, ts, q, CASE WHEN isnan(v) THEN NULL ELSE v END AS v FROM (${source}))
    SELECT tag::DOUBLE, ((ts - ${Math.trunc(request.origin ?? request.from)}) // ${Math.trunc(request.widthMs)})::DOUBLE AS bucket,
      arg_min(v, ts), min(v), max(v), arg_max(v, ts),
      arg_min(ts, v)::DOUBLE, arg_max(ts, v)::DOUBLE, max(ts)::DOUBLE, count(*)::DOUBLE, min(q)::DOUBLE,
      count(v)::DOUBLE, coalesce(sum(v), 0)
    FROM s GROUP BY tag, bucket ORDER BY tag, bucket`)
  const column = columnsOf(result, 13)
  return {
    tag: column(0),
    bucket: column(1),
    first: column(2),
    min: column(3),
    max: column(4),
    last: column(5),
    minAt: column(6),
    maxAt: column(7),
    lastAt: column(8),
    count: column(9),
    quality: column(10),
    numbers: column(11),
    sum: column(12),
  }
}

function columnsOf(result: DuckDBMaterializedResult, count: number): (index: number) => Float64Array {
  const columns = doubles(
    result,
    Array.from({ length: count }, (_, index) => index),
  )
  return (index) => columns[index] ?? new Float64Array(0)
}

async function readRaw(store: Store, connection: DuckDBConnection, request: RawRequest): Promise<RawColumns> {
  const source = await within(store, connection, { tags: [request.tag], from: request.from, to: request.to })
  const result = await connection.run(`
    SELECT ts::DOUBLE, v, q::DOUBLE, i, t FROM (${source}) ORDER BY ts, v, t
    LIMIT ${Math.trunc(request.limit)} OFFSET ${Math.trunc(request.skip)}`)
  const [at, v, q] = doubles(result, [0, 1, 2])
  const wide = items<bigint>(result, 3)
  const text = items<string>(result, 4)
  const isEmpty = (column: readonly unknown[]) => column.every((value) => value === null)
  return {
    at: at ?? new Float64Array(0),
    v: v ?? new Float64Array(0),
    q: q ?? new Float64Array(0),
    wide: isEmpty(wide) ? [] : wide,
    text: isEmpty(text) ? [] : text,
  }
}

/** Files looked through at once, newest first, until every tag has a value. */
const FILES_A_STEP = 8

async function readLast(store: Store, connection: DuckDBConnection, span: Span): Promise<LastValue[]> {
  const { tags, to: before } = span
  const found = new Map<number, LastValue>()
  const all = await files(connection)
  const named = all.filter((file) => file.firstAt < before).sort((a, b) => b.lastAt - a.lastAt)
  const hot = (await slots(connection)).flatMap(({ id }) =>
    (['n', 'w'] as const).map((kind) => `SELECT ${COLUMNS[kind]} FROM ${tableOf(kind, id)}`),
  )
  await takeNewest(connection, found, { tags, before, sources: hot })
  for (let from = 0; from < named.length; from += FILES_A_STEP) {
    const step = named.slice(from, from + FILES_A_STEP)
    const newestAt = Math.min(step[0]?.lastAt ?? 0, before)
    const open = tags.filter((tag) => (found.get(tag)?.sourceAt ?? Number.NEGATIVE_INFINITY) < newestAt)
    if (open.length === 0) break
    const sources = (['n', 'w'] as const).flatMap((kind) =>
      fileParts(store, step, kind).map((source) => `SELECT ${COLUMNS[kind]} FROM ${source}`),
    )
    await takeNewest(connection, found, { tags: open, before, sources })
  }
  return [...found.values()]
}

async function takeNewest(
  connection: DuckDBConnection,
  found: Map<number, LastValue>,
  { tags, before, sources }: { tags: readonly number[]; before: number; sources: readonly string[] },
): Promise<void> {
  if (tags.length === 0 || sources.length === 0) return
  const result = await connection.run(`
    SELECT tag, max(ts)::DOUBLE, arg_max(v, ts), arg_max(q, ts), arg_max_null(i, ts), arg_max_null(t, ts)
    FROM (${sources.join(' UNION ALL ')}) WHERE tag IN (${whole(tags)}) AND ts < ${Math.trunc(before)} GROUP BY tag`)
  for (const value of lastValuesOf(result)) {
    const known = found.get(value.tag)
    if (!known || known.sourceAt < value.sourceAt) found.set(value.tag, value)
  }
}

function lastValuesOf(result: DuckDBMaterializedResult): LastValue[] {
  const [tags, at, v, q] = [0, 1, 2, 3].map((column) => items<number>(result, column)) as unknown as [
    Row,
    Row,
    Row,
    Row,
  ]
  const [wide, text] = [items<bigint>(result, 4), items<string>(result, 5)]
  const valueAt = (row: number): Scalar => text[row] ?? wide[row] ?? (Number.isNaN(v[row]) ? null : (v[row] ?? null))
  return tags.map((tag, row) => ({
    tag: tag ?? 0,
    sourceAt: at[row] ?? 0,
    value: valueAt(row),
    quality: (q[row] ?? 0) as Quality,
  }))
}

type Row = readonly (number | null)[]
