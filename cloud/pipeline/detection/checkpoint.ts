import { idBytes, packMemory } from './memory.ts'
import { memoryOf } from './rows.ts'
import type { PointMemory } from './tables.ts'
import type { PointSlot } from './work.ts'

/** More than this part of the points changed since the base: a new base costs less than carrying them on. */
const REBASE_PART = 0.25

/** What a commit writes of the points of one edge. */
export interface TakenMemory {
  /** All points; undefined while the base that was written before goes on. */
  readonly base: Buffer | undefined
  /** The points that changed since the base, all of them: a commit replaces what the one before it wrote here. */
  readonly changes: Buffer
}

interface Entry {
  readonly id: Buffer
  memory: PointMemory
  isChanged: boolean
}

const isSame = (a: PointMemory, b: PointMemory) => a.valueAt === b.valueAt && a.rate === b.rate && a.value === b.value

/**
 * What the points of one edge remember, as it goes to the database: a base, and beside it the points that changed since. The
 * base stays where it is until the changes have become a good part of it, so a commit writes what moved and no more.
 */
export class PointCheckpoint {
  /** In the order of the points, which only grow. */
  readonly #entries: Entry[] = []
  #hasBase = false

  /** What is to be written now. `slots` come in the same order each time, new ones at the end. */
  take(slots: Iterable<PointSlot>): TakenMemory {
    this.#compare(slots)
    const changed = this.#entries.filter(({ isChanged }) => isChanged)
    if (this.#hasBase && changed.length <= this.#entries.length * REBASE_PART) {
      return { base: undefined, changes: packMemory(changed) }
    }
    this.#hasBase = true
    for (const entry of changed) entry.isChanged = false
    return { base: packMemory(this.#entries), changes: Buffer.alloc(0) }
  }

  #compare(slots: Iterable<PointSlot>): void {
    let place = 0
    for (const slot of slots) {
      const entry = this.#entries[place++]
      if (!entry) this.#entries.push({ id: idBytes(slot.rule.pointId), memory: memoryOf(slot), isChanged: true })
      else if (!isSame(entry.memory, slot)) {
        entry.memory = memoryOf(slot)
        entry.isChanged = true
      }
    }
  }
}
