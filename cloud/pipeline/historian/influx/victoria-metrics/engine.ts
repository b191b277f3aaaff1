import type { HistoryEngine } from '../../history-engine.ts'
import type { Connection } from '../connection.ts'
import { type Engine, EngineRefusal } from '../engine.ts'
import { readBuckets } from './buckets.ts'
import { readFlags, refuseLossyFlags, retentionMs } from './checks.ts'
import { type DurableWriter, durableWriter, startOf } from './durable.ts'
import { readLast, readRaw } from './values.ts'

/** It stores a sample up to two days ahead; an hour less, since its clock need not be ours. */
const MOST_AHEAD_MS = 47 * 3_600_000

/**
 * Opens a VictoriaMetrics.
 * @throws EngineRefusal when it runs with options under which values would be lost, doubled or changed, or cannot be made to flush.
 */
export async function openVictoriaMetrics(connection: Connection, now: () => number): Promise<Engine> {
  const { address } = connection
  const { status, text } = await connection.look('/metrics')
  const flags = readFlags(text)
  if (status !== 200 || !flags.has('dedup.minScrapeInterval')) {
    throw new EngineRefusal(
      `VictoriaMetrics at ${address} does not tell its options on /metrics (status ${status}), so that nobody knows whether it would lose values; let this address read that page`,
    )
  }
  refuseLossyFlags(flags, address)
  const writer = durableWriter(connection, now, startOf(text))
  // Shows before the first value that it can be made to write to disk.
  await writer.flush()
  return engineOf({ connection, now, facts: factsOf(flags, text), writer })
}

function factsOf(
  flags: ReturnType<typeof readFlags>,
  metrics: string,
): HistoryEngine & { readonly retentionMs: number } {
  const [, version = ''] = /^vm_app_version\{[^}]*short_version="([^"]*)"/m.exec(metrics) ?? []
  return {
    name: 'victoria-metrics',
    version: version || 'unknown',
    isTested: true,
    keepsText: false,
    keepsWide: false,
    significantDigits: 12,
    retentionMs: retentionMs(flags.get('retentionPeriod') ?? '1'),
  }
}

interface Parts {
  readonly connection: Connection
  readonly now: () => number
  readonly facts: HistoryEngine & { readonly retentionMs: number }
  readonly writer: DurableWriter
}

function engineOf({ connection, now, facts, writer }: Parts): Engine {
  const sources = { connection, now, retentionMs: facts.retentionMs }
  return {
    facts,
    mostAheadMs: MOST_AHEAD_MS,
    write: (pieces) => writer.write(pieces),
    settle: () => writer.settle(),
    buckets: (request, tags) => readBuckets({ connection, now }, request, tags),
    raw: (request, tags) => readRaw(sources, request, tags),
    last: (tags, before) => readLast(sources, tags, before),
  }
}
