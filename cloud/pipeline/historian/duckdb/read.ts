import type { DuckDBConnection } from '@duckdb/node-api'
import type { Quality } from '#shared/contracts/sample.ts'
import type { RawValues, ReadPart, ReadSet } from '../blocks/read-blocks.ts'
import type { LastNumber, LastOrder } from '../blocks/read-last.ts'
import type { ReadCalls } from '../blocks/read-thread.ts'
import { HOUR_MS, MINUTE_MS } from '../blocks/schema.ts'
import type { CalledThread } from '../blocks/thread.ts'
import {
  type BucketColumns,
  type BucketRequest,
  HistoryTimeoutError,
  type LastValue,
  type RawColumns,
  type RawRequest,
} from '../historian.ts'
import type { BlockFile } from './catalogue.ts'
import { items } from './columns.ts'
import { blocksOf } from './merge-plan.ts'
import { levelFor, planRead, type ReadPlan, readPart, type Span } from './read-plan.ts'
import type { Store, View } from './store.ts'
import { readLastWide, readWide, readWideNumbers, type WideRows } from './wide.ts'

/** Answers queries beside the writer, each stopped at the store's time limit: numbers in a thread of its own, wide values by DuckDB. */
export interface Reader {
  buckets(request: BucketRequest): Promise<BucketColumns>
  raw(request: RawRequest): Promise<RawColumns>
  last(tags: readonly number[], before: number): Promise<LastValue[]>
  close(): Promise<void>
}

/** Two, so that a long query does not hold up the short ones. */
const CONNECTIONS = 2

interface Means {
  readonly store: Store
  readonly thread: CalledThread
  /** Runs `work` at one state of the manifest, with a connection that sees the same state. */
  readonly wide: <T>(work: (connection: DuckDBConnection, view: View) => Promise<T>) => Promise<T>
}

/** Opens the reading side of a store. */
export async function openReader(store: Store, thread: CalledThread): Promise<Reader> {
  const idle: DuckDBConnection[] = []
  const waiting: ((connection: DuckDBConnection) => void)[] = []
  for (let i = 0; i < CONNECTIONS; i++) idle.push(await store.connect())
  const borrow = () => {
    const free = idle.pop()
    return free ? Promise.resolve(free) : new Promise<DuckDBConnection>((resolve) => waiting.push(resolve))
  }
  const giveBack = (connection: DuckDBConnection) => {
    const next = waiting.shift()
    if (next) next(connection)
    else idle.push(connection)
  }
  const means: Means = {
    store,
    thread,
    async wide(work) {
      const connection = await borrow()
      try {
        return await limited(connection, store.options.queryLimitMs, () => atOneState(store, connection, work))
      } finally {
        giveBack(connection)
      }
    },
  }
  return {
    buckets: (request) => readBuckets(means, request),
    raw: (request) => readRaw(means, request),
    last: (tags, before) => readLast(means, tags, before),
    async close() {
      for (let i = 0; i < CONNECTIONS; i++) (await borrow()).closeSync()
    },
  }
}

/** Between the commit of the manifest and our word of it lies a moment; whoever falls into it looks again. */
async function atOneState<T>(
  store: Store,
  connection: DuckDBConnection,
  work: (connection: DuckDBConnection, view: View) => Promise<T>,
): Promise<T> {
  for (;;) {
    await connection.run('BEGIN')
    try {
      const [version] = items<bigint>(await connection.run('SELECT version FROM manifest'), 0)
      const { view } = store
      if (Number(version) === view.version) return await work(connection, view)
    } finally {
      await connection.run('ROLLBACK')
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Interrupting reaches only a statement that runs, so it is done again until the query, which has several, has ended. */
const INTERRUPT_EVERY_MS = 20

async function limited<T>(connection: DuckDBConnection, limitMs: number, work: () => Promise<T>): Promise<T> {
  let isLate = false
  const interrupt = () => {
    isLate = true
    connection.interrupt()
    timer = setTimeout(interrupt, INTERRUPT_EVERY_MS)
  }
  let timer = setTimeout(interrupt, limitMs)
  try {
    return await work()
  } catch (error) {
    if (!isLate) throw error
    throw new HistoryTimeoutError(`The query was stopped after ${limitMs} ms; ask for a shorter time or fewer tags`)
  } finally {
    clearTimeout(timer)
  }
}

/** Asks the read thread; the slots' memory is held meanwhile. */
async function ask<C extends keyof ReadCalls>(
  { store, thread }: Means,
  view: View,
  { call, argument }: { readonly call: C; readonly argument: ReadCalls[C] },
): Promise<unknown> {
  for (const slot of view.slots) slot.hot.hold()
  try {
    return await thread.call(call, argument, { limitMs: store.options.queryLimitMs })
  } finally {
    for (const slot of view.slots) slot.hot.release()
  }
}

const wideOf = (store: Store, tags: readonly number[]): number[] => tags.filter((tag) => store.wideTags.has(tag))
const ascending = (tags: readonly number[]): number[] => [...new Set(tags)].sort((a, b) => a - b)

async function readBuckets(means: Means, request: BucketRequest): Promise<BucketColumns> {
  const { store } = means
  const { from, to, widthMs, origin = from } = request
  const tags = ascending(request.tags)
  const span = { from, to }
  const plan = (view: View) => planRead(view, store.blocks, span, levelFor(widthMs, origin))
  const query = (view: View, set: ReadSet) =>
    ask(means, view, { call: 'buckets', argument: { set, tags, widthMs, origin } }) as Promise<BucketColumns>
  const wide = wideOf(store, tags)
  if (wide.length === 0) return query(store.view, plan(store.view))
  const found = await means.wide(async (connection, view) => {
    for (const slot of view.slots) slot.hot.hold()
    const planned = plan(view)
    const values = await readWideNumbers(connection, { store, view, tags: wide, span, files: planned.wide })
    return { view, planned, values }
  })
  try {
    const memory = [...found.planned.memory, { values: found.values, ...span }]
    return await query(found.view, { files: found.planned.files, memory })
  } finally {
    for (const slot of found.view.slots) slot.hot.release()
  }
}

async function readRaw(means: Means, request: RawRequest): Promise<RawColumns> {
  const { store } = means
  const span = { from: request.from, to: request.to }
  const plan = (view: View): ReadPlan => {
    const planned = planRead(view, store.blocks, span, 'n')
    return { ...planned, files: planned.files.filter((file) => file.kind === 'n') }
  }
  const numbers = (view: View) =>
    ask(means, view, {
      call: 'raw',
      argument: { set: plan(view), tag: request.tag, rows: request.skip + request.limit },
    }) as Promise<RawValues>
  if (!store.wideTags.has(request.tag)) return page({ ...(await numbers(store.view)), wide: [], text: [] }, request)
  const rows = await means.wide(async (connection, view) => {
    const files = plan(view).wide
    const [own, wide] = await Promise.all([
      numbers(view),
      readWide(connection, { store, view, tags: [request.tag], span, files }),
    ])
    return own.at.length === 0 ? wide : joined(own, wide)
  })
  return page(rows, request)
}

/** A tag whose type changed has both. */
function joined(numbers: RawValues, wide: WideRows): WideRows {
  const rows = [
    ...Array.from(numbers.at, (at, i) => ({ at, from: numbers, i, isWide: false })),
    ...Array.from(wide.at, (at, i) => ({ at, from: wide, i, isWide: true })),
  ].sort((a, b) => a.at - b.at)
  return {
    at: Float64Array.from(rows, (row) => row.at),
    v: Float64Array.from(rows, (row) => row.from.v[row.i] as number),
    q: Float64Array.from(rows, (row) => row.from.q[row.i] as number),
    wide: rows.map((row) => (row.isWide ? (wide.wide[row.i] ?? null) : null)),
    text: rows.map((row) => (row.isWide ? (wide.text[row.i] ?? null) : null)),
  }
}

function page({ at, v, q, wide, text }: WideRows, { skip, limit }: RawRequest): RawColumns {
  const isAll = skip === 0 && limit >= at.length
  const cut = (column: Float64Array) => (isAll ? column : column.slice(skip, skip + limit))
  const listed = <T>(column: readonly (T | null)[]) => {
    const part = column.slice(skip, skip + limit)
    return part.every((value) => value === null) ? [] : part
  }
  return { at: cut(at), v: cut(v), q: cut(q), wide: listed(wide), text: listed(text) }
}

async function readLast(means: Means, tags: readonly number[], before: number): Promise<LastValue[]> {
  const { store } = means
  const { view: present } = store
  const order = lastOrder(store, present, { tags: ascending(tags), before })
  const numbers = (await ask(means, present, { call: 'last', argument: order })) as LastNumber[]
  const found = new Map(numbers.map((number) => [number.tag, lastValue(number)]))
  const wideTags = wideOf(store, tags)
  if (wideTags.length === 0) return [...found.values()]
  const wide = await means.wide((connection, view) => readLastWide(connection, { store, view, tags: wideTags, before }))
  for (const value of wide.values()) {
    // A roll-up tells a 64-bit integer as a double; of one time the exact one counts.
    if ((found.get(value.tag)?.sourceAt ?? Number.NEGATIVE_INFINITY) <= value.sourceAt) found.set(value.tag, value)
  }
  return [...found.values()]
}

const lastValue = ({ tag, at, v, q }: LastNumber): LastValue => ({
  ...{ tag, sourceAt: at, value: Number.isNaN(v) ? null : v, quality: q as Quality },
})

function lastOrder(store: Store, view: View, { tags, before }: Pick<LastOrder, 'tags' | 'before'>): LastOrder {
  const span: Span = { from: Number.NEGATIVE_INFINITY, to: before }
  const { memory } = planRead({ ...view, files: [] }, store.blocks, span, 'n')
  const blocks = blocksOf(view.files.filter((file) => file.firstAt < before))
    .map(({ files }) => ({ lastAt: lastAtOf(files), files: coarsestFirst(files, store.blocks, span) }))
    .toSorted((a, b) => b.lastAt - a.lastAt)
  return { tags, before, memory, blocks }
}

/** The newest value's time; without values, the end of the newest bucket. */
function lastAtOf(files: readonly BlockFile[]): number {
  const values = files.filter((file) => file.kind === 'n' || file.kind === 'w')
  if (values.length > 0) return Math.max(...values.map((file) => file.lastAt))
  return Math.max(...files.map((file) => file.lastAt + (file.kind === 'h' ? HOUR_MS : MINUTE_MS)))
}

function coarsestFirst(files: readonly BlockFile[], blocks: string, span: Span): ReadPart[] {
  return (['h', 'm', 'n'] as const).flatMap((kind) =>
    files.filter((file) => file.kind === kind).map((file) => readPart({ ...file, kind }, blocks, span)),
  )
}
