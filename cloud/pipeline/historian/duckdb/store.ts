import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { HistoryBatch } from '../batch.ts'
import type { HistorianStatus, RangeMark, StoredGap } from '../historian.ts'
import { clearLeftovers } from './block-file.ts'
import { createSlot, files, inTransaction, KINDS, type Kind, prepare, slots, tableOf } from './catalogue.ts'
import { appendNumbers, appendWide, items } from './columns.ts'

export interface StoreOptions {
  /** Folder of the database file and the blocks. */
  readonly dir: string
  /** In DuckDB's notation, e.g. `192MB`. */
  readonly memoryLimit: string
  /** Most that sorting may write aside, e.g. `8GB`. */
  readonly tempLimit: string
  readonly threads: number
  /** A slot is sealed when it holds this many rows, or is this old. */
  readonly slotRows: number
  readonly slotMs: number
  /** Files of slots that make one bigger file within a day. */
  readonly mergeFiles: number
  /** How long a file that was merged stays for queries under way. */
  readonly graceMs: number
  /** A query is stopped after this time. */
  readonly queryLimitMs: number
}

/** The open database: one instance in one thread, because a second one on the same file loses committed rows. */
export interface Store {
  readonly options: StoreOptions
  readonly blocks: string
  /** Appends, commits and checkpoints. Use inside lock(). */
  readonly writer: DuckDBConnection
  /** A connection besides the writer's: sorting on the writer's own would block appends. */
  connect(): Promise<DuckDBConnection>
  /** Runs `work` alone on the writer. */
  lock<T>(work: () => Promise<T>): Promise<T>
  /** The slot that takes new rows. */
  readonly slot: { readonly id: number; readonly openedAt: number; readonly rows: number }
  commit(batch: HistoryBatch): Promise<void>
  /** Opens the next slot; the one before may then be sorted. Returns the number of the sealed slot. */
  seal(now: number): Promise<number>
  marks(): RangeMark[]
  gaps(): Promise<StoredGap[]>
  status(): Promise<HistorianStatus>
  close(): Promise<void>
}

interface HotSlot {
  id: number
  openedAt: number
  rows: number
  appenders: Record<Kind, DuckDBAppender>
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
    autoinstall_known_extensions: 'false',
  })
  const writer = await instance.connect()
  await prepare(writer)
  clearLeftovers(blocks, await files(writer))
  const slot = await openNewestSlot(writer, now)
  return makeStore({ options, blocks, instance, writer, slot, marks: await readMarks(writer) })
}

async function openNewestSlot(writer: DuckDBConnection, now: number): Promise<HotSlot> {
  const newest = (await slots(writer)).at(-1) ?? (await firstSlot(writer, now))
  const counts = await writer.run(
    `SELECT (SELECT count(*) FROM ${tableOf('n', newest.id)}) + (SELECT count(*) FROM ${tableOf('w', newest.id)})`,
  )
  return { ...newest, rows: Number(items<bigint>(counts, 0)[0]), appenders: await appendersOf(writer, newest.id) }
}

async function firstSlot(writer: DuckDBConnection, now: number) {
  await inTransaction(writer, () => createSlot(writer, 1, now))
  return { id: 1, openedAt: now }
}

const appendersOf = async (writer: DuckDBConnection, slot: number) => ({
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

interface Parts {
  readonly options: StoreOptions
  readonly blocks: string
  readonly instance: DuckDBInstance
  readonly writer: DuckDBConnection
  readonly slot: HotSlot
  readonly marks: Marks
}

function makeStore({ options, blocks, instance, writer, slot, marks }: Parts): Store {
  let tail: Promise<unknown> = Promise.resolve()
  const lock = <T>(work: () => Promise<T>): Promise<T> => {
    const run = tail.then(work, work)
    tail = run.catch(() => undefined)
    return run
  }
  const renew = async () => {
    for (const kind of KINDS) closeQuietly(slot.appenders[kind])
    slot.appenders = await appendersOf(writer, slot.id)
  }
  return {
    options,
    blocks,
    writer,
    slot,
    lock,
    connect: () => instance.connect(),
    commit: (batch) => lock(() => commitBatch({ writer, slot, marks, renew }, batch)),
    seal: (now) => lock(() => sealSlot(writer, slot, now)),
    marks: () => [...marks.values()].map(({ journal, set }) => ({ ...journal, ranges: set.serialise() })),
    gaps: () => lock(() => readGaps(writer)),
    status: () => lock(() => readStatus(writer, slot)),
    async close() {
      await lock(async () => {
        for (const kind of KINDS) closeQuietly(slot.appenders[kind])
        writer.closeSync()
        instance.closeSync()
      })
    },
  }
}

function closeQuietly(appender: DuckDBAppender): void {
  try {
    appender.clear()
    appender.closeSync()
  } catch {
    // An appender whose transaction failed refuses to close; it is not used again.
  }
}

interface Writing {
  readonly writer: DuckDBConnection
  readonly slot: HotSlot
  readonly marks: Marks
  readonly renew: () => Promise<void>
}

async function commitBatch({ writer, slot, marks, renew }: Writing, batch: HistoryBatch): Promise<void> {
  const next = batch.marks.map(({ ranges, ...journal }) => {
    const set = RangeSet.parse(ranges)
    const known = marks.get(keyOf(journal))
    if (known) set.merge(known.set)
    return { journal, set }
  })
  try {
    await inTransaction(writer, async () => {
      appendNumbers(slot.appenders.n, batch.numbers)
      appendWide(slot.appenders.w, batch.wide)
      // Rows that are not flushed before COMMIT are not in the transaction.
      for (const kind of KINDS) slot.appenders[kind].flushSync()
      for (const { journal, set } of next) await putMark(writer, journal, set)
      for (const gap of batch.gaps) await putGap(writer, gap)
    })
  } catch (error) {
    await renew()
    throw error
  }
  for (const mark of next) marks.set(keyOf(mark.journal), mark)
  slot.rows += batch.numbers.count + batch.wide.length
}

async function putMark(writer: DuckDBConnection, { group, edge, epoch }: Journal, set: RangeSet): Promise<void> {
  await writer.run(
    `INSERT INTO marks VALUES ($1, $2, ${epoch}::UBIGINT, $3)
     ON CONFLICT (grp, edge, epoch) DO UPDATE SET ranges = excluded.ranges`,
    [group, edge, set.serialise()],
  )
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

async function sealSlot(writer: DuckDBConnection, slot: HotSlot, now: number): Promise<number> {
  const sealed = slot.id
  await inTransaction(writer, () => createSlot(writer, sealed + 1, now))
  for (const kind of KINDS) closeQuietly(slot.appenders[kind])
  slot.appenders = await appendersOf(writer, sealed + 1)
  slot.id = sealed + 1
  slot.openedAt = now
  slot.rows = 0
  return sealed
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

async function readStatus(writer: DuckDBConnection, slot: HotSlot): Promise<HistorianStatus> {
  const result = await writer.run('SELECT count(*)::DOUBLE, coalesce(sum(rows), 0)::DOUBLE FROM files')
  const [count, rows] = [items<number>(result, 0)[0], items<number>(result, 1)[0]]
  return { hotRows: slot.rows, fileRows: rows ?? 0, files: count ?? 0 }
}
