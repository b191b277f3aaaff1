import type { DuckDBConnection } from '@duckdb/node-api'
import { items } from './columns.ts'

/** Number columns or wide columns: two tables a slot, two files a block. */
export type Kind = 'n' | 'w'
export const KINDS: readonly Kind[] = ['n', 'w']

/** A sorted file that the manifest names. Times in ms since 1970, of the values in it. */
export interface BlockFile {
  readonly name: string
  readonly kind: Kind
  /** 0 a slot, 1 some slots, 2 a day. */
  readonly level: number
  /** Day since 1970 (UTC) on which the values arrived. */
  readonly day: number
  readonly firstAt: number
  readonly lastAt: number
  readonly rows: number
}

/** Bumped when a table changes its form; another number in the file is refused. */
const FORMAT = 1

const TABLES = [
  'CREATE TABLE IF NOT EXISTS format (version INTEGER)',
  `CREATE TABLE IF NOT EXISTS marks (grp VARCHAR, edge VARCHAR, epoch UBIGINT, ranges VARCHAR, PRIMARY KEY (grp, edge, epoch))`,
  `CREATE TABLE IF NOT EXISTS gaps (id VARCHAR PRIMARY KEY, grp VARCHAR, edge VARCHAR, epoch UBIGINT, device VARCHAR, first UBIGINT,
    last UBIGINT, count UBIGINT, cause VARCHAR, first_at BIGINT, last_at BIGINT, recorded_at BIGINT)`,
  'CREATE TABLE IF NOT EXISTS slots (id INTEGER, opened_at BIGINT)',
  `CREATE TABLE IF NOT EXISTS files (name VARCHAR, kind VARCHAR, level INTEGER, day INTEGER, first_at BIGINT, last_at BIGINT, rows BIGINT)`,
  'CREATE SEQUENCE IF NOT EXISTS file_numbers',
]

export const tableOf = (kind: Kind, slot: number): string => `hot_${kind}_${slot}`

/** Makes the tables that are missing. @throws Error when the file is of another format. */
export async function prepare(connection: DuckDBConnection): Promise<void> {
  for (const sql of TABLES) await connection.run(sql)
  const [version] = items<number>(await connection.run('SELECT version FROM format'), 0)
  if (version === undefined) await connection.run(`INSERT INTO format VALUES (${FORMAT})`)
  else if (version !== FORMAT) {
    throw new Error(`The history is of format ${version}, this Andon reads ${FORMAT}; start the Andon that wrote it`)
  }
}

/** Opens a slot: its two hot tables and its row, in one transaction of the caller's. */
export async function createSlot(connection: DuckDBConnection, slot: number, openedAt: number): Promise<void> {
  await connection.run(`CREATE TABLE ${tableOf('n', slot)} (tag INTEGER, ts BIGINT, v DOUBLE, q UTINYINT)`)
  await connection.run(`CREATE TABLE ${tableOf('w', slot)} (tag INTEGER, ts BIGINT, i BIGINT, t VARCHAR, q UTINYINT)`)
  await connection.run(`INSERT INTO slots VALUES (${slot}, ${openedAt})`)
}

/** Slots that are still tables, oldest first; the newest takes new values. */
export async function slots(connection: DuckDBConnection): Promise<{ id: number; openedAt: number }[]> {
  const result = await connection.run('SELECT id, opened_at FROM slots ORDER BY id')
  const opened = items<bigint>(result, 1)
  return items<number>(result, 0).map((id, index) => ({ id: id ?? 0, openedAt: Number(opened[index]) }))
}

/** Files that the manifest names, by name. */
export async function files(connection: DuckDBConnection): Promise<BlockFile[]> {
  const rows = await connection.run('SELECT name, kind, level, day, first_at, last_at, rows FROM files ORDER BY name')
  const [level, day, firstAt, lastAt, count] = [2, 3, 4, 5, 6].map((column) => items<number | bigint>(rows, column))
  const kinds = items<Kind>(rows, 1)
  return items<string>(rows, 0).map((name, index) => ({
    name: name ?? '',
    kind: kinds[index] ?? 'n',
    level: Number(level?.[index]),
    day: Number(day?.[index]),
    firstAt: Number(firstAt?.[index]),
    lastAt: Number(lastAt?.[index]),
    rows: Number(count?.[index]),
  }))
}

/** Names a file in the manifest, inside the caller's transaction. */
export async function addFile(connection: DuckDBConnection, file: BlockFile): Promise<void> {
  const { name, kind, level, day, firstAt, lastAt, rows } = file
  await connection.run(
    `INSERT INTO files VALUES ('${name}', '${kind}', ${level}, ${day}, ${firstAt}, ${lastAt}, ${rows})`,
  )
}

/** The next number for a file's name; never given twice. */
export async function nextFileNumber(connection: DuckDBConnection): Promise<number> {
  const [number] = items<bigint>(await connection.run(`SELECT nextval('file_numbers')`), 0)
  return Number(number)
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
