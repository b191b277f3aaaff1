import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { HistoryBatch } from '../batch.ts'
import type { HistorianStatus, RangeMark, StoredGap } from '../historian.ts'
import { clearLeftovers } from './block-file.ts'
import {
  type BlockFile,
  createSlot,
  files,
  inTransaction,
  prepare,
  readClasses,
  readWideTags,
  slots,
  tableOf,
} from './catalogue.ts'
import { appendWide, items } from './columns.ts'
import { type HotNumbers, packed, SlotMemory, unpack } from './hot-numbers.ts'
import type { Retention } from './retention.ts'

export interface StoreOptions {
  /** Folder of the database file and the blocks. */
  readonly dir: string
  /** In DuckDB's notation, e.g. `192MB`. */
  readonly memoryLimit: string
  /** Most that DuckDB may write aside, e.g. `8GB`. */
  readonly tempLimit: string
  readonly threads: number
  /** A slot is sealed when it holds this many rows, or is this old. */
  readonly slotRows: number
  readonly slotMs: number
  /** Sealed slots that may wait to be sorted; beyond it a commit waits. */
  readonly waitingSlots: number
  /** Blocks of one level that make one of the next within a day. */
  readonly mergeBlocks: number
  /** A merge makes no block of more rows than this. */
  readonly mergeRows: number
  /** How long a file that was merged stays for queries under way. */
  readonly graceMs: number
  /** A query is stopped after this time. */
  readonly queryLimitMs: number
  /** What to keep for how long, by class; a class that is not named is kept for ever. */
  readonly retention: Retention
  /** Below this much free space a fault is told; below a quarter of it nothing is committed. */
  readonly lowSpaceBytes: number
}

/** A slot: tables in the database, and its numbers in memory as well. */
export interface Slot {
  readonly id: number
  readonly openedAt: number
  readonly hot: HotNumbers
  wideRows: number
}

/** What the manifest says at one moment. */
export interface View {
  readonly version: number
  readonly files: readonly BlockFile[]
  /** Oldest first; the last one takes new rows. */
  readonly slots: readonly Slot[]
}

/** The open database: one instance in one thread, because a second one on the same file loses committed rows. */
export interface Store {
  readonly options: StoreOptions
  readonly blocks: string
  /** Appends, commits and checkpoints. Use inside lock(). */
  readonly writer: DuckDBConnection
  readonly view: View
  readonly classes: Map<number, number>
  readonly wideTags: ReadonlySet<number>
  connect(): Promise<DuckDBConnection>
  /** Runs `work` alone on the writer. */
  lock<T>(work: () => Promise<T>): Promise<T>
  commit(batch: HistoryBatch): Promise<void>
  /** Opens the next slot; the one before may then be sorted. */
  seal(now: number): Promise<void>
  /** Runs `work` as one transaction that changes what the manifest says; `changed` tells what it says then. */
  alter(work: () => Promise<void>, changed: (view: View) => Omit<View, 'version'>): Promise<void>
  /** Puts tags into retention classes, for the files to come. */
  classify(tags: readonly { readonly tag: number; readonly class: number }[]): Promise<void>
  marks(): RangeMark[]
  gaps(): Promise<StoredGap[]>
  status(): HistorianStatus
  close(): Promise<void>
}

interface State {
  readonly options: StoreOptions
  readonly writer: DuckDBConnection
  readonly memory: SlotMemory
  readonly marks: Marks
  readonly wideTags: Set<number>
  view: View
  /** Of the newest slot's tables; made by the commit that needs them, so that they never stand for a sealed slot. */
  appenders: Appenders | undefined
}

interface Appenders {
  readonly n: DuckDBAppender
  readonly w: DuckDBAppender
}

/** Opens or makes the history in a folder. @throws Error when a file that the manifest names is missing, or the format is another. */
export async function openStore(options: StoreOptions, now: number): Promise<Store> {
  const blocks = join(options.dir, 'blocks')
  mkdirSync(blocks, { recursive: true })
  const instance = await DuckDBInstance.create(join(options.dir, 'history.duckdb'), {
    memory_limit: options.memoryLimit,
    max_temp_directory_size: options.tempLimit,
    temp_directory: join(options.dir, 'temp'),
    threads: String(options.threads),
    // A slot ends with a checkpoint of its own; one more in the midst of a slot would write its values twice.
    checkpoint_threshold: '1GB',
    autoinstall_known_extensions: 'false',
  })
  const writer = await instance.connect()
  await prepare(writer, options.dir)
  const named = await files(writer)
  clearLeftovers(blocks, named)
  const memory = new SlotMemory(options.slotRows)
  if ((await slots(writer)).length === 0) await inTransaction(writer, () => createSlot(writer, 1, now))
  const view = { version: await readVersion(writer), files: named, slots: await loadSlots(writer, memory) }
  const [marks, wideTags] = [await readMarks(writer), await readWideTags(writer)]
  const state: State = { options, writer, memory, marks, wideTags, view, appenders: undefined }
  return makeStore(state, { instance, blocks, classes: await readClasses(writer) })
}

const newestOf = ({ slots: all }: View): Slot => all.at(-1) as Slot

async function readVersion(connection: DuckDBConnection): Promise<number> {
  return Number(items<bigint>(await connection.run('SELECT version FROM manifest'), 0)[0])
}

/** Reads the slots of the last run back into memory. */
async function loadSlots(writer: DuckDBConnection, memory: SlotMemory): Promise<Slot[]> {
  const loaded: Slot[] = []
  for (const { id, openedAt } of await slots(writer)) {
    const total = await writer.run(`SELECT coalesce(sum(rows), 0)::DOUBLE FROM ${tableOf('n', id)}`)
    const hot = memory.take(items<number>(total, 0)[0] ?? 0)
    const result = await writer.run(`SELECT rows, data FROM ${tableOf('n', id)}`)
    const data = items<{ readonly bytes: Uint8Array }>(result, 1)
    for (const [index, rows] of items<number>(result, 0).entries()) {
      hot.append(unpack(rows ?? 0, data[index]?.bytes ?? new Uint8Array(0)))
    }
    const wide = await writer.run(`SELECT count(*)::DOUBLE FROM ${tableOf('w', id)}`)
    loaded.push({ id, openedAt, hot, wideRows: items<number>(wide, 0)[0] ?? 0 })
  }
  return loaded
}

const appendersOf = async (writer: DuckDBConnection, slot: number): Promise<Appenders> => ({
  n: await writer.createAppender(tableOf('n', slot)),
  w: await writer.createAppender(tableOf('w', slot)),
})

type Journal = Omit<RangeMark, 'ranges'>
type Marks = Map<string, { readonly journal: Journal; readonly set: RangeSet }>
const keyOf = ({ group, edge, epoch }: Journal) => `${group}/${edge}/${epoch}`

async function readMarks(connection: DuckDBConnection): Promise<Marks> {
  const result = await connection.run('SELECT grp, edge, epoch, ranges FROM marks')
  const [edges, ranges] = [items<string>(result, 1), items<string>(result, 3)]
  const epochs = items<bigint>(result, 2)
  return new Map(
    items<string>(result, 0).map((group, index) => {
      const journal = { group: group ?? '', edge: edges[index] ?? '', epoch: epochs[index] ?? 0n }
      return [keyOf(journal), { journal, set: RangeSet.parse(ranges[index] ?? '') }]
    }),
  )
}

interface Opened {
  readonly instance: DuckDBInstance
  readonly blocks: string
  readonly classes: Map<number, number>
}

function makeStore(state: State, { instance, blocks, classes }: Opened): Store {
  const { options, writer, marks, wideTags } = state
  let tail: Promise<unknown> = Promise.resolve()
  const lock = <T>(work: () => Promise<T>): Promise<T> => {
    const run = tail.then(work, work)
    tail = run.catch(() => undefined)
    return run
  }
  return {
    ...{ options, blocks, writer, classes, wideTags, lock },
    get view() {
      return state.view
    },
    connect: () => instance.connect(),
    commit: (batch) => lock(() => commitBatch(state, batch)),
    seal: (now) => lock(() => sealSlot(state, now)),
    alter: (work, changed) => lock(() => alterView(state, work, changed)),
    classify: (tags) => lock(() => classify(writer, classes, tags)),
    marks: () => [...marks.values()].map(({ journal, set }) => ({ ...journal, ranges: set.serialise() })),
    gaps: () => lock(() => readGaps(writer)),
    status: () => statusOf(state.view),
    async close() {
      await lock(async () => {
        dropAppenders(state)
        writer.closeSync()
        instance.closeSync()
      })
    },
  }
}

function dropAppenders(state: State): void {
  for (const appender of state.appenders ? [state.appenders.n, state.appenders.w] : []) {
    try {
      appender.clear()
      appender.closeSync()
    } catch {
      // An appender whose transaction failed refuses to close; it is not used again.
    }
  }
  state.appenders = undefined
}

async function classify(
  writer: DuckDBConnection,
  classes: Map<number, number>,
  tags: readonly { readonly tag: number; readonly class: number }[],
): Promise<void> {
  const changed = tags.filter(({ tag, class: cls }) => (classes.get(tag) ?? 0) !== cls)
  if (changed.length === 0) return
  const rows = changed.map(({ tag, class: cls }) => `(${Math.trunc(tag)}, ${Math.trunc(cls)})`)
  await writer.run(
    `INSERT INTO classes VALUES ${rows.join(', ')} ON CONFLICT (tag) DO UPDATE SET class = excluded.class`,
  )
  for (const { tag, class: cls } of changed) {
    if (cls === 0) classes.delete(tag)
    else classes.set(tag, cls)
  }
}

async function commitBatch(state: State, batch: HistoryBatch): Promise<void> {
  const { writer, marks, wideTags } = state
  if (!newestOf(state.view).hot.hasRoom(batch.numbers.count)) await sealSlot(state, Date.now(), batch.numbers.count)
  const next = batch.marks.map(({ ranges, ...journal }) => {
    const set = RangeSet.parse(ranges)
    const known = marks.get(keyOf(journal))
    if (known) set.merge(known.set)
    return { journal, set }
  })
  const wide = new Set(batch.wide.map((row) => row.tag).filter((tag) => !wideTags.has(tag)))
  state.appenders ??= await appendersOf(writer, newestOf(state.view).id)
  const { appenders } = state
  try {
    await inTransaction(writer, async () => {
      appendRows(appenders, batch)
      if (wide.size > 0)
        await writer.run(`INSERT INTO wide_tags VALUES ${[...wide].map((tag) => `(${tag})`).join(', ')}`)
      await putMarks(writer, next)
      for (const gap of batch.gaps) await putGap(writer, gap)
    })
  } catch (error) {
    dropAppenders(state)
    throw error
  }
  for (const mark of next) marks.set(keyOf(mark.journal), mark)
  for (const tag of wide) wideTags.add(tag)
  const slot = newestOf(state.view)
  slot.hot.append(batch.numbers)
  slot.wideRows += batch.wide.length
}

/** Rows that are not flushed before COMMIT are not in the transaction. */
function appendRows({ n, w }: Appenders, { numbers, wide }: HistoryBatch): void {
  for (const { rows, bytes } of packed(numbers)) {
    n.appendInteger(rows)
    n.appendBlob(bytes)
    n.endRow()
  }
  appendWide(w, wide)
  n.flushSync()
  w.flushSync()
}

/** Marks of one statement: each statement costs more than the marks in it. */
const MARKS_AT_ONCE = 500

async function putMarks(
  writer: DuckDBConnection,
  marks: readonly { journal: Journal; set: RangeSet }[],
): Promise<void> {
  for (let from = 0; from < marks.length; from += MARKS_AT_ONCE) {
    const some = marks.slice(from, from + MARKS_AT_ONCE)
    const rows = some.map(
      ({ journal }, i) => `($${3 * i + 1}, $${3 * i + 2}, ${journal.epoch}::UBIGINT, $${3 * i + 3})`,
    )
    await writer.run(
      `INSERT INTO marks VALUES ${rows.join(', ')} ON CONFLICT (grp, edge, epoch) DO UPDATE SET ranges = excluded.ranges`,
      some.flatMap(({ journal, set }) => [journal.group, journal.edge, set.serialise()]),
    )
  }
}

async function putGap(writer: DuckDBConnection, gap: StoredGap): Promise<void> {
  const { epoch, first, last, count, firstTime, lastTime, recordedAt } = gap
  const times = [firstTime, lastTime, recordedAt].map((time) => (time === null ? 'NULL' : Math.trunc(time))).join(', ')
  await writer.run(
    `INSERT INTO gaps VALUES ($1, $2, $3, ${epoch}::UBIGINT, $4, ${first}::UBIGINT, ${last}::UBIGINT, ${count}::UBIGINT, $5, ${times})
     ON CONFLICT (id) DO NOTHING`,
    [gap.id, gap.group, gap.edge, gap.device, gap.cause],
  )
}

async function sealSlot(state: State, now: number, rows = 0): Promise<void> {
  const { writer, memory } = state
  const id = newestOf(state.view).id + 1
  await alterView(
    state,
    () => createSlot(writer, id, now),
    ({ files: named, slots: all }) => ({
      files: named,
      slots: [...all, { id, openedAt: now, hot: memory.take(rows), wideRows: 0 }],
    }),
  )
  dropAppenders(state)
}

async function alterView(
  state: State,
  work: () => Promise<void>,
  changed: (view: View) => Omit<View, 'version'>,
): Promise<void> {
  await inTransaction(state.writer, async () => {
    await work()
    await state.writer.run('UPDATE manifest SET version = version + 1')
  })
  state.view = { ...changed(state.view), version: state.view.version + 1 }
}

async function readGaps(writer: DuckDBConnection): Promise<StoredGap[]> {
  const result = await writer.run(
    `SELECT id, grp, edge, epoch, device, first, last, count, cause, first_at, last_at, recorded_at FROM gaps ORDER BY recorded_at`,
  )
  const rows = await result.getRows()
  const time = (value: unknown) => (value === null ? null : Number(value))
  return rows.map(([id, group, edge, epoch, device, first, last, count, cause, firstAt, lastAt, recordedAt]) => ({
    id: String(id),
    group: String(group),
    edge: String(edge),
    epoch: epoch as bigint,
    device: device as string | null,
    first: first as bigint,
    last: last as bigint,
    count: count as bigint,
    cause: String(cause),
    firstTime: time(firstAt),
    lastTime: time(lastAt),
    recordedAt: Number(recordedAt),
  }))
}

function statusOf({ files: named, slots: all }: View): HistorianStatus {
  const hotRows = all.reduce((sum, slot) => sum + slot.hot.count + slot.wideRows, 0)
  const values = named.filter((file) => file.kind === 'n' || file.kind === 'w')
  const filled = all.find((slot) => slot.hot.count + slot.wideRows > 0)
  return {
    hotRows,
    ...(filled ? { hotSince: filled.openedAt } : {}),
    fileRows: values.reduce((sum, file) => sum + file.rows, 0),
    files: named.length,
    sizeBytes: named.reduce((sum, file) => sum + file.sizeBytes, 0),
  }
}
