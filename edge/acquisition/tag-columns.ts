import type { TagSample } from '#edge/model.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'

/** What `kind` says of an entry: nothing yet, a number in `values`, or something that is not one. */
const ABSENT = 0
const NUMBER = 1
const OTHER = 2

/**
 * One sample of each of some tags, the numbers in typed arrays: a hundred thousand objects that live for a second each
 * would keep the garbage collector busier than everything else. Measured by `andon bench edge-modbus`.
 */
export interface TagColumns {
  /** Keeps a sample in place of the tag's last one. A tag that is not among them is ignored. */
  set(sample: TagSample): void
  /** The sample, as a new object; undefined when there is none. */
  get(tagId: number): TagSample | undefined
  delete(tagId: number): void
  has(tagId: number): boolean
  /** True when the tag's value and quality are just these. */
  isSame(sample: TagSample): boolean
  /** The tag's value as a number; NaN when it is none. */
  numberOf(tagId: number): number
  qualityOf(tagId: number): Quality
  /** 0 when there is none. */
  sourceAtOf(tagId: number): number
}

/** Columns for these tags, all of them empty. */
export function createTagColumns(tagIds: readonly number[]): TagColumns {
  const slotOf = slots(tagIds)
  const kind = new Uint8Array(tagIds.length)
  const values = new Float64Array(tagIds.length)
  const others: Scalar[] = []
  const qualities = new Uint8Array(tagIds.length)
  const sourceAt = new Float64Array(tagIds.length)
  const held = (slot: number): Scalar => (kind[slot] === NUMBER ? (values[slot] ?? 0) : (others[slot] ?? null))
  return {
    set(sample) {
      const slot = slotOf(sample.tagId)
      if (slot < 0) return
      const { value } = sample
      const isNumber = typeof value === 'number'
      if (isNumber) values[slot] = value
      else others[slot] = value
      kind[slot] = isNumber ? NUMBER : OTHER
      qualities[slot] = sample.quality
      sourceAt[slot] = sample.sourceAt
    },
    get(tagId) {
      const slot = slotOf(tagId)
      if (slot < 0 || kind[slot] === ABSENT) return undefined
      return { tagId, sourceAt: sourceAt[slot] ?? 0, value: held(slot), quality: qualities[slot] as Quality }
    },
    delete(tagId) {
      const slot = slotOf(tagId)
      if (slot >= 0) kind[slot] = ABSENT
    },
    has(tagId) {
      const slot = slotOf(tagId)
      return slot >= 0 && kind[slot] !== ABSENT
    },
    isSame({ tagId, value, quality }) {
      const slot = slotOf(tagId)
      if (slot < 0 || kind[slot] === ABSENT || qualities[slot] !== quality) return false
      return typeof value === 'number' ? kind[slot] === NUMBER && values[slot] === value : held(slot) === value
    },
    numberOf(tagId) {
      const slot = slotOf(tagId)
      return slot >= 0 && kind[slot] === NUMBER ? (values[slot] ?? Number.NaN) : Number.NaN
    },
    qualityOf: (tagId) => (qualities[slotOf(tagId)] ?? 0) as Quality,
    sourceAtOf: (tagId) => sourceAt[slotOf(tagId)] ?? 0,
  }
}

/** Ids of one configuration lie near each other: found by index, unless years of changes have spread them. */
function slots(tagIds: readonly number[]): (tagId: number) => number {
  const base = tagIds.reduce((least, id) => Math.min(least, id), Infinity)
  const span = tagIds.reduce((most, id) => Math.max(most, id - base + 1), 0)
  if (span > tagIds.length * 8 + 1024) {
    const byId = new Map(tagIds.map((id, slot) => [id, slot]))
    return (id) => byId.get(id) ?? -1
  }
  const table = new Int32Array(span).fill(-1)
  for (const [slot, id] of tagIds.entries()) table[id - base] = slot
  return (id) => table[id - base] ?? -1
}
