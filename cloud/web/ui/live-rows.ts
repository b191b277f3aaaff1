/** A row of a live list as it is shown: `leaving` rows stay for a while, struck through. */
export interface ShownRow<T> {
  readonly row: T
  readonly leaving: boolean
}

export interface LiveRows<T> {
  readonly shown: readonly ShownRow<T>[]
  /** Rows that wait until the reader lets them in. */
  readonly waiting: number
}

interface Kept<T> {
  readonly row: T
  readonly leftAt?: number
}

/** How long a row that left stays in its place, in ms. */
export const LEAVING_MS = 5000

/**
 * Keeps the reader's place: rows change where they stand, new ones wait while `isHeld`, and one that left stays 5 s.
 * While nothing is held, the server's order is taken.
 */
export function liveRows<T>(keyOf: (row: T) => string) {
  let kept: readonly Kept<T>[] = []
  const place = (fresh: ReadonlyMap<string, T>, now: number, isHeld: boolean): readonly Kept<T>[] => {
    const known = new Set(kept.map((k) => keyOf(k.row)))
    const staying = kept.flatMap((k): Kept<T>[] => {
      const row = fresh.get(keyOf(k.row))
      if (row) return [{ row }]
      const leftAt = k.leftAt ?? now
      return now - leftAt < LEAVING_MS ? [{ row: k.row, leftAt }] : []
    })
    if (isHeld) return staying
    const leaving = staying.filter((k) => k.leftAt !== undefined)
    const added = [...fresh.values()].map((row): Kept<T> => ({ row }))
    if (leaving.length === 0 || known.size === 0) return added
    return withLeaving(added, leaving)
  }
  /** Puts the leaving rows back where they stood among the others. */
  const withLeaving = (rows: readonly Kept<T>[], leaving: readonly Kept<T>[]): readonly Kept<T>[] => {
    const result = [...rows]
    for (const gone of leaving) {
      const index = kept.findIndex((k) => keyOf(k.row) === keyOf(gone.row))
      result.splice(Math.min(index, result.length), 0, gone)
    }
    return result
  }
  return {
    take(rows: readonly T[], now: number, isHeld: boolean): LiveRows<T> {
      const fresh = new Map(rows.map((row) => [keyOf(row), row]))
      kept = place(fresh, now, isHeld)
      const shownKeys = new Set(kept.map((k) => keyOf(k.row)))
      return {
        shown: kept.map((k) => ({ row: k.row, leaving: k.leftAt !== undefined })),
        waiting: rows.filter((row) => !shownKeys.has(keyOf(row))).length,
      }
    },
    forget() {
      kept = []
    },
  }
}
