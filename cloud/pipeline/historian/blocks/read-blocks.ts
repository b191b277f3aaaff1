import type { NumberColumns } from '../batch.ts'
import type { BucketColumns } from '../historian.ts'
import { type BlockPlace, type IndexCache, openBlock, type RowGroup } from './reader.ts'
import { COUNT, FIRST, LAST, LAST_IN, MAX, MAX_IN, MIN, MIN_IN, NUMBERS_IN, QUALITY, RollUps, SUM } from './roll-up.ts'
import { type BlockKind, type Column, type Columns, Q, schemaOf, TAG, TS, V } from './schema.ts'
import { endOfTag } from './sort.ts'

/** A file to read, and what of it counts: source times from `from` up to, not including, `to` (ms since 1970). */
export interface ReadPart extends BlockPlace {
  readonly kind: BlockKind
  /** Of the values in it. */
  readonly firstAt: number
  readonly from: number
  readonly to: number
}

/** Values in memory that count: those of a slot, or those that are stored otherwise. */
export interface MemoryPart {
  readonly values: NumberColumns
  readonly from: number
  readonly to: number
}

/** What a query reads. The files are complete and never change while it runs. */
export interface ReadSet {
  /** Oldest first. */
  readonly files: readonly ReadPart[]
  readonly memory: readonly MemoryPart[]
}

/** Awaited between row groups: gives way to other queries and throws when the time is over. */
export type Breathe = () => Promise<void>

/** Takes rows `from` to `to` − 1, all of one tag unless they stand in memory. */
export type Take = (columns: Columns, from: number, to: number, kind: BlockKind) => void

export interface Wanted {
  /** Ascending. */
  readonly tags: readonly number[]
  readonly set: ReadSet
}

export interface Walk {
  readonly cache: IndexCache
  readonly take: Take
  readonly breathe: Breathe
  /** Asked before each row group of a file. */
  readonly isEnough?: (part: ReadPart) => boolean
}

/** Gives each stretch of rows of a wanted tag to `take`: of files in their order, of each tag in order of time. */
export async function walk({ tags, set }: Wanted, means: Walk): Promise<void> {
  const isWanted = new Set(tags)
  for (const part of set.memory) {
    const found = pick(part, isWanted)
    if (found[TAG]?.length) means.take(found, 0, found[TAG].length, 'n')
    await means.breathe()
  }
  for (const part of set.files) await walkFile(part, tags, means)
}

async function walkFile(part: ReadPart, tags: readonly number[], means: Walk): Promise<void> {
  const { cache, take, breathe, isEnough = () => false } = means
  if (isEnough(part)) return
  const isWanted = new Set(tags)
  const block = openBlock(part, schemaOf(part.kind), cache)
  try {
    for (let i = 0; i < block.groups && !isEnough(part); i++) {
      const group = block.group(i)
      if (!touches(group, part, tags)) continue
      walkGroup(group, part, isWanted, take)
      await breathe()
    }
  } finally {
    block.close()
  }
}

function touches(group: RowGroup, { from, to }: ReadPart, tags: readonly number[]): boolean {
  if (group.firstAt >= to || group.lastAt < from) return false
  const at = lowerBound(tags, 0, tags.length, group.firstTag)
  const next = tags[at]
  return next !== undefined && next <= group.lastTag
}

function walkGroup(group: RowGroup, part: ReadPart, isWanted: ReadonlySet<number>, take: Take): void {
  const loaded = group.load()
  const isOne = group.firstTag === group.lastTag
  const tags = isOne ? new Int32Array(group.rows).fill(group.firstTag) : (loaded.column(TAG) as Int32Array)
  const stretches = stretchesOf(tags, isWanted)
  const [from, to] = [stretches[0]?.from, stretches.at(-1)?.to]
  if (from === undefined || to === undefined) return
  const ts = loaded.column(TS)
  const rest = schemaOf(part.kind)
    .map((_, index) => index)
    .slice(TS + 1)
  // Only what lies between the first wanted row and the last is decoded.
  const columns = [
    tags.subarray(from, to),
    ts.subarray(from, to),
    ...rest.map((index) => loaded.column(index, from, to)),
  ]
  for (const stretch of stretches) {
    const first = lowerBound(ts, stretch.from, stretch.to, part.from)
    const last = lowerBound(ts, stretch.from, stretch.to, part.to)
    if (first < last) take(columns, first - from, last - from, part.kind)
  }
}

interface Stretch {
  readonly from: number
  readonly to: number
}

/** Rows of the wanted tags, a stretch a tag. */
function stretchesOf(tags: Int32Array, isWanted: ReadonlySet<number>): Stretch[] {
  const stretches: Stretch[] = []
  for (let from = 0; from < tags.length; ) {
    const to = endOfTag(tags, from, tags.length)
    if (isWanted.has(tags[from] as number)) stretches.push({ from, to })
    from = to
  }
  return stretches
}

/** The first place in [from, to) whose number is at least `wanted`. */
function lowerBound(sorted: ArrayLike<number>, from: number, to: number, wanted: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** The wanted values of a slot, in the order in which they came. */
function pick({ values, from, to }: MemoryPart, isWanted: ReadonlySet<number>): Columns {
  const { tag, ts, v, q, count } = values
  const only = isWanted.size === 1 ? isWanted.values().next().value : undefined
  const places: number[] = []
  for (let i = 0; i < count; i++) {
    const own = tag[i] as number
    if (only === undefined ? !isWanted.has(own) : own !== only) continue
    const at = ts[i] as number
    if (at >= from && at < to) places.push(i)
  }
  return [
    Int32Array.from(places, (i) => tag[i] as number),
    ...[ts, v, q].map((column) => Float64Array.from(places, (i) => column[i] as number)),
  ]
}

export interface RawValues {
  readonly at: Float64Array<ArrayBuffer>
  readonly v: Float64Array<ArrayBuffer>
  readonly q: Float64Array<ArrayBuffer>
}

/** The first `rows` values of one tag, or some more, in order of time, values of one time in order of value. */
export async function readRaw(
  { set, tag, rows: wanted }: { readonly set: ReadSet; readonly tag: number; readonly rows: number },
  cache: IndexCache,
  breathe: Breathe,
): Promise<RawValues> {
  const pieces: Columns[] = []
  let own = 0
  let file: ReadPart | undefined
  await walk(
    { tags: [tag], set },
    {
      cache,
      breathe,
      take(columns, from, to) {
        pieces.push(columns.map((column) => column.subarray(from, to)))
        own += to - from
      },
      isEnough(part) {
        if (part !== file) {
          file = part
          own = 0
          return rowsBefore(pieces, part.firstAt) >= wanted
        }
        return own >= wanted
      },
    },
  )
  const rows = pieces.reduce((sum, piece) => sum + (piece[TS]?.length ?? 0), 0)
  const joined = [TS, V, Q].map((column) => join(pieces, column, rows)) as [Doubles, Doubles, Doubles]
  return inOrder({ at: joined[0], v: joined[1], q: joined[2] })
}

/** How many values are older; pieces of slots are not quite in order of time, so that fewer may be counted. */
function rowsBefore(pieces: readonly Columns[], at: number): number {
  return pieces.reduce((sum, piece) => sum + lowerBound(piece[TS] as Column, 0, piece[TS]?.length ?? 0, at), 0)
}

type Doubles = Float64Array<ArrayBuffer>

function join(pieces: readonly Columns[], column: number, rows: number): Doubles {
  const joined = new Float64Array(rows)
  let at = 0
  for (const piece of pieces) {
    const own = piece[column] as Column
    joined.set(own, at)
    at += own.length
  }
  return joined
}

function inOrder(values: RawValues): RawValues {
  const { at, v } = values
  let isOrdered = true
  for (let i = 1; i < at.length && isOrdered; i++) isOrdered = (at[i - 1] as number) < (at[i] as number)
  if (isOrdered) return values
  const order = Uint32Array.from(at, (_, index) => index).sort(
    (a, b) => (at[a] as number) - (at[b] as number) || (v[a] as number) - (v[b] as number) || a - b,
  )
  const sorted = (column: Doubles) => Float64Array.from(order, (i) => column[i] as number)
  return { at: sorted(at), v: sorted(v), q: sorted(values.q) }
}

/** Rows of buckets, from values and finer roll-ups alike. */
export async function readBuckets(
  wanted: Wanted & { readonly widthMs: number; readonly origin: number },
  cache: IndexCache,
  breathe: Breathe,
): Promise<BucketColumns> {
  const rollUps = new RollUps(wanted)
  await walk(wanted, {
    cache,
    breathe,
    take(columns, from, to, kind) {
      if (kind === 'n') rollUps.addValues(columns, from, to)
      else rollUps.addRows(columns, from, to)
    },
  })
  return bucketColumns(rollUps.finish(), wanted)
}

function bucketColumns(rows: Columns, { widthMs, origin }: { readonly widthMs: number; readonly origin: number }) {
  const column = (index: number) => Float64Array.from(rows[index] as Column)
  const start = rows[TS] as Column
  const numbers = column(NUMBERS_IN)
  const timeOf = (within: number) =>
    column(within).map((ms, row) => (numbers[row] === 0 ? Number.NaN : (start[row] as number) + ms))
  return {
    tag: column(TAG),
    bucket: column(TS).map((at) => (at - origin) / widthMs),
    ...{ first: column(FIRST), min: column(MIN), max: column(MAX), last: column(LAST) },
    ...{ minAt: timeOf(MIN_IN), maxAt: timeOf(MAX_IN) },
    lastAt: column(LAST_IN).map((ms, row) => (start[row] as number) + ms),
    ...{ count: column(COUNT), numbers, sum: column(SUM), quality: column(QUALITY) },
  }
}
