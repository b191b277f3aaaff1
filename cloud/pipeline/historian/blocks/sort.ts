import type { NumberColumns } from '../batch.ts'
import type { Columns } from './schema.ts'

/** Spread of tag numbers up to which one counter a tag is kept (16 MB). */
const MOST_COUNTERS = 4_194_304

interface Sorted {
  readonly tag: Int32Array
  readonly ts: Float64Array
  readonly v: Float64Array
  readonly q: Uint8Array
}

/** Sorts values; keeps its memory from one slot to the next. */
export class NumberSorter {
  #memory: Sorted = allocate(0)

  /** The values by tag and time, stably; valid until the next call. What comes in order of time per tag costs no comparison. */
  sort(values: NumberColumns): Columns {
    const { count } = values
    if (this.#memory.tag.length < count) this.#memory = allocate(count)
    const sorted = this.#memory
    const { tags, rankOf } = ranks(values.tag, count)
    const ends = scatter(values, sorted, { tags: tags.length, rankOf })
    const columns = [sorted.tag, sorted.ts, sorted.v, sorted.q].map((column) => column.subarray(0, count))
    for (let rank = 0, from = 0; rank < tags.length; rank++) {
      const to = ends[rank] as number
      if (to > from) {
        sorted.tag.fill(tags[rank] as number, from, to)
        sortRun(columns, from, to)
      }
      from = to
    }
    return columns
  }
}

const allocate = (rows: number): Sorted => ({
  tag: new Int32Array(rows),
  ts: new Float64Array(rows),
  v: new Float64Array(rows),
  q: new Uint8Array(rows),
})

interface Ranks {
  /** Tags, ascending; with few counters also some that no value has. */
  readonly tags: Int32Array
  /** Where a tag stands in them, by tag less the least, or by value when the tags are spread far. */
  readonly rankOf: Int32Array
}

/** Gives each value the rank of its tag. */
function ranks(tag: Int32Array, count: number): Ranks {
  const rankOf = new Int32Array(count)
  const [least, most] = bounds(tag, count)
  if (most - least < MOST_COUNTERS) {
    for (let i = 0; i < count; i++) rankOf[i] = (tag[i] as number) - least
    return { tags: Int32Array.from({ length: most - least + 1 }, (_, rank) => least + rank), rankOf }
  }
  const tags = Int32Array.from(new Set(tag.subarray(0, count))).sort()
  const known = new Map(Array.from(tags, (value, rank) => [value, rank]))
  for (let i = 0; i < count; i++) rankOf[i] = known.get(tag[i] as number) ?? 0
  return { tags, rankOf }
}

/** The least and greatest tag; the greatest is less when there is none. */
function bounds(tag: Int32Array, count: number): [number, number] {
  if (count === 0) return [0, -1]
  let [least, most] = [tag[0] as number, tag[0] as number]
  for (let i = 1; i < count; i++) {
    const value = tag[i] as number
    if (value < least) least = value
    if (value > most) most = value
  }
  return [least, most]
}

/** Puts each value behind those of its tag that came before; returns where each tag ends. */
function scatter(
  { count, ts, v, q }: NumberColumns,
  sorted: Sorted,
  { tags, rankOf }: { readonly tags: number; readonly rankOf: Int32Array },
): Uint32Array {
  const next = new Uint32Array(tags + 1)
  for (let i = 0; i < count; i++) next[(rankOf[i] as number) + 1] = (next[(rankOf[i] as number) + 1] as number) + 1
  for (let rank = 1; rank <= tags; rank++) next[rank] = (next[rank] as number) + (next[rank - 1] as number)
  for (let i = 0; i < count; i++) {
    const rank = rankOf[i] as number
    const at = next[rank] as number
    next[rank] = at + 1
    sorted.ts[at] = ts[i] as number
    sorted.v[at] = v[i] as number
    sorted.q[at] = q[i] as number
  }
  return next
}

/** The first row after `from` of another tag. */
export function endOfTag(tag: Int32Array, from: number, count: number): number {
  const own = tag[from]
  let to = from + 1
  while (to < count && tag[to] === own) to++
  return to
}

/** Puts rows `from` to `to` − 1, all of one tag, into order of time; equal times stay as they came. */
export function sortRun(columns: Columns, from: number, to: number): void {
  const ts = columns[1] as Float64Array
  let isSorted = true
  for (let i = from + 1; i < to && isSorted; i++) isSorted = (ts[i - 1] as number) <= (ts[i] as number)
  if (isSorted) return
  const order = Uint32Array.from({ length: to - from }, (_, index) => from + index).sort(
    (a, b) => (ts[a] as number) - (ts[b] as number) || a - b,
  )
  for (const column of columns) {
    const before = column.slice(from, to)
    for (let i = 0; i < order.length; i++) column[from + i] = before[(order[i] as number) - from] as number
  }
}
