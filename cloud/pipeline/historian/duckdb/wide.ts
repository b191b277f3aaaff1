import type { DuckDBConnection } from '@duckdb/node-api'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { NumberColumns } from '../batch.ts'
import type { LastValue } from '../historian.ts'
import { parquet } from './block-file.ts'
import { type BlockFile, tableOf } from './catalogue.ts'
import { doubles, items } from './columns.ts'
import type { Span, WideSpan } from './read-plan.ts'
import type { Store, View } from './store.ts'

/** Texts and 64-bit integers of some tags: DuckDB reads them, in a transaction whose manifest is that of the view. */
export interface WideRows {
  readonly at: Float64Array
  /** As a number, where it is one. */
  readonly v: Float64Array
  readonly q: Float64Array
  readonly wide: readonly (bigint | null)[]
  readonly text: readonly (string | null)[]
}

/** Rows beyond which a query for wide values is refused rather than held in memory. */
const MOST_ROWS = 5_000_000

const whole = (numbers: readonly number[]): string => numbers.map((n) => Math.trunc(n)).join(', ')
const NUMBER = "coalesce(i::DOUBLE, try_cast(t AS DOUBLE), 'nan'::DOUBLE)"

interface WideSource {
  readonly store: Store
  readonly view: View
  readonly tags: readonly number[]
  readonly span: Span
  readonly files: readonly WideSpan[]
}

/** SELECT of all wide rows that count; undefined when there can be none. */
function sourceOf({ store, view, tags, span, files }: WideSource): string | undefined {
  const where = (from: number, to: number) =>
    `WHERE tag IN (${whole(tags)}) AND ts >= ${Math.trunc(from)} AND ts < ${Math.trunc(to)}`
  const hot = view.slots.filter((slot) => slot.wideRows > 0)
  const parts = [
    ...hot.map((slot) => `SELECT * FROM ${tableOf('w', slot.id)} ${where(span.from, span.to)}`),
    ...files.map(({ name, from, to }) => `SELECT * FROM ${parquet(store.blocks, [name])} ${where(from, to)}`),
  ]
  return parts.length === 0 ? undefined : parts.join(' UNION ALL ')
}

const EMPTY: WideRows = {
  at: new Float64Array(0),
  v: new Float64Array(0),
  q: new Float64Array(0),
  wide: [],
  text: [],
}

/** Wide values of one tag in order of time, values of one time in order of value. */
export async function readWide(connection: DuckDBConnection, source: WideSource): Promise<WideRows> {
  const sql = sourceOf(source)
  if (!sql) return EMPTY
  const result = await connection.run(
    `SELECT ts::DOUBLE, ${NUMBER} AS v, q::DOUBLE, i, t FROM (${sql}) ORDER BY ts, v, t LIMIT ${MOST_ROWS}`,
  )
  const [at, v, q] = doubles(result, [0, 1, 2]) as [Float64Array, Float64Array, Float64Array]
  return { at, v, q, wide: items<bigint>(result, 3), text: items<string>(result, 4) }
}

/** Wide values of some tags as far as they are numbers, for buckets. */
export async function readWideNumbers(connection: DuckDBConnection, source: WideSource): Promise<NumberColumns> {
  const sql = sourceOf(source)
  const result = await connection.run(
    `SELECT tag::DOUBLE, ts::DOUBLE, ${NUMBER}, q::DOUBLE FROM (${sql ?? 'SELECT 0 AS tag, 0 AS ts, 0 AS i, NULL AS t, 0 AS q LIMIT 0'})
     ORDER BY tag, ts LIMIT ${MOST_ROWS}`,
  )
  const [tag, ts, v, q] = doubles(result, [0, 1, 2, 3]) as [Float64Array, Float64Array, Float64Array, Float64Array]
  return { count: tag.length, tag: Int32Array.from(tag), ts, v, q: Uint8Array.from(q) }
}

/** Files looked through at once, newest first, until every tag has a value. */
const FILES_A_STEP = 8

/** The newest wide value of each tag that has one earlier than `before`. */
export async function readLastWide(
  connection: DuckDBConnection,
  { store, view, tags, before }: Omit<WideSource, 'span' | 'files'> & { readonly before: number },
): Promise<Map<number, LastValue>> {
  const found = new Map<number, LastValue>()
  const hot = view.slots.filter((slot) => slot.wideRows > 0).map(({ id }) => tableOf('w', id))
  await takeNewest(connection, found, { tags, before, tables: hot })
  const named = view.files
    .filter((file) => file.kind === 'w' && file.firstAt < before)
    .sort((a, b) => b.lastAt - a.lastAt)
  for (let from = 0; from < named.length; from += FILES_A_STEP) {
    const step: readonly BlockFile[] = named.slice(from, from + FILES_A_STEP)
    const newestAt = Math.min(step[0]?.lastAt ?? 0, before)
    const open = tags.filter((tag) => (found.get(tag)?.sourceAt ?? Number.NEGATIVE_INFINITY) < newestAt)
    if (open.length === 0) break
    const tables = step.map((file) => parquet(store.blocks, [file.name]))
    await takeNewest(connection, found, { tags: open, before, tables })
  }
  return found
}

async function takeNewest(
  connection: DuckDBConnection,
  found: Map<number, LastValue>,
  { tags, before, tables }: { tags: readonly number[]; before: number; tables: readonly string[] },
): Promise<void> {
  if (tables.length === 0) return
  const source = tables.map((table) => `SELECT * FROM ${table}`).join(' UNION ALL ')
  const result = await connection.run(`
    SELECT tag, max(ts)::DOUBLE, arg_max(q, ts), arg_max_null(i, ts), arg_max_null(t, ts)
    FROM (${source}) WHERE tag IN (${whole(tags)}) AND ts < ${Math.trunc(before)} GROUP BY tag`)
  const [tag, at, q] = [0, 1, 2].map((column) => items<number>(result, column))
  const [wide, text] = [items<bigint>(result, 3), items<string>(result, 4)]
  for (const [row, own] of (tag ?? []).entries()) {
    const value: Scalar = text[row] ?? wide[row] ?? null
    const last = { tag: own ?? 0, sourceAt: at?.[row] ?? 0, value, quality: (q?.[row] ?? 0) as Quality }
    const known = found.get(last.tag)
    if (!known || known.sourceAt < last.sourceAt) found.set(last.tag, last)
  }
}
