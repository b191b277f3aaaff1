/** A file as rows of cells (RFC 4180); the separator is what the first row uses: comma, semicolon or tab. */
export function parseCsv(text: string): string[][] {
  const body = text.replace(/^\uFEFF/, '')
  const separator = separatorOf(body.split('\n', 1)[0] ?? '')
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^${separator}"\\r\\n]*))(${separator}|\\r?\\n|$)`, 'gy')
  const rows: string[][] = [[]]
  for (const match of body.matchAll(cell)) {
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match.index + match[0].length >= body.length && match[3] !== separator) break
    if (match[3] !== separator) rows.push([])
  }
  return rows.filter((row) => row.some((value) => value.trim() !== ''))
}

const separatorOf = (head: string) =>
  ([',', ';', '\t'] as const).toSorted((a, b) => head.split(b).length - head.split(a).length)[0] ?? ','

/** Rows as a file that Excel opens with every character: UTF-8 with a byte order mark. */
export const csvText = (rows: readonly (readonly string[])[]): string =>
  `\uFEFF${rows.map((row) => row.map(quoted).join(',')).join('\r\n')}\r\n`

const quoted = (value: string) => (/[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
