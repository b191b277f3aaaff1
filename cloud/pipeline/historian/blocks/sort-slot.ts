import type { NumberColumns } from '../batch.ts'
import { RollUps } from './roll-up.ts'
import { type BlockKind, type Columns, groupRowsOf, HOUR_MS, MINUTE_MS, schemaOf, TAG } from './schema.ts'
import { NumberSorter } from './sort.ts'
import { createBlock, type WrittenBlock } from './writer.ts'

export interface SortOrder {
  readonly numbers: NumberColumns
  /** The numbers in values that are stored otherwise: the roll-ups alone take them. */
  readonly wide: NumberColumns
  /** Retention class of the tags that are not of class 0. */
  readonly classes: ReadonlyMap<number, number>
  /** Start of the files' names; `-<class>-<kind>.parquet` follows. */
  readonly path: string
}

/** A file that was made of a slot; its name is that of the order with `-<class>-<kind>.parquet`. */
export interface SortedFile extends WrittenBlock {
  readonly kind: BlockKind
  readonly class: number
}

/** Keeps its memory from one slot to the next. */
const [ownSorter, wideSorter] = [new NumberSorter(), new NumberSorter()]

/** Sorts the values of a slot to files, with their roll-ups made on the way. @throws Error of the file system. */
export function sortSlot({ numbers, wide, classes, path }: SortOrder): SortedFile[] {
  const rest = byClass(wide, classes)
  const own = byClass(numbers, classes)
  return [...new Set([...own.keys(), ...rest.keys()])].sort().flatMap((cls) => {
    const write = (kind: BlockKind, columns: Columns): SortedFile[] => {
      const block = writeBlock(kind, columns, `${path}-${cls}-${kind}.parquet`)
      return block ? [{ ...block, kind, class: cls }] : []
    }
    const sorted = ownSorter.sort(own.get(cls) ?? NONE)
    const minutes = minutesOf([sorted, wideSorter.sort(rest.get(cls) ?? NONE)])
    const hours = new RollUps({ widthMs: HOUR_MS, origin: 0 })
    hours.addRows(minutes, 0, rowsOf(minutes))
    return [...write('n', sorted), ...write('m', minutes), ...write('h', hours.finish())]
  })
}

const NONE: NumberColumns = {
  count: 0,
  tag: new Int32Array(0),
  ts: new Float64Array(0),
  v: new Float64Array(0),
  q: new Uint8Array(0),
}

const rowsOf = (columns: Columns): number => columns[TAG]?.length ?? 0

function minutesOf(parts: readonly Columns[]): Columns {
  const minutes = new RollUps({ widthMs: MINUTE_MS, origin: 0 })
  for (const part of parts) minutes.addValues(part, 0, rowsOf(part))
  return minutes.finish()
}

function writeBlock(kind: BlockKind, columns: Columns, path: string): WrittenBlock | undefined {
  if (rowsOf(columns) === 0) return undefined
  const writer = createBlock({ path, schema: schemaOf(kind), groupRows: groupRowsOf(kind, 'slot'), isBrief: true })
  try {
    writer.add(columns, 0, rowsOf(columns))
    return writer.finish()
  } catch (error) {
    writer.abandon()
    throw error
  }
}

/** The values of each class; one class, the usual case, is given on as it is. */
function byClass(values: NumberColumns, classes: ReadonlyMap<number, number>): Map<number, NumberColumns> {
  if (values.count === 0) return new Map()
  if (classes.size === 0) return new Map([[0, values]])
  const places = new Map<number, number[]>()
  for (let i = 0; i < values.count; i++) {
    const cls = classes.get(values.tag[i] as number) ?? 0
    const own = places.get(cls)
    if (own) own.push(i)
    else places.set(cls, [i])
  }
  return new Map([...places].map(([cls, at]) => [cls, picked(values, at)]))
}

function picked(values: NumberColumns, at: readonly number[]): NumberColumns {
  return {
    count: at.length,
    tag: Int32Array.from(at, (i) => values.tag[i] as number),
    ts: Float64Array.from(at, (i) => values.ts[i] as number),
    v: Float64Array.from(at, (i) => values.v[i] as number),
    q: Uint8Array.from(at, (i) => values.q[i] as number),
  }
}
