import type { NumberColumns } from '../batch.ts'

/** Rows of one stored record; a bigger batch makes several. */
const MOST_ROWS = 262_144
const HEAD_BYTES = 16
const GOOD = 192
/** Bits of the head's second number. */
const WIDE_TIMES = 1
const MIXED_QUALITY = 2

/** Serves for one record after the other: whoever gets one copies it. */
let scratch = new ArrayBuffer(0)

/**
 * Packs rows `from` to `to` − 1 into one record: a head (earliest time, flags), values, times, tags, and qualities when
 * they are not all good. Times are 32-bit steps from the earliest where they fit (49 days).
 */
function pack({ tag, ts, v, q }: NumberColumns, from: number, to: number): Uint8Array {
  const rows = to - from
  const [least, most] = bounds(ts, from, to)
  const flags = (most - least > 0xffffffff ? WIDE_TIMES : 0) | (allGood(q, from, to) ? 0 : MIXED_QUALITY)
  const place = layout(rows, flags)
  if (scratch.byteLength < place.size) scratch = new ArrayBuffer(place.size)
  const buffer = scratch
  new Float64Array(buffer, 0, 2).set([least, flags])
  new Float64Array(buffer, place.v, rows).set(v.subarray(from, to))
  const times = flags & WIDE_TIMES ? new Float64Array(buffer, place.ts, rows) : new Uint32Array(buffer, place.ts, rows)
  for (let i = 0; i < rows; i++) times[i] = (ts[from + i] as number) - least
  new Int32Array(buffer, place.tag, rows).set(tag.subarray(from, to))
  if (flags & MIXED_QUALITY) new Uint8Array(buffer, place.q, rows).set(q.subarray(from, to))
  return new Uint8Array(buffer, 0, place.size)
}

function layout(rows: number, flags: number) {
  const v = HEAD_BYTES
  const ts = v + rows * 8
  const tag = ts + rows * (flags & WIDE_TIMES ? 8 : 4)
  const q = tag + rows * 4
  return { v, ts, tag, q, size: q + (flags & MIXED_QUALITY ? rows : 0) }
}

function bounds(ts: Float64Array, from: number, to: number): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = from; i < to; i++) {
    const at = ts[i] as number
    if (at < least) least = at
    if (at > most) most = at
  }
  return [least, most]
}

function allGood(q: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (q[i] !== GOOD) return false
  return true
}

/** Records of a batch with the number of rows in each; each is valid until the next. */
export function* packed(numbers: NumberColumns): Generator<{ rows: number; bytes: Uint8Array }> {
  for (let from = 0; from < numbers.count; from += MOST_ROWS) {
    const to = Math.min(from + MOST_ROWS, numbers.count)
    yield { rows: to - from, bytes: pack(numbers, from, to) }
  }
}

/** Reads a record that packed() made. */
export function unpack(rows: number, bytes: Uint8Array): NumberColumns {
  // A copy, because the record need not begin at a multiple of 8.
  const { buffer } = new Uint8Array(bytes)
  const [least = 0, flags = 0] = new Float64Array(buffer, 0, 2)
  const place = layout(rows, flags)
  const times = flags & WIDE_TIMES ? new Float64Array(buffer, place.ts, rows) : new Uint32Array(buffer, place.ts, rows)
  return {
    count: rows,
    tag: new Int32Array(buffer, place.tag, rows),
    ts: Float64Array.from(times, (time) => least + time),
    v: new Float64Array(buffer, place.v, rows),
    q: flags & MIXED_QUALITY ? new Uint8Array(buffer, place.q, rows) : new Uint8Array(rows).fill(GOOD),
  }
}

const FEWEST = 65_536

/** Columns of a slot that other threads can read; rows below `count` never change. */
interface SharedColumns {
  readonly capacity: number
  readonly tag: Int32Array
  readonly ts: Float64Array
  readonly v: Float64Array
  readonly q: Uint8Array
}

function share(capacity: number): SharedColumns {
  const shared = (bytes: number) => new SharedArrayBuffer(capacity * bytes)
  return {
    capacity,
    tag: new Int32Array(shared(4)),
    ts: new Float64Array(shared(8)),
    v: new Float64Array(shared(8)),
    q: new Uint8Array(shared(1)),
  }
}

/**
 * Memory for slots, used again and again: three threads hold such memory, and the garbage collectors of idle ones would
 * free it late. A part of it that no value has filled yet costs nothing.
 */
export class SlotMemory {
  readonly #rows: number
  readonly #free: SharedColumns[] = []

  /** Each piece holds at least so many rows. */
  constructor(rows: number) {
    this.#rows = Math.max(FEWEST, rows)
  }

  take(rows: number): HotNumbers {
    const fits = this.#free.findIndex((columns) => columns.capacity >= rows)
    const columns = fits >= 0 ? this.#free.splice(fits, 1)[0] : undefined
    return new HotNumbers(columns ?? share(Math.max(this.#rows, rows)), (used) => {
      if (used.capacity === Math.max(this.#rows, FEWEST)) this.#free.push(used)
    })
  }
}

/** The numbers of a slot in memory. Whoever reads them holds them meanwhile. */
export class HotNumbers {
  readonly #columns: SharedColumns
  readonly #giveBack: (columns: SharedColumns) => void
  #count = 0
  #holders = 1

  constructor(columns: SharedColumns, giveBack: (columns: SharedColumns) => void) {
    this.#columns = columns
    this.#giveBack = giveBack
  }

  get count(): number {
    return this.#count
  }

  hasRoom(rows: number): boolean {
    return this.#count + rows <= this.#columns.capacity
  }

  append({ count, tag, ts, v, q }: NumberColumns): void {
    const at = this.#count
    this.#columns.tag.set(tag.subarray(0, count), at)
    this.#columns.ts.set(ts.subarray(0, count), at)
    this.#columns.v.set(v.subarray(0, count), at)
    this.#columns.q.set(q.subarray(0, count), at)
    this.#count += count
  }

  /** What is in it now, for any thread. */
  view(): NumberColumns {
    const { tag, ts, v, q } = this.#columns
    return { count: this.#count, tag, ts, v, q }
  }

  hold(): void {
    this.#holders += 1
  }

  /** Ends a hold, or the slot's own; the last one gives the memory back. */
  release(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#giveBack(this.#columns)
  }
}
