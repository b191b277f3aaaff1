import type { Database } from '#cloud/platform/database/database.ts'
import type { Log } from '#shared/log/log.ts'
import type { HistoryBatch } from '../batch.ts'
import { type Historian, HistoryCommitError } from '../historian.ts'
import type { HistoryEngine } from '../history-engine.ts'
import { labelled, type TagLabels } from './labels.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { type Refusals, refusals } from './refusals.ts'
import { type EngineThread, startThread } from './thread.ts'

export interface InfluxHistorianOptions {
  /** Of InfluxDB or VictoriaMetrics, with user and password in it for basic authentication. */
  readonly url: string
  readonly token?: string | undefined
  readonly org?: string | undefined
  /** `andon` unless told. For InfluxDB 1 a database, or database/retention policy; VictoriaMetrics has none. */
  readonly bucket?: string | undefined
  /** Ranges and gaps are kept here. */
  readonly db: Pick<Database, 'asSystem'>
  /** Labels of a tag by history's key; a key keeps its labels for ever. */
  readonly labelsOf: (key: number) => TagLabels | undefined
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  /** A query is stopped after this time; 30 s unless told. */
  readonly queryLimitMs?: number
}

const QUERY_LIMIT_MS = 30_000

/**
 * Opens history in InfluxDB or VictoriaMetrics: a thread that writes, and one that reads.
 * @throws EngineRefusal when nothing answers, or what answers would lose, double or change values as it is set up.
 */
export async function openInfluxHistorian(options: InfluxHistorianOptions): Promise<Historian> {
  const { url, token, org = '', bucket = 'andon', clock, queryLimitMs = QUERY_LIMIT_MS } = options
  const log = options.log.child({ part: 'external history' })
  const settings = { url, token, org, bucket, queryLimitMs }
  const writer = await startThread({ name: 'history-writer', settings, clock })
  const reader = await startThread({ name: 'history-reader', settings, clock }).catch(async (error: Error) => {
    await writer.close()
    throw error
  })
  const { facts } = writer
  log.info({ host: new URL(url).host, ...facts }, 'History is kept in an external engine')
  warnOfLimits(facts, log)
  const ledger = openLedger(options.db)
  return historianOf({ options, facts, writer, reader, ledger, refused: refusals({ engine: facts, clock, log }) })
}

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS

function warnOfLimits({ name, version, isTested, retentionMs }: HistoryEngine, log: Log): void {
  if (!isTested) log.warn({ name, version }, 'Andon is not tested with this engine')
  if (retentionMs !== null && retentionMs < YEAR_MS) {
    log.warn({ days: retentionMs / DAY_MS }, 'The engine keeps history for less than a year; raise its retention')
  }
}

interface Parts {
  readonly options: InfluxHistorianOptions
  readonly facts: HistoryEngine
  readonly writer: EngineThread
  readonly reader: EngineThread
  readonly ledger: Ledger
  readonly refused: Refusals
}

function historianOf(parts: Parts): Historian {
  const { facts, writer, reader, ledger, refused, options } = parts
  const tags = (keys: readonly number[]) => labelled(keys, options.labelsOf)
  return {
    commit: committer(parts),
    marks: () => ledger.marks(),
    gaps: () => ledger.gaps(),
    buckets: (request) => reader.call('buckets', { request, tags: tags(request.tags) }),
    raw: (request) => reader.call('raw', { request, tags: tags([request.tag]) }),
    last: (keys, before = Number.MAX_SAFE_INTEGER) => reader.call('last', { tags: tags(keys), before }),
    classify: () => Promise.resolve(),
    deletions: () => ledger.deletions(),
    status: () => Promise.resolve({ hotRows: 0, fileRows: 0, files: 0, engine: facts }),
    faults: () => refused.faults(),
    async close() {
      // A server that is away keeps nobody from closing; what it confirmed it had written to disk.
      await writer.call('settle', undefined).catch(() => undefined)
      await Promise.all([writer.close(), reader.close()])
    },
  }
}

/** Values first, then the proof that they outlive a crash, then ranges and gaps: whatever stops between is written again. */
function committer({ options, writer, ledger, refused }: Parts): Historian['commit'] {
  const names = nameTeller(options.labelsOf)
  return async (batch) => {
    try {
      const at = options.clock()
      const { numbers, wide } = batch
      const buffers = [numbers.tag, numbers.ts, numbers.v, numbers.q].map((column) => column.buffer as ArrayBuffer)
      const isEmpty = numbers.count + wide.length === 0
      const order = { values: { numbers, wide }, names: names.newIn(batch) }
      const refusedHere = isEmpty ? [] : await writer.call('write', order, buffers)
      await ledger.record({ batch, refusals: refusedHere, at })
      refused.note(refusedHere)
    } catch (error) {
      names.forget()
      throw new HistoryCommitError(`The commit failed: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** Finds the tags that the thread was not told of yet; after a failure it may be another thread. */
function nameTeller(labelsOf: (key: number) => TagLabels | undefined) {
  let told: boolean[] = []
  return {
    forget: () => {
      told = []
    },
    newIn({ numbers, wide }: HistoryBatch): [number, TagLabels][] {
      const names: [number, TagLabels][] = []
      const tell = (key: number) => {
        if (told[key]) return
        const labels = labelsOf(key)
        if (!labels) throw new Error(`History was given values of tag ${key}, which has no name`)
        told[key] = true
        names.push([key, labels])
      }
      for (let i = 0; i < numbers.count; i++) tell(numbers.tag[i] as number)
      for (const row of wide) tell(row.tag)
      return names
    },
  }
}
