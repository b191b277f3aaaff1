import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { BlockFile } from './catalogue.ts'
import { items } from './columns.ts'

/** Removes files that the manifest does not name: a crash left them. @throws Error when a named file is missing. */
export function clearLeftovers(blocks: string, named: readonly BlockFile[]): void {
  const present = new Set(readdirSync(blocks))
  const missing = named.filter((file) => !present.has(file.name)).map((file) => file.name)
  if (missing.length > 0) {
    throw new Error(`History files are missing in ${blocks}: ${missing.join(', ')}. Restore them from a backup`)
  }
  const names = new Set(named.map((file) => file.name))
  for (const name of present) if (!names.has(name)) rmSync(join(blocks, name))
}

/** SQL list of files for read_parquet. */
export const parquet = (blocks: string, names: readonly string[]): string =>
  `read_parquet([${names.map((name) => quote(join(blocks, name))).join(', ')}])`

export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

export interface WideFile {
  readonly rows: number
  readonly firstAt: number
  readonly lastAt: number
  readonly sizeBytes: number
}

/**
 * Writes the wide values that `source` (a SELECT) yields, sorted by tag and time, to `path`, so that after a crash the
 * file is there whole or not at all. Returns undefined, and writes nothing, when there are none.
 */
export async function writeWide(
  connection: DuckDBConnection,
  source: string,
  path: string,
): Promise<WideFile | undefined> {
  const counted = await connection.run(`SELECT count(*)::DOUBLE, min(ts)::DOUBLE, max(ts)::DOUBLE FROM (${source})`)
  const [rows, firstAt, lastAt] = [0, 1, 2].map((column) => items<number>(counted, column)[0])
  if (!rows) return undefined
  const temporary = `${path}.tmp`
  await connection.run(
    `COPY (SELECT * FROM (${source}) ORDER BY tag, ts) TO ${quote(temporary)} (FORMAT parquet, COMPRESSION zstd)`,
  )
  syncFile(temporary)
  renameSync(temporary, path)
  syncFile(dirname(path))
  return { rows, firstAt: firstAt ?? 0, lastAt: lastAt ?? 0, sizeBytes: statSync(path).size }
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
