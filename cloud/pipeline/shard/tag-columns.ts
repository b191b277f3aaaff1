import type { Scalar } from '#shared/contracts/sample.ts'
import { type DataColumns, WIDE } from '#shared/sparkplug/columns.ts'
import type { TagState } from './tag-state.ts'

const FEWEST = 16

/** Newest values of a device's tags, column by column, so that data go from the wire to here without an object per value. */
export class TagColumns {
  /** Entries 0 to `count` − 1 count; a tag keeps its place for as long as the process lives. */
  count = 0
  /** The number that history knows the tag by. */
  key = new Int32Array(FEWEST)
  /** Number by which detection wants its samples; −1: nothing watches it. */
  watch = new Int32Array(FEWEST)
  /** 1 while somebody looks at the tag's live value. */
  shown = new Uint8Array(FEWEST)
  /** 1 where the tag is a boolean. */
  truth = new Uint8Array(FEWEST)
  /** ms since 1970; NaN before the first value. */
  ts = new Float64Array(FEWEST)
  /** A number, or 0 and 1 for a boolean; NaN where nothing could be read, and where `wide` has the value. */
  v = new Float64Array(FEWEST)
  q = new Uint8Array(FEWEST)
  /** Texts and integers of 64 bits. */
  readonly wide: (bigint | string | undefined)[] = []
  readonly tags: TagState[] = []

  /** Makes room for one more tag; answers its place. */
  add(tag: TagState, key: number): number {
    if (this.count === this.key.length) this.#grow()
    const at = this.count++
    this.key[at] = key
    this.watch[at] = -1
    this.ts[at] = Number.NaN
    this.v[at] = Number.NaN
    this.wide.push(undefined)
    this.tags.push(tag)
    return at
  }

  /** The value of an entry of a payload whose slots are places here. */
  scalarAt({ v, slot, flag, wide }: DataColumns, i: number): Scalar {
    if ((flag[i] as number) & WIDE) return wide[i] ?? null
    const number = v[i] as number
    if (Number.isNaN(number)) return null
    return this.truth[slot[i] as number] === 1 ? number !== 0 : number
  }

  #grow(): void {
    const size = this.count * 2
    const grown = <T extends { set(from: T): void }>(column: T, made: T): T => {
      made.set(column)
      return made
    }
    this.key = grown<Int32Array<ArrayBuffer>>(this.key, new Int32Array(size))
    this.watch = grown<Int32Array<ArrayBuffer>>(this.watch, new Int32Array(size))
    this.truth = grown<Uint8Array<ArrayBuffer>>(this.truth, new Uint8Array(size))
    this.shown = grown<Uint8Array<ArrayBuffer>>(this.shown, new Uint8Array(size))
    this.ts = grown<Float64Array<ArrayBuffer>>(this.ts, new Float64Array(size))
    this.v = grown<Float64Array<ArrayBuffer>>(this.v, new Float64Array(size))
    this.q = grown<Uint8Array<ArrayBuffer>>(this.q, new Uint8Array(size))
  }
}
