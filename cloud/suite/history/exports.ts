import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExportPiece, exportRows, type Pipeline } from '#cloud/pipeline/index.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import type { ExportQuestion, HistoryExport } from '#shared/contracts/history.ts'
import type { Log } from '#shared/log/log.ts'
import { type ExportOwner, type ExportState, endExport, newExport } from './export-state.ts'

/** The exports of this process: each is made while its file is fetched, so that none needs space or outlives its reader. */
export interface Exports {
  /** The same id again is the same export. @throws DomainError when too many run. */
  create(id: string, owner: ExportOwner, question: ExportQuestion): HistoryExport
  /** One's own, newest first. */
  list(owner: ExportOwner): HistoryExport[]
  one(owner: ExportOwner, id: string): HistoryExport
  /** The file's bytes; whoever stops reading cancels. @throws DomainError when it was fetched before or too many run. */
  file(owner: ExportOwner, id: string): AsyncGenerator<Uint8Array>
  cancel(owner: ExportOwner, id: string): HistoryExport
}

export interface ExportOptions {
  readonly pipeline: Pick<Pipeline, 'history'>
  /** Where a Parquet file may lie while it is made. */
  readonly tempDir: string
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
}

/** Running at once in an organisation, and kept on the list of one account. */
const MOST_RUNNING = 4
const MOST_KEPT = 20
/** One that nobody fetches is forgotten after this time; so is one that has ended. */
const KEPT_MS = 3_600_000

/** Starts without any. */
export function createExports({ pipeline, tempDir, clock, log }: ExportOptions): Exports {
  const all = new Map<string, ExportState>()
  const now = () => new Date(clock()).toISOString()
  const ownOf = (owner: ExportOwner) =>
    [...all.values()].filter((one) => one.owner.org === owner.org && one.owner.id === owner.id)
  const find = (owner: ExportOwner, id: string) => {
    const one = all.get(id)
    return found(one && ownOf(owner).includes(one) ? one : undefined, 'export', id)
  }
  return {
    create(id, owner, question) {
      forgetOld(all, clock())
      refuseMore(owner.org, [...all.values()])
      makeRoom(all, ownOf(owner))
      const one = all.get(id) ?? newExport(id, owner, question, now())
      all.set(id, one)
      return one.told
    },
    list: (owner) =>
      ownOf(owner)
        .map((one) => one.told)
        .reverse(),
    one: (owner, id) => find(owner, id).told,
    file(owner, id) {
      const one = find(owner, id)
      refuseFetch(one, [...all.values()])
      one.isFetched = true
      return follow(one, exportRows(pipeline.history, one.query, tempDir), { now, log })
    },
    cancel(owner, id) {
      const one = find(owner, id)
      if (one.told.state === 'waiting') endExport(one, 'cancelled', now())
      one.isCancelled = true
      return one.told
    },
  }
}

function refuseFetch(one: ExportState, all: readonly ExportState[]): void {
  if (one.isFetched || one.told.state !== 'waiting') {
    const words = 'This file was fetched before, or cancelled; make another export'
    throw new DomainError('conflict', 'export.fetched', words)
  }
  refuseMore(one.owner.org, all)
}

function refuseMore(org: string, all: readonly ExportState[]): void {
  const running = all.filter(({ owner, told }) => owner.org === org && told.state === 'running').length
  if (running >= MOST_RUNNING) {
    throw new DomainError('too-many', 'export.too-many', `${running} exports are running; wait until one has ended`)
  }
}

function forgetOld(all: Map<string, ExportState>, now: number): void {
  for (const [id, { told }] of all) {
    if (told.state !== 'running' && now - Date.parse(told.endedAt ?? told.createdAt) > KEPT_MS) all.delete(id)
  }
}

/** The oldest that do not run make room for a new one. */
function makeRoom(all: Map<string, ExportState>, own: readonly ExportState[]): void {
  if (own.length < MOST_KEPT) return
  const oldest = own.find((one) => one.told.state !== 'running')
  if (oldest) all.delete(oldest.told.id)
}

interface Following {
  readonly now: () => string
  readonly log: Log
}

/** Hands the pieces on and notes how far they are. */
async function* follow(
  one: ExportState,
  pieces: AsyncGenerator<ExportPiece>,
  { now, log }: Following,
): AsyncGenerator<Uint8Array> {
  one.told = { ...one.told, state: 'running' }
  let bytes = 0
  try {
    for await (const piece of pieces) {
      if (one.isCancelled) throw new DomainError('conflict', 'export.cancelled', 'The export was cancelled')
      bytes += piece.bytes.length
      one.told = { ...one.told, rows: piece.rows, estimatedRows: piece.estimatedRows, bytes }
      if (piece.bytes.length > 0) yield piece.bytes
      // Others of this thread come in between, also when the reader is quick.
      await nextTurn()
    }
    endExport(one, 'done', now())
  } catch (error) {
    if (!one.isCancelled) {
      endExport(one, 'failed', now(), error)
      log.warn({ err: error }, 'An export failed')
    }
    throw error
  } finally {
    // Cancelled, or the reader went away.
    endExport(one, 'cancelled', now())
  }
}
