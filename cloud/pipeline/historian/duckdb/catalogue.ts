import type { DuckDBConnection } from '@duckdb/node-api'
import type { Deletion } from '../historian.ts'
import { items } from './columns.ts'

/** What a file holds: numbers, wide values (texts, 64-bit integers), roll-ups by minute, by hour. */
export type Kind = 'n' | 'w' | 'm' | 'h'

/** A sorted file that the manifest names. Times in ms since 1970, of the values in it; of a roll-up, starts of buckets. */
export interface BlockFile {
  readonly name: string
  readonly kind: Kind
  /** Files of one block and class were made of the same values. */
  readonly block: number
  /** Retention class of its tags. */
  readonly class: number
  /** 0 a slot, 1 and 2 some of those, 3 a day. */
  readonly level: number
  /** Day since 1970 (UTC) on which the values arrived. */
  readonly day: number
  readonly firstAt: number
  readonly lastAt: number
  readonly rows: number
  readonly sizeBytes: number
  /** Where the index of its row groups stands and how many it names; 0 for wide values, which DuckDB reads. */
  readonly indexAt: number
  readonly groups: number
}

/** Bumped when a table changes its form; another number in the file is refused. */
const FORMAT = 2

const TABLES = [
  'CREATE TABLE IF NOT EXISTS format (version INTEGER)',
  'CREATE TABLE IF NOT EXISTS manifest (version BIGINT)',
  `CREATE TABLE IF NOT EXISTS marks (grp VARCHAR, edge VARCHAR, epoch UBIGINT, ranges VARCHAR, PRIMARY KEY (grp, edge, epoch))`,
  `CREATE TABLE IF NOT EXISTS gaps (id VARCHAR PRIMARY KEY, grp VARCHAR, edge VARCHAR, epoch UBIGINT, device VARCHAR, first UBIGINT,
    last UBIGINT, count UBIGINT, cause VARCHAR, first_at BIGINT, last_at BIGINT, recorded_at BIGINT)`,
  'CREATE TABLE IF NOT EXISTS slots (id INTEGER, opened_at BIGINT)',
  `CREATE TABLE IF NOT EXISTS files (name VARCHAR, kind VARCHAR, block BIGINT, class INTEGER, level INTEGER, day INTEGER, first_at BIGINT,
    last_at BIGINT, rows BIGINT, size_bytes BIGINT, index_at BIGINT, groups INTEGER)`,
  'CREATE TABLE IF NOT EXISTS classes (tag INTEGER PRIMARY KEY, class INTEGER)',
  'CREATE TABLE IF NOT EXISTS wide_tags (tag INTEGER)',
  `CREATE TABLE IF NOT EXISTS deletions (deleted_at BIGINT, level VARCHAR, class INTEGER, first_at BIGINT, last_at BIGINT, rows BIGINT)`,
  'CREATE SEQUENCE IF NOT EXISTS block_numbers',
]

export const tableOf = (kind: 'n' | 'w', slot: number): string => `hot_${kind}_${slot}`

/** Makes the tables that are missing. @throws Error when the history of this folder is of another format; it stays as it is. */
export async function prepare(connection: DuckDBConnection, dir: string): Promise<void> {
  await connection.run(TABLES[0] ?? '')
  const [version] = items<number>(await connection.run('SELECT version FROM format'), 0)
  if (version !== undefined && version !== FORMAT) {
    const next =
      'start the Andon that wrote it, or begin anew in an empty data directory (the demo: --fresh), without its values'
    throw new Error(`The history in ${dir} is of format ${version}, this Andon reads ${FORMAT}; ${next}`)
  }
  for (const sql of TABLES) await connection.run(sql)
  if (version === undefined) await connection.run(`INSERT INTO format VALUES (${FORMAT})`)
  const [manifest] = items<bigint>(await connection.run('SELECT version FROM manifest'), 0)
  if (manifest === undefined) await connection.run('INSERT INTO manifest VALUES (0)')
}

/** Opens a slot: its two hot tables and its row, in one transaction of the caller's. Numbers stand in it a commit a row. */
export async function createSlot(connection: DuckDBConnection, slot: number, openedAt: number): Promise<void> {
  await connection.run(`CREATE TABLE ${tableOf('n', slot)} (rows INTEGER, data BLOB)`)
  await connection.run(`CREATE TABLE ${tableOf('w', slot)} (tag INTEGER, ts BIGINT, i BIGINT, t VARCHAR, q UTINYINT)`)
  await connection.run(`INSERT INTO slots VALUES (${slot}, ${openedAt})`)
}

/** Slots that are still tables, oldest first; the newest takes new values. */
export async function slots(connection: DuckDBConnection): Promise<{ id: number; openedAt: number }[]> {
  const result = await connection.run('SELECT id, opened_at FROM slots ORDER BY id')
  const opened = items<bigint>(result, 1)
  return items<number>(result, 0).map((id, index) => ({ id: id ?? 0, openedAt: Number(opened[index]) }))
}

/** Files that the manifest names, by block. */
export async function files(connection: DuckDBConnection): Promise<BlockFile[]> {
  const result = await connection.run(
    `SELECT name, kind, block, class, level, day, first_at, last_at, rows, size_bytes, index_at, groups FROM files ORDER BY block, name`,
  )
  const rows = await result.getRows()
  return rows.map(([name, kind, ...numbers]) => {
    const [block, cls, level, day, firstAt, lastAt, count, sizeBytes, indexAt, groups] = numbers.map(Number)
    return {
      ...{
        name: String(name),
        kind: kind as Kind,
        block: block ?? 0,
        class: cls ?? 0,
        level: level ?? 0,
        day: day ?? 0,
      },
      ...{ firstAt: firstAt ?? 0, lastAt: lastAt ?? 0, rows: count ?? 0, sizeBytes: sizeBytes ?? 0 },
      ...{ indexAt: indexAt ?? 0, groups: groups ?? 0 },
    }
  })
}

/** Names a file in the manifest, inside the caller's transaction. */
export async function addFile(connection: DuckDBConnection, file: BlockFile): Promise<void> {
  const { name, kind, block, level, day, firstAt, lastAt, rows, sizeBytes, indexAt, groups } = file
  await connection.run(
    `INSERT INTO files VALUES ('${name}', '${kind}', ${block}, ${file.class}, ${level}, ${day}, ${firstAt}, ${lastAt}, ${rows},
      ${sizeBytes}, ${indexAt}, ${groups})`,
  )
}

/** Takes files from the manifest, inside the caller's transaction. */
export async function removeFiles(connection: DuckDBConnection, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  await connection.run(`DELETE FROM files WHERE name IN (${names.map((name) => `'${name}'`).join(', ')})`)
}

/** The next block's number; never given twice. */
export async function nextBlock(connection: DuckDBConnection): Promise<number> {
  const [number] = items<bigint>(await connection.run(`SELECT nextval('block_numbers')`), 0)
  return Number(number)
}

/** Retention classes of the tags that are not of class 0. */
export async function readClasses(connection: DuckDBConnection): Promise<Map<number, number>> {
  const result = await connection.run('SELECT tag, class FROM classes WHERE class <> 0')
  const classes = items<number>(result, 1)
  return new Map(items<number>(result, 0).map((tag, index) => [tag ?? 0, classes[index] ?? 0]))
}

/** Tags that ever had a text or a 64-bit integer. */
export async function readWideTags(connection: DuckDBConnection): Promise<Set<number>> {
  return new Set(items<number>(await connection.run('SELECT tag FROM wide_tags'), 0).map((tag) => tag ?? 0))
}

export async function recordDeletion(connection: DuckDBConnection, deletion: Deletion): Promise<void> {
  const { deletedAt, level, firstAt, lastAt, rows } = deletion
  await connection.run(
    `INSERT INTO deletions VALUES (${deletedAt}, '${level}', ${deletion.class}, ${firstAt}, ${lastAt}, ${rows})`,
  )
}

export async function readDeletions(connection: DuckDBConnection): Promise<Deletion[]> {
  const result = await connection.run(
    'SELECT deleted_at, level, class, first_at, last_at, rows FROM deletions ORDER BY deleted_at, first_at',
  )
  return (await result.getRows()).map(([deletedAt, level, cls, firstAt, lastAt, rows]) => ({
    ...{ deletedAt: Number(deletedAt), level: level as Deletion['level'], class: Number(cls) },
    ...{ firstAt: Number(firstAt), lastAt: Number(lastAt), rows: Number(rows) },
  }))
}

/** Runs `work` in a transaction; any error rolls back, because DuckDB's COMMIT after a failed statement only pretends. */
export async function inTransaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN')
  try {
    const result = await work()
    await connection.run('COMMIT')
    return result
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined)
    throw error
  }
}
