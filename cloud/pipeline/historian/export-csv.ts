import type { Scalar } from '#shared/contracts/sample.ts'
import type { ExportPage } from './export.ts'

const utf8 = new TextEncoder()

/** RFC 4180: a title line, lines end in CR LF. */
export const csvTitle = (): Uint8Array => utf8.encode('path,time,value,quality\r\n')

/** Lines of a page: times RFC 3339 in UTC; a value that could not be read is empty. */
export function csvRows({ path, at, value, quality }: ExportPage): Uint8Array {
  const head = `${quoted(path)},`
  const timeOf = timeTexts()
  let lines = ''
  for (let row = 0; row < at.length; row++) {
    lines += `${head}${timeOf(at[row] as number)},${written(value[row] ?? null)},${quality[row]}\r\n`
  }
  return utf8.encode(lines)
}

const MINUTE_MS = 60_000
const digits = (width: number, count: number) =>
  Array.from({ length: count }, (_, number) => String(number).padStart(width, '0'))
const SECONDS = digits(2, 60)
const MILLIS = digits(3, 1000)

/** Times in order share their minute, which is most of the text. */
function timeTexts(): (at: number) => string {
  let [minute, text] = [Number.NaN, '']
  return (at) => {
    const own = Math.floor(at / MINUTE_MS)
    if (own !== minute) {
      minute = own
      text = new Date(own * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length)
    }
    const rest = Math.trunc(at - own * MINUTE_MS)
    return `${text}${SECONDS[Math.trunc(rest / 1000)]}.${MILLIS[rest % 1000]}Z`
  }
}

const written = (value: Scalar): string =>
  typeof value === 'string' ? quoted(value) : value === null ? '' : String(value)

/** A spreadsheet takes a text that begins like a formula for one; a quote before it keeps it a text. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
