import type { HistoryEngine } from '../../history-engine.ts'
import type { Connection } from '../connection.ts'
import { type Engine, EngineRefusal } from '../engine.ts'
import { readBuckets } from './buckets.ts'
import { type InfluxQl, influxQl } from './query.ts'
import { readLast, readRaw } from './values.ts'

export interface InfluxDbOptions {
  readonly connection: Connection
  /** As the server tells it, e.g. `1.6.7`. */
  readonly version: string
  readonly org: string
  /** A bucket, or for InfluxDB 1 a database, or database/retention policy. */
  readonly bucket: string
}

/** Opens an InfluxDB 1, 2 or 3. @throws EngineRefusal when there is no such database. */
export async function openInfluxDb(options: InfluxDbOptions): Promise<Engine> {
  const { connection, version, org, bucket } = options
  const major = Number(/\d+/.exec(version)?.[0] ?? 1)
  const [database = '', policy = ''] = major === 1 ? bucket.split('/') : [bucket]
  const ql = influxQl(connection, database, policy)
  const facts = { ...factsOf(major, version), retentionMs: await retentionOf(ql, connection, { database, policy }) }
  const target =
    major === 1
      ? `/write?${new URLSearchParams({ db: database, ...(policy ? { rp: policy } : {}), precision: 'ms' })}`
      : `/api/v2/write?${new URLSearchParams({ org, bucket, precision: 'ms' })}`
  return {
    facts,
    mostAheadMs: Number.POSITIVE_INFINITY,
    // It confirms a write when it is in the write-ahead log on disk.
    write: (pieces) => connection.write(target, pieces),
    settle: () => Promise.resolve(),
    buckets: (request, tags) => readBuckets(ql, request, tags),
    raw: (request, tags) => readRaw(ql, request, tags),
    last: (tags, before) => readLast(ql, tags, before),
  }
}

const factsOf = (major: number, version: string): Omit<HistoryEngine, 'retentionMs'> => ({
  name: major === 1 ? 'influxdb-1' : major === 2 ? 'influxdb-2' : 'influxdb-3',
  version,
  isTested: major === 1,
  keepsText: true,
  keepsWide: true,
  significantDigits: 17,
})

interface Place {
  readonly database: string
  readonly policy: string
}

async function retentionOf(ql: InfluxQl, { address }: Connection, { database, policy }: Place): Promise<number | null> {
  const [policies = []] = await ql.ask(`SHOW RETENTION POLICIES ON ${ql.name(database)}`).catch((error: Error) => {
    if (!/database not found/.test(error.message)) throw error
    const fix = `make it with CREATE DATABASE ${ql.name(database)}, or correct INFLUX_BUCKET`
    throw new EngineRefusal(`InfluxDB at ${address} has no database ${database}; ${fix}`)
  })
  const [columns = [], rows = []] = [policies[0]?.columns, policies[0]?.values]
  const at = (name: string) => columns.indexOf(name)
  const found = rows.find((row) => (policy ? row[at('name')] === policy : row[at('default')] === true))
  if (!found) throw new EngineRefusal(`InfluxDB at ${address} has no retention policy ${policy} on ${database}`)
  return durationMs(String(found[at('duration')]))
}

/** A duration as Go writes it, `168h0m0s`; 0s keeps for ever, which is null. */
export function durationMs(text: string): number | null {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? []
  const total = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  return total === 0 ? null : total
}
