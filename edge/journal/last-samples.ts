import type { TagSample } from '#edge/model.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

const FEWEST = 1024

const allocate = (capacity: number) => ({
  sourceAt: new Float64Array(capacity).fill(Number.NaN),
  readAt: new Float64Array(capacity),
  values: new Float64Array(capacity),
  isNumber: new Uint8Array(capacity),
  quality: new Uint8Array(capacity),
})

/**
 * The sample last journaled of each tag, in columns by the tag's number: an object a tag that lives until its next sample
 * would fill the old generation with as many objects a second as there are samples. Measured by `andon bench edge-modbus`.
 */
export class LastSamples {
  #columns = allocate(FEWEST)
  /** Values that are no numbers. */
  readonly #others = new Map<number, Scalar>()

  /** Source time as it was journaled; NaN when there is none. */
  sourceAt(tagId: number): number {
    return this.#columns.sourceAt[tagId] ?? Number.NaN
  }

  /** Source time as it was read, which may be less. */
  readAt(tagId: number): number {
    return this.#columns.readAt[tagId] ?? Number.NaN
  }

  /** True when the tag's last sample has just this value and quality. */
  isSame({ tagId, value, quality }: TagSample): boolean {
    const { isNumber, values, quality: qualities } = this.#columns
    if (qualities[tagId] !== quality) return false
    return Object.is(isNumber[tagId] === 1 ? values[tagId] : this.#others.get(tagId), value)
  }

  set({ tagId, sourceAt, value, quality }: TagSample, readAt: number): void {
    if (tagId >= this.#columns.sourceAt.length) this.#grow(tagId)
    const into = this.#columns
    into.sourceAt[tagId] = sourceAt
    into.readAt[tagId] = readAt
    into.quality[tagId] = quality
    const isNumber = typeof value === 'number'
    into.isNumber[tagId] = isNumber ? 1 : 0
    if (isNumber) into.values[tagId] = value
    else this.#others.set(tagId, value)
  }

  #grow(tagId: number): void {
    const before = this.#columns
    const grown = allocate(Math.max(tagId + 1, before.sourceAt.length * 2))
    grown.sourceAt.set(before.sourceAt)
    grown.readAt.set(before.readAt)
    grown.values.set(before.values)
    grown.isNumber.set(before.isNumber)
    grown.quality.set(before.quality)
    this.#columns = grown
  }
}
