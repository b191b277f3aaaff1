import type { ConfigurationDifference } from '#shared/contracts/edge-configuration.ts'

type Line = ConfigurationDifference['lines'][number]

/** A line to show, or so many equal ones that are not; `at` is the place of the first in the whole. */
export type Piece = (Line & { readonly at: number }) | { readonly skipped: number; readonly at: number }

/** Equal lines that stay around a change. */
const AROUND = 3

/** The changed lines of a difference with some around them; longer equal stretches become a count. */
export function piecesOf(lines: readonly Line[]): readonly Piece[] {
  const near = new Set(
    lines.flatMap(({ kind }, i) =>
      kind === 'same' ? [] : Array.from({ length: 2 * AROUND + 1 }, (_, k) => i - AROUND + k),
    ),
  )
  const pieces: Piece[] = []
  lines.forEach((line, at) => {
    const last = pieces.at(-1)
    if (near.has(at)) pieces.push({ ...line, at })
    else if (last && 'skipped' in last) pieces[pieces.length - 1] = { ...last, skipped: last.skipped + 1 }
    else pieces.push({ skipped: 1, at })
  })
  return pieces
}
