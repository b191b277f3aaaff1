import type { HistoryEngine } from '../../history-engine.ts'
import type { Connection } from '../connection.ts'
import { type Engine, EngineRefusal } from '../engine.ts'
import { readBuckets } from './buckets.ts'
import { readFlags, refuseLossyFlags, retentionMs } from './checks.ts'
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
  const engine = engineOf(connection, now, factsOf(flags, text))
  await engine.persist()
  return engine
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

function engineOf(
  connection: Connection,
  now: () => number,
  facts: HistoryEngine & { readonly retentionMs: number },
): Engine {
  const sources = { connection, now, retentionMs: facts.retentionMs }
  return {
    facts,
    writePath: '/api/v2/write?precision=ms',
    mostAheadMs: MOST_AHEAD_MS,
    persist: () => persist(connection),
    buckets: (request, tags) => readBuckets({ connection, now }, request, tags),
    raw: (request, tags) => readRaw(sources, request, tags),
    last: (tags, before) => readLast(sources, tags, before),
  }
}

/**
 * VictoriaMetrics confirms what it holds in memory only and writes it seconds later. Taking a snapshot writes values and
 * index to disk first; the snapshot itself, hard links, is removed again.
 */
async function persist(connection: Connection): Promise<void> {
  const made = await snapshotCall(connection, '/snapshot/create')
  if (!made.snapshot) throw notFlushed(connection, made)
  await snapshotCall(connection, `/snapshot/delete?snapshot=${encodeURIComponent(made.snapshot)}`)
}

interface SnapshotAnswer {
  readonly status?: string
  readonly snapshot?: string
  readonly msg?: string
}

async function snapshotCall(connection: Connection, path: string): Promise<SnapshotAnswer> {
  const answer = JSON.parse((await connection.ask(path)).toString()) as SnapshotAnswer
  if (answer.status !== 'ok') throw notFlushed(connection, answer)
  return answer
}

const notFlushed = ({ address }: Connection, { msg }: SnapshotAnswer) =>
  new EngineRefusal(
    `VictoriaMetrics at ${address} does not take a snapshot (${msg ?? 'no reason given'}), the only way to know that values outlive its crash; let this address call /snapshot/create and /snapshot/delete`,
  )
