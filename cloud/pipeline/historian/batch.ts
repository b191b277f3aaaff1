import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { type DataColumns, WIDE } from '#shared/sparkplug/data-columns.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { RangeMark, StoredGap } from './historian.ts'

/** Values that fit a double, column by column; the first `count` entries count. NaN: no value could be read. */
export interface NumberColumns {
  readonly count: number
  readonly tag: Int32Array
  /** ms since 1970 */
  readonly ts: Float64Array
  readonly v: Float64Array
  readonly q: Uint8Array
}

/** A text, or an integer of 64 bits. `i` is null for a text and for an unsigned integer beyond 2^63, which `t` writes in decimal. */
export interface WideRow {
  readonly tag: number
  readonly ts: number
  readonly i: bigint | null
  readonly t: string | null
  readonly q: Quality
}

/** What one commit stores. `marks` are the ranges to add. */
export interface HistoryBatch {
  readonly numbers: NumberColumns
  readonly wide: readonly WideRow[]
  readonly marks: readonly RangeMark[]
  readonly gaps: readonly StoredGap[]
}

const MAX_INT64 = (1n << 63n) - 1n
const FEWEST = 1024

const allocate = (capacity: number) => ({
  tag: new Int32Array(capacity),
  ts: new Float64Array(capacity),
  v: new Float64Array(capacity),
  q: new Uint8Array(capacity),
})

/** Gathers what the next commit will store; grows by doubling, allocates nothing per number. */
export class BatchBuilder {
  #count = 0
  #columns = allocate(FEWEST)
  #wide: WideRow[] = []
  #gaps: StoredGap[] = []
  /** Up to where everything belongs together. */
  #settled = { numbers: 0, wide: 0, gaps: 0 }
  readonly #marks = new Map<string, Omit<RangeMark, 'ranges'> & { readonly set: RangeSet }>()
  /** The sets by the objects that named them: making a key costs more than adding a range. */
  readonly #sets = new Map<Omit<RangeMark, 'ranges'>, RangeSet>()

  get isEmpty(): boolean {
    return this.values === 0 && this.#gaps.length === 0 && this.#marks.size === 0
  }

  /** Number of values gathered. */
  get values(): number {
    return this.#count + this.#wide.length
  }

  /** Adds one value; `sourceAt` in ms since 1970. */
  add(tag: number, sourceAt: number, value: Scalar, quality: Quality): void {
    if (typeof value === 'string') {
      this.#wide.push({ tag, ts: sourceAt, i: null, t: value, q: quality })
    } else if (typeof value === 'bigint') {
      const fits = value <= MAX_INT64
      this.#wide.push({ tag, ts: sourceAt, i: fits ? value : null, t: fits ? null : value.toString(), q: quality })
    } else {
      this.#addNumber(tag, sourceAt, value === null ? Number.NaN : Number(value), quality)
    }
  }

  /** Adds the values at `from` to `to` − 1 of a payload; `key` turns its slots into history's tags. */
  addColumns(data: DataColumns, key: Int32Array, from: number, to: number): void {
    this.#makeRoom(this.#count + (to - from))
    const { slot, ts, v, q, flag, wide } = data
    const into = this.#columns
    let at = this.#count
    for (let i = from; i < to; i++) {
      const tag = key[slot[i] as number] as number
      if ((flag[i] as number) & WIDE) {
        this.add(tag, ts[i] as number, wide[i] as bigint | string, q[i] as Quality)
        continue
      }
      into.tag[at] = tag
      into.ts[at] = ts[i] as number
      into.v[at] = v[i] as number
      into.q[at] = q[i] as number
      at++
    }
    this.#count = at
  }

  #addNumber(tag: number, sourceAt: number, v: number, quality: Quality): void {
    this.#makeRoom(this.#count + 1)
    const at = this.#count++
    this.#columns.tag[at] = tag
    this.#columns.ts[at] = sourceAt
    this.#columns.v[at] = v
    this.#columns.q[at] = quality
  }

  /** Adds offsets first to last of a journal. */
  addRange(journal: Omit<RangeMark, 'ranges'>, first: bigint, last: bigint): void {
    const set = this.#sets.get(journal) ?? this.#setOf(journal)
    set.add(first, last)
    this.settle()
  }

  #setOf(journal: Omit<RangeMark, 'ranges'>): RangeSet {
    const key = `${journal.group}/${journal.edge}/${journal.epoch}`
    const mark = this.#marks.get(key) ?? { ...journal, set: new RangeSet() }
    this.#marks.set(key, mark)
    this.#sets.set(journal, mark.set)
    return mark.set
  }

  addGap(gap: StoredGap): void {
    this.#gaps.push(gap)
  }

  /** Says that what was added so far stays; adding a range says so too. */
  settle(): void {
    this.#settled.numbers = this.#count
    this.#settled.wide = this.#wide.length
    this.#settled.gaps = this.#gaps.length
  }

  /** Takes back what was added since: values whose payload broke off before their range was added. */
  rollBack(): void {
    this.#count = this.#settled.numbers
    this.#wide.length = this.#settled.wide
    this.#gaps.length = this.#settled.gaps
  }

  /** Hands over what was gathered; the builder starts again, empty. */
  take(): HistoryBatch {
    const marks = [...this.#marks.values()].map(({ set, ...journal }) => ({ ...journal, ranges: set.serialise() }))
    const batch = { numbers: { count: this.#count, ...this.#columns }, wide: this.#wide, marks, gaps: this.#gaps }
    this.#columns = allocate(Math.max(FEWEST, this.#count))
    this.#count = 0
    this.#wide = []
    this.#gaps = []
    this.settle()
    this.#marks.clear()
    this.#sets.clear()
    return batch
  }

  #makeRoom(values: number): void {
    const capacity = this.#columns.tag.length
    if (values <= capacity) return
    const grown = allocate(Math.max(values, capacity * 2))
    grown.tag.set(this.#columns.tag)
    grown.ts.set(this.#columns.ts)
    grown.v.set(this.#columns.v)
    grown.q.set(this.#columns.q)
    this.#columns = grown
  }
}
