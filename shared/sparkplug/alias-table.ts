import { codeOfType, type SparkplugType } from './datatype.ts'

/** A metric as the table keeps it: slot × 32 + number of its type; the types of Sparkplug are 0 to 34, those of data under 32. */
export const TYPE_BITS = 5
export const TYPE_MASK = 31
const EMPTY = new Int32Array(0)
/** The window over the aliases may be this many times larger than their number, and a bit for small tables. */
const SPARSE = 8
const SPARE = 1024

/**
 * Finds the slot of a metric by alias; made once per birth. Aliases that lie near each other, as those of one device do,
 * are found by index; others through a Map, so that no edge can make the table larger than its birth was.
 */
export class AliasTable {
  /** Aliases of the offset metrics; −1 when the birth has none. */
  firstOffsetAlias = -1
  lastOffsetAlias = -1
  /** Metrics from alias `base` on, −1 where there is none; read after `window()` was called. */
  base = 0
  #dense = EMPTY
  #isReady = true
  readonly #sparse = new Map<number, number>()

  /** Adds a metric; slots are numbered by the caller, from 0 to 2^26. A second one of the same alias takes its place. */
  set(alias: number, slot: number, type: SparkplugType): void {
    if (this.#dense.length > 0) this.#open()
    this.#sparse.set(alias, (slot << TYPE_BITS) | codeOfType(type))
    this.#isReady = false
  }

  /** −1 when no birth announced it. */
  slotOf(alias: number): number {
    const metric = this.find(alias)
    return metric < 0 ? -1 : metric >> TYPE_BITS
  }

  /** Slot × 32 + number of the type; −1 when no birth announced it. */
  find(alias: number): number {
    const dense = this.window()
    return dense[alias - this.base] ?? this.#sparse.get(alias) ?? -1
  }

  /** The metrics from alias `base` on, for readers that look up by themselves; beyond it `find` answers. */
  window(): Int32Array {
    if (!this.#isReady) this.#close()
    return this.#dense
  }

  #close(): void {
    this.#isReady = true
    let [least, most] = [Number.POSITIVE_INFINITY, 0]
    for (const alias of this.#sparse.keys()) {
      if (alias < least) least = alias
      if (alias > most) most = alias
    }
    const span = most - least + 1
    if (span > this.#sparse.size * SPARSE + SPARE) return
    this.base = least
    this.#dense = new Int32Array(span).fill(-1)
    for (const [alias, metric] of this.#sparse) this.#dense[alias - least] = metric
    this.#sparse.clear()
  }

  #open(): void {
    for (const [i, metric] of this.#dense.entries()) if (metric >= 0) this.#sparse.set(this.base + i, metric)
    this.#dense = EMPTY
  }
}
