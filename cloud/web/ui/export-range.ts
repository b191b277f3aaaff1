/** A moment as a field for local date and time holds it, to the second. */
export function localText(at: number): string {
  const offsetMs = new Date(at).getTimezoneOffset() * 60_000
  return new Date(Math.floor(at / 1000) * 1000 - offsetMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)
}

/** The range that two such fields name, `to` included to its second; undefined when they name none. */
export function rangeOf(from: string, to: string): { readonly from: string; readonly to: string } | undefined {
  const [start, end] = [Date.parse(from), Date.parse(to) + 1000]
  if (!(start < end)) return undefined
  return { from: new Date(start).toISOString(), to: new Date(end).toISOString() }
}

/** How much of an export is done, 0 to 1; null before that is known. More may come than was there when it began. */
export const shareOf = ({ rows, estimatedRows }: { rows: number; estimatedRows: number | null }): number | null =>
  estimatedRows === null ? null : estimatedRows === 0 ? 1 : Math.min(1, rows / estimatedRows)
