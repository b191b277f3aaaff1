import type { Scalar } from '#shared/contracts/sample.ts'
import type { ExportPage } from './export.ts'

const utf8 = new TextEncoder()

/** RFC 4180: a title line, lines end in CR LF. */
export const csvTitle = (): Uint8Array => utf8.encode('path,time,value,quality\r\n')

/** Lines of a page: times RFC 3339 in UTC; a value that could not be read is empty. */
export function csvRows({ path, at, value, quality }: ExportPage): Uint8Array {
  const name = quoted(path)
  const lines = Array.from(at, (time, row) => {
    return `${name},${new Date(time).toISOString()},${written(value[row] ?? null)},${quality[row]}\r\n`
  })
  return utf8.encode(lines.join(''))
}

const written = (value: Scalar): string =>
  typeof value === 'string' ? quoted(value) : value === null ? '' : String(value)

/** A spreadsheet takes a text that begins like a formula for one; a quote before it keeps it a text. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
