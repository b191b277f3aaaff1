import { type Column, type Columns, Q, ROLL_UP, TAG, TS, V } from './schema.ts'

/** Where the columns of a roll-up stand, see ROLL_UP. */
export const LAST_IN = 2
export const COUNT = 3
export const QUALITY = 4
export const NUMBERS_IN = 5
export const SUM = 6
export const FIRST = 7
export const MIN = 8
export const MAX = 9
export const LAST = 10
export const FIRST_NUMBER_IN = 11
export const MIN_IN = 12
export const MAX_IN = 13
export const LAST_NUMBER_IN = 14

/** Buckets begin at `origin` plus whole numbers of `widthMs`. */
export interface Buckets {
  readonly widthMs: number
  readonly origin: number
}

/** One bucket of one tag while it is added up; times are ms from its start. */
interface Row {
  tag: number
  start: number
  lastIn: number
  count: number
  quality: number
  numbers: number
  sum: number
  first: number
  min: number
  max: number
  last: number
  firstNumberIn: number
  minIn: number
  maxIn: number
  lastNumberIn: number
}

const BEST_QUALITY = 192

/** Makes the row an empty one; rows are many, so one object serves for all. */
function begin(row: Row, tag: number, start: number): void {
  row.tag = tag
  row.start = start
  row.lastIn = 0
  row.count = 0
  row.quality = BEST_QUALITY
  row.numbers = 0
  row.sum = 0
  row.first = Number.NaN
  row.min = Number.NaN
  row.max = Number.NaN
  row.last = Number.NaN
  row.firstNumberIn = 0
  row.minIn = 0
  row.maxIn = 0
  row.lastNumberIn = 0
}

const noRow = (): Row => ({
  ...{ tag: -1, start: Number.NaN, lastIn: 0, count: 0, quality: BEST_QUALITY, numbers: 0, sum: 0 },
  ...{ first: Number.NaN, min: Number.NaN, max: Number.NaN, last: Number.NaN },
  ...{ firstNumberIn: 0, minIn: 0, maxIn: 0, lastNumberIn: 0 },
})

/**
 * Rolls values, or finer roll-ups, up into buckets. A row is the sum of what it was given, whichever way and order it
 * came, so that late values need no correction: rows of one bucket from several files add up to it.
 */
export class RollUps {
  readonly #buckets: Buckets
  #columns: Float64Array[]
  #rows = 0
  readonly #row = noRow()
  #isOrdered = true

  constructor(buckets: Buckets) {
    this.#buckets = buckets
    this.#columns = ROLL_UP.map(() => new Float64Array(256))
  }

  /** Adds rows `from` to `to` − 1 of NUMBERS columns. */
  addValues(columns: Columns, from: number, to: number): void {
    const [tags, ts, v, q] = [columns[TAG], columns[TS], columns[V], columns[Q]] as [Column, Column, Column, Column]
    const { widthMs } = this.#buckets
    const row = this.#row
    for (let i = from; i < to; i++) {
      const tag = tags[i] as number
      const time = ts[i] as number
      // Written so that a start of NaN, when no row is open, opens one.
      if (!(tag === row.tag && time >= row.start && time < row.start + widthMs)) this.#open(tag, time)
      addValue(row, time - row.start, v[i] as number, q[i] as number)
    }
  }

  /** Adds rows `from` to `to` − 1 of ROLL_UP columns whose buckets lie each within one of these. */
  addRows(columns: Columns, from: number, to: number): void {
    const { widthMs } = this.#buckets
    const row = this.#row
    for (let i = from; i < to; i++) {
      const tag = columns[TAG]?.[i] as number
      const start = columns[TS]?.[i] as number
      if (!(tag === row.tag && start >= row.start && start < row.start + widthMs)) this.#open(tag, start)
      addRow(row, columns, i)
    }
  }

  /** All rows, one for a tag and bucket, in order, as ROLL_UP says; nothing may be added after. */
  finish(): Columns {
    this.#close()
    begin(this.#row, -1, Number.NaN)
    if (!this.#isOrdered) return this.#ordered()
    return this.#columns.map((column) => column.subarray(0, this.#rows))
  }

  #ordered(): Columns {
    const [tags, starts] = [this.#columns[TAG], this.#columns[TS]] as [Float64Array, Float64Array]
    const order = Uint32Array.from({ length: this.#rows }, (_, index) => index).sort(
      (a, b) => (tags[a] as number) - (tags[b] as number) || (starts[a] as number) - (starts[b] as number) || a - b,
    )
    const merged = new RollUps(this.#buckets)
    for (const at of order) merged.addRows(this.#columns, at, at + 1)
    return merged.finish()
  }

  #open(tag: number, time: number): void {
    this.#close()
    const { widthMs, origin } = this.#buckets
    const start = origin + Math.floor((time - origin) / widthMs) * widthMs
    const row = this.#row
    if (tag < row.tag || (tag === row.tag && start <= row.start)) this.#isOrdered = false
    begin(row, tag, start)
  }

  #close(): void {
    const row = this.#row
    if (row.count === 0) return
    if (this.#rows === this.#columns[0]?.length) this.#grow()
    store(this.#columns as unknown as StoredColumns, this.#rows++, row)
  }

  #grow(): void {
    this.#columns = this.#columns.map((column) => {
      const grown = new Float64Array(column.length * 2)
      grown.set(column)
      return grown
    })
  }
}

type Doubles = Float64Array
/** As many as ROLL_UP has. */
type StoredColumns = readonly [
  ...[Doubles, Doubles, Doubles, Doubles, Doubles, Doubles, Doubles, Doubles],
  ...[Doubles, Doubles, Doubles, Doubles, Doubles, Doubles, Doubles],
]

function store(columns: StoredColumns, at: number, row: Row): void {
  columns[TAG][at] = row.tag
  columns[TS][at] = row.start
  columns[LAST_IN][at] = row.lastIn
  columns[COUNT][at] = row.count
  columns[QUALITY][at] = row.quality
  columns[NUMBERS_IN][at] = row.numbers
  columns[SUM][at] = row.sum
  columns[FIRST][at] = row.first
  columns[MIN][at] = row.min
  columns[MAX][at] = row.max
  columns[LAST][at] = row.last
  columns[FIRST_NUMBER_IN][at] = row.firstNumberIn
  columns[MIN_IN][at] = row.minIn
  columns[MAX_IN][at] = row.maxIn
  columns[LAST_NUMBER_IN][at] = row.lastNumberIn
}

function addValue(row: Row, within: number, value: number, quality: number): void {
  row.count++
  if (within > row.lastIn) row.lastIn = within
  if (quality < row.quality) row.quality = quality
  if (Number.isNaN(value)) return
  row.sum += value
  takeFirst(row, value, within)
  takeLast(row, value, within)
  takeLeast(row, value, within)
  takeMost(row, value, within)
  row.numbers++
}

const fieldOf = (column: Column | undefined, at: number): number => (column as Column)[at] as number

function addRow(row: Row, columns: Columns, at: number): void {
  // A bucket of the finer level begins this long after the coarser one.
  const shift = fieldOf(columns[TS], at) - row.start
  const lastIn = shift + fieldOf(columns[LAST_IN], at)
  const quality = fieldOf(columns[QUALITY], at)
  const numbers = fieldOf(columns[NUMBERS_IN], at)
  row.count += fieldOf(columns[COUNT], at)
  if (lastIn > row.lastIn) row.lastIn = lastIn
  if (quality < row.quality) row.quality = quality
  if (numbers === 0) return
  row.sum += fieldOf(columns[SUM], at)
  takeFirst(row, fieldOf(columns[FIRST], at), shift + fieldOf(columns[FIRST_NUMBER_IN], at))
  takeLast(row, fieldOf(columns[LAST], at), shift + fieldOf(columns[LAST_NUMBER_IN], at))
  takeLeast(row, fieldOf(columns[MIN], at), shift + fieldOf(columns[MIN_IN], at))
  takeMost(row, fieldOf(columns[MAX], at), shift + fieldOf(columns[MAX_IN], at))
  row.numbers += numbers
}

function takeFirst(row: Row, value: number, within: number): void {
  if (row.numbers > 0 && within >= row.firstNumberIn) return
  row.first = value
  row.firstNumberIn = within
}

function takeLast(row: Row, value: number, within: number): void {
  if (row.numbers > 0 && within < row.lastNumberIn) return
  row.last = value
  row.lastNumberIn = within
}

/** Of equal extremes the earliest counts. */
function takeLeast(row: Row, value: number, within: number): void {
  if (row.numbers > 0 && (value > row.min || (value === row.min && within >= row.minIn))) return
  row.min = value
  row.minIn = within
}

function takeMost(row: Row, value: number, within: number): void {
  if (row.numbers > 0 && (value < row.max || (value === row.max && within >= row.maxIn))) return
  row.max = value
  row.maxIn = within
}
