import { type ExportQuery, HistoryTimeoutError } from '#cloud/pipeline/index.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import type { ExportQuestion, HistoryExport } from '#shared/contracts/history.ts'

/** Whose export it is: only that account sees it. */
export interface ExportOwner {
  readonly org: string
  readonly id: string | null
}

/** One export with what is told of it. */
export interface ExportState {
  readonly owner: ExportOwner
  readonly query: ExportQuery
  told: HistoryExport
  /** Its file is being fetched, or was. */
  isFetched: boolean
  isCancelled: boolean
}

/** An export that nobody has fetched yet. */
export function newExport(id: string, owner: ExportOwner, question: ExportQuestion, createdAt: string): ExportState {
  const tags = [...new Set(question.tags)]
  const { from, to, format } = question
  const told: HistoryExport = {
    ...{ id, tags, from, to, format, createdAt, endedAt: null, cause: null },
    ...{ fileName: fileNameOf(tags, question), state: 'waiting', rows: 0, estimatedRows: null, bytes: 0 },
  }
  const query = { paths: tags, from: Date.parse(from), to: Date.parse(to), format }
  return { owner: { org: owner.org, id: owner.id }, query, told, isFetched: false, isCancelled: false }
}

/** Ends an export that has not ended. */
export function endExport(one: ExportState, state: HistoryExport['state'], endedAt: string, error?: unknown): void {
  if (!['waiting', 'running'].includes(one.told.state)) return
  one.told = { ...one.told, state, endedAt, cause: error === undefined ? null : causeOf(error) }
}

/** In ASCII, so that every browser and file system takes it as it is. */
function fileNameOf(tags: readonly string[], { from, to, format }: ExportQuestion): string {
  const [first = ''] = tags
  const name = tags.length === 1 ? first.split('/').slice(-2).join('-') : `${tags.length}-tags`
  const plain = name.replaceAll(/[^A-Za-z0-9._-]+/g, '_')
  const stamp = (time: string) => new Date(time).toISOString().slice(0, 16).replaceAll(/[:-]/g, '')
  return `andon-${plain}-${stamp(from)}-${stamp(to)}.${format}`
}

function causeOf(error: unknown): NonNullable<HistoryExport['cause']> {
  if (error instanceof DomainError) return { code: error.code, detail: error.message }
  if (error instanceof HistoryTimeoutError) {
    return { code: 'history.timeout', detail: 'History took too long to answer; export a shorter span' }
  }
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC' || /no space|temp_directory/i.test(String(error))) {
    return { code: 'export.no-space', detail: 'The server has no space to make the file; export CSV or a shorter span' }
  }
  return { code: 'export.failed', detail: 'The file could not be made; the log of the server says why' }
}
