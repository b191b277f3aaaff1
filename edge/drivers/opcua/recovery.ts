import { type Columns, isRefusal } from './columns.ts'
import type { WantedRange } from './messages.ts'

/** What is to be read back after an interruption. */
export interface Recovery {
  /** Between these times changes may be missing, ms since 1970. */
  readonly from: number
  readonly to: number
  /** The stretches of each tag, in the server's own time, bounds excluded. */
  readonly ranges: readonly WantedRange[]
}

/** Remembers per tag what was received last, so that after an interruption it is known what may be missing. */
export interface Continuity {
  /** Looks at live samples in the order in which they come. */
  see(columns: Columns): void
  /** Reports stopped: changes since `from` may be missing. Of several interruptions in a row the first counts. */
  interrupt(from: number): void
  /** The first report after an interruption is in; undefined when there was none or nothing can be missing. */
  resume(now: number): Recovery | undefined
}

/** `tags`: how many there are. */
export function createContinuity(tags: number): Continuity {
  const lastAt = new Float64Array(tags).fill(Number.NaN)
  /** Of the time before an interruption; undefined while there is none. */
  let before: Float64Array | undefined
  let interruptedAt = 0
  return {
    see: (columns) => remember(lastAt, columns),
    interrupt(from) {
      if (before) return
      before = lastAt.slice()
      interruptedAt = from
    },
    resume(now) {
      if (!before) return undefined
      const ranges = missing(before, lastAt)
      before = undefined
      return ranges.length === 0 ? undefined : { from: interruptedAt, to: now, ranges }
    },
  }
}

function remember(lastAt: Float64Array, columns: Columns): void {
  const { tags, sourceAt } = columns
  for (let row = 0; row < tags.length; row++) {
    const tag = tags[row] as number
    const at = isRefusal(columns, row) ? Number.NaN : (sourceAt[row] as number)
    // A standing value found again after an interruption may be older than what came before it.
    if (!(at < (lastAt[tag] as number))) lastAt[tag] = at
  }
}

/** A tag whose newest value is still the one before has missed nothing. */
function missing(before: Float64Array, after: Float64Array): WantedRange[] {
  const ranges: WantedRange[] = []
  for (let index = 0; index < before.length; index++) {
    const [from, to] = [before[index] ?? Number.NaN, after[index] ?? Number.NaN]
    if (to > from) ranges.push({ index, from, to })
  }
  return ranges
}
