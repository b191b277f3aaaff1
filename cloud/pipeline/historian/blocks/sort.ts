import type { NumberColumns } from '../batch.ts'
import type { Columns } from './schema.ts'

const DIGIT = 65_536

/** Sorts values by tag and time, stably; values that come in order of time per tag cost no comparison. */
export function sortNumbers(values: NumberColumns): Columns {
  const { count, ts, v, q } = values
  const order = orderByTag(values.tag, count)
  const sorted = {
    tag: new Int32Array(count),
    ts: new Float64Array(count),
    v: new Float64Array(count),
    q: new Uint8Array(count),
  }
  for (let i = 0; i < count; i++) {
    const from = order[i] as number
    sorted.tag[i] = values.tag[from] as number
    sorted.ts[i] = ts[from] as number
    sorted.v[i] = v[from] as number
    sorted.q[i] = q[from] as number
  }
  const columns = [sorted.tag, sorted.ts, sorted.v, sorted.q] as const
  for (let from = 0; from < count; ) {
    const to = endOfTag(sorted.tag, from, count)
    sortRun(columns, from, to)
    from = to
  }
  return columns
}

/** The first row after `from` of another tag. */
export function endOfTag(tag: Int32Array, from: number, count: number): number {
  const own = tag[from]
  let to = from + 1
  while (to < count && tag[to] === own) to++
  return to
}

/** Positions in order of tag: a counting sort by 16 bits at a time, as many times as the tags need. */
function orderByTag(tag: Int32Array, count: number): Uint32Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < count; i++) {
    const value = tag[i] as number
    if (value < least) least = value
    if (value > most) most = value
  }
  let order = new Uint32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  for (let scale = 1; (most - least) / scale >= 1; scale *= DIGIT) order = pass(tag, order, { least, scale })
  return order
}

interface Digit {
  readonly least: number
  readonly scale: number
}

function pass(tag: Int32Array, order: Uint32Array<ArrayBuffer>, { least, scale }: Digit): Uint32Array<ArrayBuffer> {
  const shift = scale === 1 ? 0 : 16
  const starts = new Uint32Array(DIGIT + 1)
  const digit = (position: number) => (((tag[position] as number) - least) >>> shift) & (DIGIT - 1)
  for (let i = 0; i < order.length; i++) {
    const next = digit(i) + 1
    starts[next] = (starts[next] as number) + 1
  }
  for (let i = 1; i <= DIGIT; i++) starts[i] = (starts[i] as number) + (starts[i - 1] as number)
  const sorted = new Uint32Array(order.length)
  for (let i = 0; i < order.length; i++) {
    const position = order[i] as number
    const own = digit(position)
    const at = starts[own] as number
    starts[own] = at + 1
    sorted[at] = position
  }
  return sorted
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
