import {
  BIGINT,
  type DuckDBAppender,
  DuckDBDataChunk,
  type DuckDBMaterializedResult,
  type DuckDBVector,
  INTEGER,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import type { WideRow } from '../batch.ts'

/** Rows of one data chunk: DuckDB's standard vector size. */
const CHUNK = 2048

type Items = Int32Array | Float64Array | BigInt64Array | Uint8Array

/** The array behind a vector of fixed width. The library keeps it private; without it each value costs a checked call. */
function itemsOf(vector: DuckDBVector): Items {
  const { items } = vector as unknown as { readonly items?: Items }
  if (!items) throw new Error('This version of @duckdb/node-api keeps its vectors otherwise; use 1.5.6')
  return items
}

/** Appends texts and 64-bit integers to the wide hot table. Synchronous. */
export function appendWide(appender: DuckDBAppender, rows: readonly WideRow[]): void {
  for (let from = 0; from < rows.length; from += CHUNK) {
    const part = rows.slice(from, from + CHUNK)
    const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, BIGINT, VARCHAR, UTINYINT], part.length)
    chunk.setColumns([
      part.map((row) => row.tag),
      part.map((row) => BigInt(Math.trunc(row.ts))),
      part.map((row) => row.i),
      part.map((row) => row.t),
      part.map((row) => row.q),
    ])
    appender.appendDataChunk(chunk)
  }
}

/** Copies DOUBLE columns of a result into one array each; a null becomes NaN. */
export function doubles(result: DuckDBMaterializedResult, columns: readonly number[]): Float64Array[] {
  const out = columns.map(() => new Float64Array(result.rowCount))
  let row = 0
  for (let i = 0; i < result.chunkCount; i++) {
    const chunk = result.getChunk(i)
    columns.forEach((column, index) => {
      copyDoubles(chunk.getColumnVector(column), out[index] as Float64Array, row)
    })
    row += chunk.rowCount
  }
  return out
}

function copyDoubles(vector: DuckDBVector, target: Float64Array, at: number): void {
  target.set(itemsOf(vector) as Float64Array, at)
  const { validity } = vector as unknown as { readonly validity: { itemValid(index: number): boolean } }
  for (let i = 0; i < vector.itemCount; i++) if (!validity.itemValid(i)) target[at + i] = Number.NaN
}

/** One column of a result as JavaScript values, null included. */
export function items<T>(result: DuckDBMaterializedResult, column: number): (T | null)[] {
  const out: (T | null)[] = []
  for (let i = 0; i < result.chunkCount; i++) {
    const vector = result.getChunk(i).getColumnVector(column)
    for (let row = 0; row < vector.itemCount; row++) out.push(vector.getItem(row) as T | null)
  }
  return out
}
