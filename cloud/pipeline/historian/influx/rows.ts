import type { BucketColumns } from '../historian.ts'

/** One bucket of one tag; NaN where it holds no number. */
export type BucketRow = { -readonly [Column in keyof BucketColumns]: number }

const COLUMNS: readonly (keyof BucketColumns)[] = [
  ...(['tag', 'bucket', 'first', 'min', 'max', 'last', 'minAt', 'maxAt', 'lastAt'] as const),
  ...(['count', 'numbers', 'sum', 'quality'] as const),
]

/** Gathers buckets from answers that tell one column at a time. */
export class BucketTable {
  readonly #tags = new Map<number, Map<number, BucketRow>>()

  /** The row of a bucket, made when it is new. */
  row(tag: number, bucket: number): BucketRow {
    const rows = this.#tags.get(tag) ?? new Map<number, BucketRow>()
    this.#tags.set(tag, rows)
    const known = rows.get(bucket)
    if (known) return known
    const none = Number.NaN
    const values = { first: none, min: none, max: none, last: none, minAt: none, maxAt: none, lastAt: none }
    const row = { tag, bucket, ...values, count: 0, numbers: 0, sum: 0, quality: none }
    rows.set(bucket, row)
    return row
  }

  /** The rows of a tag in order of bucket. */
  rows(tag: number): BucketRow[] {
    return [...(this.#tags.get(tag)?.values() ?? [])].sort((a, b) => a.bucket - b.bucket)
  }

  /** All rows with a value, in order of tag and bucket. */
  columns(): BucketColumns {
    const tags = [...this.#tags.keys()].sort((a, b) => a - b)
    const rows = tags.flatMap((tag) => this.rows(tag)).filter((row) => row.count > 0)
    const entries = COLUMNS.map((name) => [name, Float64Array.from(rows, (row) => row[name])])
    return Object.fromEntries(entries) as BucketColumns
  }
}
