import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Kysely } from 'kysely'
import { files } from '#cloud/pipeline/historian/duckdb/catalogue.ts'
import { openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { startDatabase } from '#cloud/platform/database/start.ts'
import { installationSecret } from '#cloud/platform/secret.ts'
import { createLog } from '#shared/log/log.ts'
import { deviceName, edgeName, kindOf, type Load, samplesOfTag, TAGS, tagName, tagNumber, VALUE_SQL } from './plan.ts'

/** What history holds of a load, against the ledger of its generator: samples by edge. */
export interface Comparison {
  /** Values of the ledger, each looked for in history. */
  readonly compared: number
  readonly lost: number
  readonly duplicated: number
  /** Rows with another value or quality than was sent, or that nobody sent. */
  readonly wrong: number
}

export interface Sent {
  readonly load: Load
  readonly samples: Readonly<Record<string, number>>
}

/** Compares history on disk, the cloud stopped, value for value with what the generator says it sent. */
export async function compare(dataDir: string, sent: readonly Sent[]): Promise<Comparison> {
  const keys = await keysOf(dataDir)
  await settle(join(dataDir, 'history'))
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '1GB', threads: '2' })
  const connection = await instance.connect()
  try {
    await connection.run('CREATE SCHEMA memory.ledger')
    await connection.run(`ATTACH '${join(dataDir, 'history', 'history.duckdb')}' AS history (READ_ONLY)`)
    await connection.run('USE history')
    await writeLedger(connection, sent, keys)
    return await judge(connection, await storedSql(connection, join(dataDir, 'history', 'blocks')))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function keysOf(dataDir: string): Promise<ReadonlyMap<string, number>> {
  const log = createLog({ program: 'cloud', level: 'error' })
  const secret = installationSecret(dataDir, undefined)
  const database = await startDatabase({ dataDir, secret, url: undefined, log })
  const system = database.db.system as unknown as Kysely<{ tags: { path: string; key: number } }>
  const rows = await system.selectFrom('tags').select(['path', 'key']).execute()
  await database.close()
  return new Map(rows.map(({ path, key }) => [path, key]))
}

const ROWS_A_STATEMENT = 10_000

async function writeLedger(connection: DuckDBConnection, sent: readonly Sent[], keys: ReadonlyMap<string, number>) {
  const columns = 'tag INTEGER, kind VARCHAR, number BIGINT, samples BIGINT, base BIGINT, period BIGINT'
  await connection.run(`CREATE TABLE memory.ledger.tags (${columns})`)
  const rows = sent.flatMap((one) => [...ledgerRows(one, keys)])
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) {
    await connection.run(`INSERT INTO memory.ledger.tags VALUES ${rows.slice(from, from + ROWS_A_STATEMENT).join(',')}`)
  }
}

function* ledgerRows({ load, samples }: Sent, keys: ReadonlyMap<string, number>): Generator<string> {
  for (let i = 0; i < load.edges * load.devices * TAGS; i++) {
    const [tag, device, edge] = [i % TAGS, Math.floor(i / TAGS) % load.devices, Math.floor(i / TAGS / load.devices)]
    const path = [load.group, edgeName(edge), deviceName(device), tagName(tag)].join('/')
    const count = samplesOfTag(load, samples[edgeName(edge)] ?? 0, device, tag)
    const number = tagNumber(load, edge, device, tag)
    yield `(${keys.get(path) ?? -1 - i}, '${kindOf(tag)}', ${number}, ${count}, ${load.baseAt}, ${load.periodMs})`
  }
}

async function storedSql(connection: DuckDBConnection, blocks: string): Promise<string> {
  const numbers = (await files(connection))
    .filter(({ kind }) => kind === 'n')
    .map(({ name }) => `'${join(blocks, name)}'`)
  return `SELECT tag, ts, v, q FROM read_parquet([${numbers.join(', ')}])`
}

/** Has what is not yet sorted sorted into files, so that the comparison reads Parquet alone, by an engine of others. */
async function settle(dir: string): Promise<void> {
  const historian = await openDuckDbHistorian({ dir, log: createLog({ program: 'cloud', level: 'error' }) })
  await historian.settle()
  await historian.close()
}

/**
 * A tag's rows are right when each is a sample that was sent, and count, sum and sum of squares of their numbers are those
 * of 0 … N − 1. Where one differs, the numbers themselves are counted.
 */
async function judge(connection: DuckDBConnection, stored: string): Promise<Comparison> {
  await connection.run(`CREATE TABLE memory.ledger.found AS
    WITH numbered AS (
      SELECT tag, kind, number, samples, (ts - base) // period AS n, (ts - base) % period AS off, v, q
      FROM (${stored}) JOIN memory.ledger.tags USING (tag))
    SELECT tag, count(*) AS rows, sum(n) AS n1, sum(n::HUGEINT * n) AS n2,
      count(*) FILTER (off <> 0 OR q <> 192 OR n < 0 OR n >= samples OR v IS DISTINCT FROM (${VALUE_SQL})) AS wrong
    FROM numbered GROUP BY tag`)
  const counted = await connection.runAndReadAll(`
    SELECT coalesce(sum(samples), 0)::DOUBLE, coalesce(sum(wrong), 0)::DOUBLE FROM memory.ledger.tags LEFT JOIN memory.ledger.found USING (tag)`)
  const [compared = 0, wrong = 0] = (counted.getRows()[0] ?? []).map(Number)
  const differing = `SELECT tag FROM memory.ledger.tags LEFT JOIN memory.ledger.found USING (tag) WHERE samples <> coalesce(rows, 0)
    OR (samples > 0 AND (n1 <> samples * (samples - 1) / 2 OR n2 <> (samples - 1)::HUGEINT * samples * (2 * samples - 1) / 6))`
  const missing = await connection.runAndReadAll(`
    WITH suspects AS (${differing}),
    each AS (SELECT tag, ts, count(*) AS times FROM (${stored}) WHERE tag IN (SELECT tag FROM suspects) GROUP BY tag, ts),
    per_tag AS (SELECT tag, count(*) AS known, sum(times - 1) AS again FROM each GROUP BY tag)
    SELECT coalesce(sum(greatest(0, samples - coalesce(known, 0))), 0)::DOUBLE, coalesce(sum(again), 0)::DOUBLE
    FROM memory.ledger.tags JOIN suspects USING (tag) LEFT JOIN per_tag USING (tag)`)
  const [lost = 0, duplicated = 0] = (missing.getRows()[0] ?? []).map(Number)
  return { compared, lost, duplicated, wrong }
}
