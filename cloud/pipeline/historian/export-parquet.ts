import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BIGINT,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  INTEGER,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { ExportPage, ExportPiece } from './export.ts'

export interface ParquetOptions {
  readonly tempDir: string
  readonly paths: readonly string[]
  readonly estimatedRows: number
}

const CHUNK = 2048
const NOTHING = new Uint8Array(0)
const MAGIC = new TextEncoder().encode('PAR1')
const PIECE_BYTES = 262_144

/**
 * Makes one Parquet file of pages, beside, in a database of its own, so that neither memory nor history feels it. Columns:
 * path, time (UTC), value, text, quality; what a double cannot hold exactly stands in `text` as well.
 */
export async function* parquetFile(
  pages: AsyncIterable<ExportPage>,
  { tempDir, paths, estimatedRows }: ParquetOptions,
): AsyncGenerator<ExportPiece> {
  const dir = await mkdtemp(join(tempDir, 'andon-export-'))
  const instance = await DuckDBInstance.create(join(dir, 'rows.duckdb'), { memory_limit: '128MB', threads: '1' })
  try {
    // Every such file begins with these; a reader who has them knows that the file is being made.
    yield { bytes: MAGIC, rows: 0, estimatedRows }
    const connection = await instance.connect()
    await connection.run('CREATE TABLE rows (path INTEGER, ms BIGINT, v DOUBLE, t VARCHAR, q UTINYINT)')
    const appender = await connection.createAppender('rows')
    let rows = 0
    for await (const page of pages) {
      appendPage(appender, page, paths.indexOf(page.path))
      rows += page.at.length
      yield { bytes: NOTHING, rows, estimatedRows }
    }
    appender.closeSync()
    const file = join(dir, 'rows.parquet')
    await copyTo(connection, file, paths)
    connection.closeSync()
    for await (const bytes of createReadStream(file, { start: MAGIC.length, highWaterMark: PIECE_BYTES })) {
      yield { bytes: bytes as Uint8Array, rows, estimatedRows }
    }
  } finally {
    instance.closeSync()
    await rm(dir, { recursive: true, force: true })
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

async function copyTo(connection: DuckDBConnection, file: string, paths: readonly string[]): Promise<void> {
  await connection.run(
    `COPY (SELECT ([${paths.map(literal).join(', ')}])[path + 1] AS path, make_timestamptz(ms * 1000) AS time, v AS value, t AS text,
      q AS quality FROM rows) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`,
  )
}

function appendPage(appender: DuckDBAppender, { at, value, quality }: ExportPage, path: number): void {
  for (let from = 0; from < at.length; from += CHUNK) {
    const to = Math.min(from + CHUNK, at.length)
    const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, DOUBLE, VARCHAR, UTINYINT], to - from)
    const values = value.slice(from, to)
    chunk.setColumns([
      values.map(() => path),
      Array.from(at.subarray(from, to), (time) => BigInt(Math.trunc(time))),
      values.map(numberOf),
      values.map(textOf),
      [...quality.subarray(from, to)],
    ])
    appender.appendDataChunk(chunk)
  }
  appender.flushSync()
}

const numberOf = (value: Scalar): number | null => (value === null || typeof value === 'string' ? null : Number(value))

function textOf(value: Scalar): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'bigint' && BigInt(Number(value)) !== value ? value.toString() : null
}
