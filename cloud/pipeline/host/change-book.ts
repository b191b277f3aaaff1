import { setImmediate } from 'node:timers/promises'
import type { Log } from '#shared/log/log.ts'
import type { BornRows, Change } from '../shard/changes.ts'
import type { PipelineStore } from '../shard/store.ts'

/** Writes down what happens to edges, in order, many changes in one transaction when many wait. */
export interface ChangeBook {
  /** Resolves when the change is written, with what a birth became; rejects when it stays in vain. */
  add(change: Change): Promise<BornRows | undefined>
  /** As add(), for what nobody waits for: a failure is told in the log. */
  tell(change: Change): void
  /** Resolves when everything told so far is written. */
  settled(): Promise<void>
}

export interface ChangeBookOptions {
  readonly store: Pick<PipelineStore, 'recordChanges'>
  /** Does one piece of work after the other, each repeated for a while. */
  readonly record: <T>(work: () => Promise<T>) => Promise<T>
  readonly log: Log
}

/** An edge announces itself and its devices one after the other: the stored session is written once for all of them. */
const GATHER_MS = 50
/** Changes and tags of one transaction; a birth with more tags goes alone. */
const MOST_CHANGES = 500
const MOST_TAGS = 5000
/** Births taken up in one turn: live data of other edges goes in between. */
const A_TURN = 10

interface Entry {
  readonly change: Change
  readonly resolve: (rows: BornRows | undefined) => void
  readonly reject: (error: Error) => void
}

const tagsOf = ({ change }: Entry): number => (change.kind === 'born' ? change.birth.tags.length : 0)

/** Opens the book. */
export function changeBook({ store, record, log }: ChangeBookOptions): ChangeBook {
  let waiting: Entry[] = []
  const next = (): Entry[] => {
    let [count, tags] = [0, 0]
    for (const entry of waiting) {
      tags += tagsOf(entry)
      if (count > 0 && (count === MOST_CHANGES || tags > MOST_TAGS)) break
      count += 1
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }
  const write = async (entries: readonly Entry[]) => {
    const rows = await record(() => store.recordChanges(entries.map(({ change }) => change)))
    for (const [i, entry] of entries.entries()) {
      entry.resolve(rows[i])
      if (i % A_TURN === A_TURN - 1) await setImmediate()
    }
  }
  /** A fault in one of them, which would fail again, is not the others' matter. */
  const writeEach = async (entries: readonly Entry[], error: Error) => {
    if (entries.length === 1) return entries[0]?.reject(error)
    for (const entry of entries) await write([entry]).catch(entry.reject)
  }
  let gathering: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined
  const flush = async () => {
    clearTimeout(gathering)
    gathering = undefined
    while (waiting.length > 0) {
      const batch = next()
      await write(batch).catch((error: Error) => writeEach(batch, error))
    }
  }
  const start = () => {
    flushing ??= flush().finally(() => {
      flushing = undefined
      if (waiting.length > 0) start()
    })
  }
  const gathered = () => {
    // Also when a writing under way takes what waits: the next change must find no timer that has fired already.
    gathering = undefined
    start()
  }
  const put = (change: Change) =>
    new Promise<BornRows | undefined>((resolve, reject) => waiting.push({ change, resolve, reject }))
  return {
    add(change) {
      const written = put(change)
      // After this turn: what comes in one piece of the socket goes in one piece to the database.
      queueMicrotask(start)
      return written
    },
    tell(change) {
      put(change).catch((error: Error) => log.error({ err: error }, 'A change of an edge could not be recorded'))
      gathering ??= setTimeout(gathered, GATHER_MS)
    },
    async settled() {
      start()
      while (flushing) await flushing
    },
  }
}
