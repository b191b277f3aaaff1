import type { Breathe, MemoryPart, ReadPart, ReadSet } from './read-blocks.ts'
import { walk } from './read-blocks.ts'
import type { IndexCache } from './reader.ts'
import { LAST, LAST_IN, LAST_NUMBER_IN, QUALITY } from './roll-up.ts'
import { type BlockKind, type Columns, HOUR_MS, MINUTE_MS, Q, TAG, TS, V } from './schema.ts'

/** The newest number of a tag; `v` is NaN when it could not be read. `at` in ms since 1970. */
export interface LastNumber {
  readonly tag: number
  readonly at: number
  readonly v: number
  readonly q: number
}

/** Files that were made of the same values, coarsest first: what a roll-up cannot tell stands in the next. */
export interface LastBlock {
  readonly lastAt: number
  readonly files: readonly ReadPart[]
}

export interface LastOrder {
  readonly tags: readonly number[]
  /** Only values earlier than this count. */
  readonly before: number
  readonly memory: readonly MemoryPart[]
  /** Newest values first. */
  readonly blocks: readonly LastBlock[]
}

const GOOD = 192

/** The newest number of each tag that has one, by source time. */
export async function readLast(order: LastOrder, cache: IndexCache, breathe: Breathe): Promise<LastNumber[]> {
  const found = new Map<number, LastNumber>()
  const note = (value: LastNumber) => {
    const known = found.get(value.tag)
    if (!known || known.at <= value.at) found.set(value.tag, value)
  }
  const means = { cache, breathe, note }
  await walkLast({ ...order, isFinest: true, set: { files: [], memory: order.memory } }, means)
  for (const { lastAt, files } of order.blocks) {
    const newest = Math.min(lastAt, order.before)
    let open = order.tags.filter((tag) => (found.get(tag)?.at ?? Number.NEGATIVE_INFINITY) < newest)
    for (const file of files) {
      if (open.length === 0) break
      const search = { tags: open, before: order.before, isFinest: file === files.at(-1) }
      open = await walkLast({ ...search, set: { files: [file], memory: [] } }, means)
    }
  }
  return [...found.values()]
}

interface Search {
  readonly tags: readonly number[]
  readonly before: number
  /** Nothing tells more than this file: what it does not tell for certain is told as well as it can. */
  readonly isFinest: boolean
  readonly set: ReadSet
}

interface Means {
  readonly cache: IndexCache
  readonly breathe: Breathe
  readonly note: (value: LastNumber) => void
}

/** Notes what is certain, and returns the tags that a finer file must tell. */
async function walkLast(search: Search, { cache, breathe, note }: Means): Promise<number[]> {
  const unclear = new Set<number>()
  await walk(search, {
    cache,
    breathe,
    take(columns, from, to, kind) {
      if (kind === 'n') noteValues(columns, from, to, note)
      else if (!noteRollUp({ columns, from, to, kind }, search, note)) unclear.add(columns[TAG]?.[from] as number)
    },
  })
  return [...unclear].sort((a, b) => a - b)
}

function noteValues(columns: Columns, from: number, to: number, note: Means['note']): void {
  for (let i = from; i < to; i++) {
    const [tag, at, v, q] = [TAG, TS, V, Q].map((column) => columns[column]?.[i] as number)
    note({ tag: tag ?? 0, at: at ?? 0, v: v ?? Number.NaN, q: q ?? 0 })
  }
}

interface Rows {
  readonly columns: Columns
  readonly from: number
  readonly to: number
  readonly kind: BlockKind
}

/** False when the newest row does not tell the newest value or its quality: it may be mixed, or reach beyond the wanted time. */
function noteRollUp({ columns, from, to, kind }: Rows, { before, isFinest }: Search, note: Means['note']): boolean {
  const field = (index: number, row: number) => columns[index]?.[row] as number
  const isWhole = (row: number) => field(TS, row) + (kind === 'm' ? MINUTE_MS : HOUR_MS) <= before
  const isCertain = (row: number) =>
    isWhole(row) && field(QUALITY, row) === GOOD && field(LAST_IN, row) === field(LAST_NUMBER_IN, row)
  const row = isFinest && !isWhole(to - 1) ? to - 2 : to - 1
  if (row < from || !(isFinest || isCertain(row))) return false
  const at = field(TS, row) + field(LAST_NUMBER_IN, row)
  note({ tag: field(TAG, row), at, v: field(LAST, row), q: field(QUALITY, row) })
  return true
}
