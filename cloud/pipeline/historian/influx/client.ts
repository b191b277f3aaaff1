import type { Database } from '#cloud/platform/database/database.ts'
import type { Log } from '#shared/log/log.ts'
import { type Historian, HistoryCommitError } from '../historian.ts'
import { connectionTo } from './connection.ts'
import { detectEngine } from './detect.ts'
import type { Engine } from './engine.ts'
import { type TagLabels, tagSet } from './labels.ts'
import { type CheckLease, type Ledger, openLedger } from './ledger.ts'
import { linesOf, prefixes, type Refusal } from './lines.ts'
import { type Refusals, refusals } from './refusals.ts'

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
  readonly checkLease?: CheckLease
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  /** A query is stopped after this time; 30 s unless told. */
  readonly queryLimitMs?: number
}

const QUERY_LIMIT_MS = 30_000

/**
 * Opens history in InfluxDB or VictoriaMetrics.
 * @throws EngineRefusal when nothing answers, or what answers would lose, double or change values as it is set up.
 */
export async function openInfluxHistorian(options: InfluxHistorianOptions): Promise<Historian> {
  const { url, token, org = '', bucket = 'andon', clock: now, queryLimitMs = QUERY_LIMIT_MS } = options
  const log = options.log.child({ part: 'external history' })
  const connection = connectionTo({ url, token, log, queryLimitMs })
  try {
    const engine = await detectEngine({ connection, org, bucket, now })
    log.info({ address: connection.address, ...engine.facts }, 'History is kept in an external engine')
    warnOfLimits(engine, log)
    const ledger = openLedger(options.db, options.checkLease)
    const refused = refusals({ engine: engine.facts, clock: now, log })
    return historianOf({ options, engine, ledger, refused, connection })
  } catch (error) {
    connection.close()
    throw error
  }
}

function warnOfLimits({ facts }: Engine, log: Log): void {
  const { name, version, retentionMs } = facts
  if (!facts.isTested) log.warn({ name, version }, 'Andon is not tested with this engine')
  if (retentionMs !== null && retentionMs < YEAR_MS) {
    log.warn({ days: retentionMs / DAY_MS }, 'The engine keeps history for less than a year; raise its retention')
  }
}

const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
/** Values that are about to leave are not written any more: between our look and the engine's lies a little time. */
const RETENTION_MARGIN_MS = 60_000

interface Parts {
  readonly options: InfluxHistorianOptions
  readonly engine: Engine
  readonly ledger: Ledger
  readonly refused: Refusals
  readonly connection: ReturnType<typeof connectionTo>
}

function historianOf(parts: Parts): Historian {
  const { engine, ledger, refused, connection, options } = parts
  const commit = committer(parts)
  const labelled = (tags: readonly number[]) => tagSet(tags, options.labelsOf)
  return {
    commit,
    marks: () => ledger.marks(),
    gaps: () => ledger.gaps(),
    buckets: (request) => engine.buckets(request, labelled(request.tags)),
    raw: (request) => engine.raw(request, labelled([request.tag])),
    last: (tags, before = Number.MAX_SAFE_INTEGER) => engine.last(labelled(tags), before),
    classify: () => Promise.resolve(),
    deletions: () => ledger.deletions(),
    status: () => Promise.resolve({ hotRows: 0, fileRows: 0, files: 0, engine: engine.facts }),
    faults: () => refused.faults(),
    async close() {
      connection.close()
    },
  }
}

/** Values first, then the proof that they outlive a crash, then ranges and gaps: whatever stops between is written again. */
function committer({ options, engine, ledger, refused, connection }: Parts): Historian['commit'] {
  const names = prefixes(options.labelsOf)
  return async (batch) => {
    try {
      const at = options.clock()
      const lines = linesOf(batch, names, rulesOf(engine, at))
      let pieces = 0
      await connection.write(
        engine.writePath,
        counted(lines.pieces, () => void pieces++),
      )
      if (pieces > 0) await engine.persist()
      const refusedHere: readonly Refusal[] = [...lines.refusals.values()]
      await ledger.record({ batch, refusals: refusedHere, at })
      refused.note(refusedHere)
    } catch (error) {
      throw new HistoryCommitError(`The commit failed: ${(error as Error).message}`, { cause: error })
    }
  }
}

const rulesOf = ({ facts, mostAheadMs }: Engine, at: number) => ({
  keepsText: facts.keepsText,
  oldest: facts.retentionMs === null ? Number.NEGATIVE_INFINITY : at - facts.retentionMs + RETENTION_MARGIN_MS,
  newest: at + mostAheadMs,
})

function* counted<T>(all: Iterable<T>, count: () => void): Generator<T> {
  for (const one of all) {
    count()
    yield one
  }
}
