interface Rows {
  readonly before: readonly number[]
  readonly last: readonly number[]
}

/** Edit distance between two words: insertions, deletions, substitutions and swaps of neighbours cost 1 each (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let rows: Rows = { before: [], last: Array.from({ length: b.length + 1 }, (_, j) => j) }
  for (let i = 1; i <= a.length; i++) rows = { before: rows.last, last: nextRow(a, b, i, rows) }
  return rows.last[b.length] ?? 0
}

function nextRow(a: string, b: string, i: number, { before, last }: Rows): number[] {
  const row = [i]
  const at = (cells: readonly number[], j: number) => cells[j] ?? Number.POSITIVE_INFINITY
  for (let j = 1; j <= b.length; j++) {
    const same = a[i - 1] === b[j - 1] ? 0 : 1
    const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
    const swapped = isSwap ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY
    row.push(Math.min(at(row, j - 1) + 1, at(last, j) + 1, at(last, j - 1) + same, swapped))
  }
  return row
}

/** The known word that a person most likely meant; undefined when none is near (more than a third of its letters differ). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const ranked = known
    .map((k) => ({ k, distance: editDistance(lower, k.toLowerCase()) }))
    .filter(({ k, distance }) => distance <= Math.max(1, Math.floor(Math.max(k.length, word.length) / 3)))
    .sort((x, y) => x.distance - y.distance || x.k.localeCompare(y.k))
  return ranked[0]?.k
}
