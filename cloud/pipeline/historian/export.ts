import type { HistoryReader, RawPage } from '../contract.ts'
import { csvRows, csvTitle } from './export-csv.ts'
import { parquetFile } from './export-parquet.ts'

export interface ExportQuery {
  readonly paths: readonly string[]
  /** ms since 1970; `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
  readonly format: 'csv' | 'parquet'
}

/**
 * A piece of the file, in order, with how far the export has come. A Parquet file comes at the end: between its first four
 * bytes and the rest pieces are empty.
 */
export interface ExportPiece {
  readonly bytes: Uint8Array
  readonly rows: number
  /** Counted before the first piece; values that come meanwhile are exported too. */
  readonly estimatedRows: number
}

/** Values of one tag in order of time. */
export interface ExportPage extends RawPage {
  readonly path: string
}

/** Read at once, and written at once: a piece holds its thread for some 2 ms. */
const PAGE_ROWS = 20_000
const PIECE_ROWS = 5_000

/**
 * Exports values tag by tag, each in order of time, holding one page of them; whoever stops reading stops the
 * export, which goes no faster than it is read.
 * `tempDir` holds the Parquet file while it is made.
 */
export async function* exportRows(
  history: Pick<HistoryReader, 'raw' | 'buckets'>,
  query: ExportQuery,
  tempDir: string,
): AsyncGenerator<ExportPiece> {
  const estimatedRows = await countRows(history, query)
  if (query.format === 'parquet') {
    yield* parquetFile(pagesOf(history, query), { tempDir, paths: query.paths, estimatedRows })
    return
  }
  let rows = 0
  yield { bytes: csvTitle(), rows, estimatedRows }
  for await (const page of pagesOf(history, query)) {
    rows += page.at.length
    yield { bytes: csvRows(page), rows, estimatedRows }
  }
}

/** From the roll-ups, so that it costs little. */
async function countRows(history: Pick<HistoryReader, 'buckets'>, query: ExportQuery): Promise<number> {
  let rows = 0
  for (const path of query.paths) {
    const { from, to } = query
    const series = await history.buckets({ paths: [path], from, to, points: 1000 })
    rows += series.reduce((sum, { count }) => sum + count.reduce((all, own) => all + own, 0), 0)
  }
  return rows
}

async function* pagesOf(
  history: Pick<HistoryReader, 'raw'>,
  { paths, from, to }: ExportQuery,
): AsyncGenerator<ExportPage> {
  for (const path of paths) {
    let cursor: string | null = null
    do {
      const page: RawPage = await history.raw({ path, from, to, limit: PAGE_ROWS, ...(cursor ? { cursor } : {}) })
      for (let row = 0; row < page.at.length; row += PIECE_ROWS) yield sliceOf({ ...page, path }, row)
      cursor = page.nextCursor
    } while (cursor !== null)
  }
}

function sliceOf({ at, value, quality, ...page }: ExportPage, row: number): ExportPage {
  const end = row + PIECE_ROWS
  return { ...page, at: at.subarray(row, end), value: value.slice(row, end), quality: quality.subarray(row, end) }
}
