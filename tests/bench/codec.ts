import { AliasTable, DataColumns, readData } from '#shared/sparkplug/data-columns.ts'
import { DataWriter } from '#shared/sparkplug/data-writer.ts'
import { decodePayload, encodePayload, type OutgoingMetric } from '#shared/sparkplug/payload.ts'
import { type Bench, type BenchResult, percentile } from './bench.ts'

const PAYLOADS = 64
const METRICS = 100
const FIRST_ALIAS = 1
const LAST_ALIAS = 2
const FIRST_TAG = 10
const START = 1_800_000_000_000

/** The codec on the data path: nanoseconds of CPU a metric for payloads of 100 doubles with their times and offsets. */
export const bench: Bench = {
  name: 'codec',
  summary: 'payload ↔ values, CPU a metric, 100 doubles a payload',
  seconds: 10,
  run: async ({ seconds, say }) => {
    const outgoing = Array.from({ length: PAYLOADS }, (_, i) => metricsOf(i))
    const payloads = outgoing.map((metrics, i) => encode(metrics, i))
    const cases: Readonly<Record<string, (i: number) => number>> = {
      decodeObjectsNs: (i) => throughObjects(payloads[i] as Uint8Array),
      decodeColumnsNs: (i) => throughColumns(payloads[i] as Uint8Array),
      encodeObjectsNs: (i) => encode(outgoing[i] as OutgoingMetric[], i).length,
      encodeWriterNs: (i) => write(outgoing[i] as OutgoingMetric[], i).length,
    }
    const isSame = outgoing.every((metrics, i) => Buffer.compare(write(metrics, i), payloads[i] as Uint8Array) === 0)
    if (!isSame) throw new Error('The two ways of encoding do not agree')
    say(`${Object.keys(cases).length} ways, ${seconds} s in all; median of rounds, CPU time`)
    return { ...measure(cases, seconds), metricsPerPayload: METRICS, payloadBytes: payloads[0]?.length ?? 0 }
  },
}

function metricsOf(payload: number): OutgoingMetric[] {
  const timestamp = START + payload * 1000
  const first = BigInt(payload * METRICS + 1)
  const offset = (alias: number, value: bigint) => ({
    alias,
    timestamp,
    type: 'uint64' as const,
    value,
    isTransient: true,
  })
  return [
    ...Array.from({ length: METRICS }, (_, i) => ({
      alias: FIRST_TAG + i,
      timestamp: timestamp + i,
      type: 'double' as const,
      value: Math.sin(payload * METRICS + i) * 1000,
    })),
    offset(FIRST_ALIAS, first),
    offset(LAST_ALIAS, first + BigInt(METRICS - 1)),
  ]
}

const encode = (metrics: readonly OutgoingMetric[], payload: number): Uint8Array =>
  encodePayload({ timestamp: START + payload * 1000, seq: payload & 0xff, metrics })

const WRITER = new DataWriter()

/** As the edge sends: the samples without objects of their own, the two offsets as metrics. */
function write(metrics: readonly OutgoingMetric[], payload: number): Uint8Array {
  WRITER.begin(START + payload * 1000, payload & 0xff)
  for (let i = 0; i < METRICS; i++) {
    const { alias, timestamp, value } = metrics[i] as OutgoingMetric
    WRITER.number(alias as number, timestamp as number, value as number, 'double')
  }
  for (let i = METRICS; i < metrics.length; i++) {
    const { alias, timestamp, value } = metrics[i] as OutgoingMetric
    WRITER.offset(alias as number, timestamp as number, value as bigint)
  }
  return WRITER.end()
}

/** As the host read before there were columns: alias, time, quality and value of each metric. */
function throughObjects(bytes: Uint8Array): number {
  const payload = decodePayload(bytes)
  let sum = 0
  for (let i = 0; i < payload.count - 2; i++) {
    const isGood = payload.property(i, 'Quality') === undefined && !payload.isNull(i)
    sum += Number(payload.alias(i)) + (payload.timestampOf(i) ?? 0) + (payload.valueAs(i, 'double') as number)
    if (!isGood) throw new Error('A value that was written good is not')
  }
  return sum
}

const TABLE = tableOf()
const COLUMNS = new DataColumns()

function tableOf(): AliasTable {
  const table = new AliasTable()
  for (let i = 0; i < METRICS; i++) table.set(FIRST_TAG + i, i, 'double')
  table.firstOffsetAlias = FIRST_ALIAS
  table.lastOffsetAlias = LAST_ALIAS
  return table
}

function throughColumns(bytes: Uint8Array): number {
  if (!readData(bytes, TABLE, COLUMNS) || COLUMNS.count !== METRICS) throw new Error('A plain payload was not read')
  return COLUMNS.ts[METRICS - 1] as number
}

/** Rounds of each way in turn, so that a busy neighbour touches all alike; the median of the rounds counts. */
function measure(cases: Readonly<Record<string, (i: number) => number>>, seconds: number): BenchResult {
  const rounds: Record<string, number[]> = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    for (const [name, run] of Object.entries(cases)) rounds[name]?.push(nanosAMetric(run))
  }
  return Object.fromEntries(
    Object.entries(rounds).map(([name, nanos]) => [name, Math.round(percentile(nanos, 0.5) * 10) / 10]),
  )
}

const REPEATS = 30

function nanosAMetric(run: (i: number) => number): number {
  let sum = 0
  const before = process.cpuUsage()
  for (let repeat = 0; repeat < REPEATS; repeat++) for (let i = 0; i < PAYLOADS; i++) sum += run(i)
  const { user, system } = process.cpuUsage(before)
  if (Number.isNaN(sum)) throw new Error('A value was not read')
  return ((user + system) * 1000) / (REPEATS * PAYLOADS * METRICS)
}
