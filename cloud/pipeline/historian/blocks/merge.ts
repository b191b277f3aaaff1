import { type BlockPlace, type OpenBlock, openBlock } from './reader.ts'
import { RollUps } from './roll-up.ts'
import { type BlockKind, type Column, type Columns, groupRowsOf, HOUR_MS, MINUTE_MS, schemaOf, TAG } from './schema.ts'
import { endOfTag, sortRun } from './sort.ts'
import { type BlockWriter, createBlock, type WrittenBlock } from './writer.ts'

export interface MergeOrder {
  readonly kind: BlockKind
  /** Files to merge, oldest values first. */
  readonly from: readonly BlockPlace[]
  readonly path: string
}

/**
 * Merges sorted files into one, tag by tag, holding one row group of each. `pause` is awaited after each row group, so
 * that the thread can do what is more urgent. @throws Error of the file system.
 */
export async function mergeBlocks(order: MergeOrder, pause: () => Promise<void>): Promise<WrittenBlock | undefined> {
  const { kind, path } = order
  const blocks = order.from.map((place) => openBlock(place, schemaOf(kind)))
  const writer = createBlock({ path, schema: schemaOf(kind), groupRows: groupRowsOf(kind, 'merge') })
  try {
    const sink = kind === 'n' ? valueSink(writer) : rollUpSink(writer, kind)
    const cursors = blocks.map(cursorOf)
    let due = groupRowsOf(kind, 'merge')
    for (let tag = leastTag(cursors); tag !== undefined; tag = leastTag(cursors)) {
      for (const cursor of cursors) due -= cursor.give(tag, sink.take)
      sink.endTag()
      if (due > 0) continue
      await pause()
      due = groupRowsOf(kind, 'merge')
    }
    sink.end()
    return writer.finish()
  } catch (error) {
    writer.abandon()
    throw error
  } finally {
    for (const block of blocks) block.close()
  }
}

type Take = (columns: Columns, from: number, to: number) => void

interface Cursor {
  /** Tag of the next row; undefined at the end. */
  readonly tag: number | undefined
  /** Gives all rows of `tag` to `take`, group by group; returns their number, 0 when the next row is of another. */
  give(tag: number, take: Take): number
}

function cursorOf(block: OpenBlock): Cursor {
  let group = 0
  let row = 0
  let columns: Columns = []
  const load = () => {
    row = 0
    columns = group < block.groups ? block.group(group++).load().columns() : []
  }
  load()
  const tags = () => columns[TAG] as Int32Array | undefined
  return {
    get tag() {
      return tags()?.[row]
    },
    give(tag, take) {
      let given = 0
      for (let own = tags(); own?.[row] === tag; own = tags()) {
        const end = endOfTag(own, row, own.length)
        take(columns, row, end)
        given += end - row
        row = end
        if (row === own.length) load()
      }
      return given
    },
  }
}

function leastTag(cursors: readonly Cursor[]): number | undefined {
  let least: number | undefined
  for (const { tag } of cursors) if (tag !== undefined && (least === undefined || tag < least)) least = tag
  return least
}

interface Sink {
  readonly take: Take
  endTag(): void
  end(): void
}

/** Gathers the values of one tag from all files and writes them in order of time. */
function valueSink(writer: BlockWriter): Sink {
  let run: Column[] = [new Int32Array(4096), new Float64Array(4096), new Float64Array(4096), new Float64Array(4096)]
  let rows = 0
  const grow = (needed: number) => {
    run = run.map((column) => {
      const grown = new (column.constructor as typeof Float64Array)(Math.max(needed, column.length * 2))
      grown.set(column)
      return grown
    })
  }
  return {
    take(columns, from, to) {
      const needed = rows + to - from
      if (needed > (run[0]?.length ?? 0)) grow(needed)
      for (const [index, column] of run.entries()) column.set((columns[index] as Column).subarray(from, to), rows)
      rows = needed
    },
    endTag() {
      sortRun(run, 0, rows)
      writer.add(run, 0, rows)
      rows = 0
    },
    end: () => undefined,
  }
}

/** Adds up rows of one bucket that several files hold. */
function rollUpSink(writer: BlockWriter, kind: BlockKind): Sink {
  const buckets = { widthMs: kind === 'm' ? MINUTE_MS : HOUR_MS, origin: 0 }
  let rollUps = new RollUps(buckets)
  let taken = 0
  const end = () => {
    const rows = rollUps.finish()
    writer.add(rows, 0, rows[TAG]?.length ?? 0)
    rollUps = new RollUps(buckets)
    taken = 0
  }
  return {
    take(columns, from, to) {
      rollUps.addRows(columns, from, to)
      taken += to - from
    },
    endTag: () => {
      if (taken >= groupRowsOf(kind, 'merge')) end()
    },
    end,
  }
}
