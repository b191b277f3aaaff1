import type { Slices, Work } from './slices.ts'
import { createValueBoard, textOf, type ValueBoard, type Watched } from './value-board.ts'
import type { Outlet, ValueSource } from './values.ts'

/** Live values for one reader, conflated to the last one of each tag: memory is bounded by its tags. */
export interface ValueFeed {
  /** Replaces the tags; their present values are told as soon as the source has answered. */
  watch(paths: Iterable<string>): void
  close(): void
}

/** The live values of all readers of this process. */
export interface ValueFeeds {
  /** Makes the feed of one reader, who sees tags of his organisation alone. */
  open(org: string, outlet: Outlet): ValueFeed
  close(): void
}

export interface ValueFeedsOptions {
  readonly source: ValueSource
  readonly slices: Slices
}

/** Changes within this time are told as one. */
const WINDOW_MS = 50
/** The source could not be asked; it is asked again after this time. */
const RETRY_MS = 1000
/** A reader with more than this waiting gets only the newest of each tag once it has caught up. */
const ENOUGH_BYTES = 256_000

interface Reader {
  readonly outlet: Outlet
  tags: readonly Watched<Reader>[]
  /** Of each tag the reader has every version up to this one. */
  seen: number
  /** Stands among those to be told. */
  isDue: boolean
}

/** Starts without readers. */
export function createValueFeeds({ source, slices }: ValueFeedsOptions): ValueFeeds {
  const board = createValueBoard<Reader>(source, () => rounds.plan())
  const rounds = createRounds(board, slices)
  return {
    open(org, outlet) {
      const reader: Reader = { outlet, tags: [], seen: 0, isDue: false }
      let turn = 0
      let again: NodeJS.Timeout | undefined
      const begin = async (paths: readonly string[], own: number) => {
        const owners = await Promise.all(paths.map((path) => source.organisationOf(path)))
        if (own !== turn) return
        reader.tags = paths.filter((_, index) => owners[index] === org).map((path) => board.join(path, reader))
        reader.seen = 0
        await board.read(reader.tags)
        if (own === turn) rounds.tellSoon(reader)
      }
      const drop = () => {
        turn += 1
        clearTimeout(again)
        board.leave(reader.tags, reader)
        reader.tags = []
      }
      const watch = (paths: readonly string[]) => {
        drop()
        begin(paths, turn).catch(() => {
          again = setTimeout(() => watch(paths), RETRY_MS)
        })
      }
      return { watch: (paths) => watch([...new Set(paths)]), close: drop }
    },
    close() {
      rounds.close()
      board.close()
    },
  }
}

interface Rounds {
  /** A round begins within the window. */
  plan(): void
  /** Tells one reader what he lacks, without waiting for the round. */
  tellSoon(reader: Reader): void
  close(): void
}

/**
 * Tells changes in rounds, reader by reader in slices: a round that takes longer than the window, because there are many
 * readers, conflates more and holds nobody up.
 */
function createRounds(board: ValueBoard<Reader>, slices: Slices): Rounds {
  let due: Reader[] = []
  let timer: NodeJS.Timeout | undefined
  let isTelling = false
  const mark = (reader: Reader) => {
    if (reader.isDue) return
    reader.isDue = true
    due.push(reader)
  }
  const plan = () => {
    if (isTelling || timer) return
    timer = setTimeout(() => {
      timer = undefined
      isTelling = true
      slices.add('later', round())
    }, WINDOW_MS)
  }
  function* markChanged(): Generator<void> {
    for (const tag of [...board.changed]) {
      board.changed.delete(tag)
      for (const reader of tag.readers) mark(reader)
      yield
    }
  }
  function* tellDue(): Generator<void> {
    const readers = due
    due = []
    for (const reader of readers) {
      reader.isDue = false
      if (!tell(reader, board)) mark(reader)
      yield
    }
  }
  function* round(): Work {
    yield* markChanged()
    yield* tellDue()
    isTelling = false
    if (board.changed.size > 0 || due.length > 0) plan()
  }
  function* one(reader: Reader): Work {
    yield
    if (tell(reader, board)) return
    mark(reader)
    plan()
  }
  return { plan, tellSoon: (reader) => slices.add('later', one(reader)), close: () => clearTimeout(timer) }
}

/** False for a reader who has not taken what he was sent before. */
function tell(reader: Reader, board: ValueBoard<Reader>): boolean {
  if (reader.outlet.waitingBytes() > ENOUGH_BYTES) return false
  const items = reader.tags.flatMap((tag) => (tag.version > reader.seen ? (textOf(tag) ?? []) : []))
  reader.seen = board.version()
  if (items.length > 0) reader.outlet.sendText(`{"type":"values","items":[${items.join(',')}]}`)
  return true
}
