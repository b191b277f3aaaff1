import { sql } from 'kysely'
import { asJson, type Database, type Tx } from '#cloud/platform/database/database.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { HistoryBatch } from '../batch.ts'
import type { Deletion, RangeMark, StoredGap } from '../historian.ts'
import type { Refusal } from './lines.ts'

/** What a commit records beside its values. */
export interface Entry {
  readonly batch: HistoryBatch
  readonly refusals: readonly Refusal[]
  /** ms since 1970 */
  readonly at: number
}

/** Which values are in the external history, kept in PostgreSQL. */
export interface Ledger {
  /** Ranges, gaps and refusals of one commit, together or not at all. */
  record(entry: Entry): Promise<void>
  marks(): Promise<RangeMark[]>
  gaps(): Promise<StoredGap[]>
  deletions(): Promise<Deletion[]>
}

/** Opens the tables of `0005-external-history.sql`, which refuse whoever has been succeeded (`0006-pipeline-lease.sql`). */
export function openLedger(db: Pick<Database, 'asSystem'>): Ledger {
  return {
    async record(entry) {
      const { marks, gaps } = entry.batch
      if (marks.length + gaps.length + entry.refusals.length === 0) return
      await db.asSystem((tx) => recordEntry(tx, entry))
    },
    marks: () => db.asSystem(readMarks),
    gaps: () => db.asSystem(readGaps),
    deletions: () => db.asSystem(readDeletions),
  }
}

async function recordEntry(tx: Tx, { batch, refusals, at }: Entry): Promise<void> {
  const { marks, gaps } = batch
  const org = await organisations(tx, [...marks, ...gaps, ...refusals])
  if (marks.length > 0) await putMarks(tx, await merged(tx, marks), org)
  if (gaps.length > 0) await putGaps(tx, gaps, org)
  if (refusals.length > 0) await putRefusals(tx, refusals, { org, at })
}

type OrganisationOf = (group: string) => string

async function organisations(tx: Tx, rows: readonly { readonly group: string }[]): Promise<OrganisationOf> {
  const groups = [...new Set(rows.map((row) => row.group))]
  const found = await sql<{ group_id: string; org_id: string }>`
    select group_id, org_id from edge_groups where group_id = any(${groups})`.execute(tx)
  const owners = new Map(found.rows.map((row) => [row.group_id, row.org_id]))
  const unknown = groups.filter((group) => !owners.has(group))
  if (unknown.length > 0) throw new Error(`History was given values of groups that nobody registered: ${unknown}`)
  return (group) => owners.get(group) ?? ''
}

const keyOf = ({ group, edge, epoch }: Omit<RangeMark, 'ranges'>) => `${group}/${edge}/${epoch}`

/** The ranges of the batch with those that are there; the rows stay locked until the end. */
async function merged(tx: Tx, marks: readonly RangeMark[]): Promise<RangeMark[]> {
  const wanted = marks.map(({ group, edge, epoch }) => ({ group_id: group, edge, epoch: String(epoch) }))
  const { rows } = await sql<MarkRow>`
    select m.group_id, m.edge, m.epoch, m.ranges from history_marks m
    join jsonb_to_recordset(${asJson(wanted)}) as w (group_id text, edge text, epoch numeric)
      using (group_id, edge, epoch)
    order by 1, 2, 3 for update of m`.execute(tx)
  const known = new Map(rows.map(markOf).map((mark) => [keyOf(mark), mark.ranges]))
  return marks.map((mark) => {
    const set = RangeSet.parse(mark.ranges)
    set.merge(RangeSet.parse(known.get(keyOf(mark)) ?? ''))
    return { ...mark, ranges: set.serialise() }
  })
}

async function putMarks(tx: Tx, marks: readonly RangeMark[], org: OrganisationOf): Promise<void> {
  const rows = marks.map((mark) => ({ ...ownerOf(mark, org), epoch: String(mark.epoch), ranges: mark.ranges }))
  await sql`
    insert into history_marks (group_id, edge, epoch, org_id, ranges)
    select group_id, edge, epoch, org_id, ranges
    from jsonb_to_recordset(${asJson(rows)}) as m (group_id text, edge text, epoch numeric, org_id uuid, ranges text)
    on conflict (group_id, edge, epoch) do update set ranges = excluded.ranges, updated_at = now()`.execute(tx)
}

const ownerOf = ({ group, edge }: { readonly group: string; readonly edge: string }, org: OrganisationOf) => ({
  group_id: group,
  edge,
  org_id: org(group),
})

async function putGaps(tx: Tx, gaps: readonly StoredGap[], org: OrganisationOf): Promise<void> {
  const rows = gaps.map((gap) => ({
    ...ownerOf(gap, org),
    id: gap.id,
    device: gap.device,
    cause: gap.cause,
    epoch: String(gap.epoch),
    first_offset: String(gap.first),
    last_offset: String(gap.last),
    count: String(gap.count),
    first_time: gap.firstTime,
    last_time: gap.lastTime,
    recorded_at: gap.recordedAt,
  }))
  await sql`
    insert into history_gaps
      (id, org_id, group_id, edge, epoch, device, first_offset, last_offset, count, cause, first_time, last_time, recorded_at)
    select id, org_id, group_id, edge, epoch, device, first_offset, last_offset, count, cause, first_time, last_time, recorded_at
    from jsonb_populate_recordset(null::history_gaps, ${asJson(rows)})
    on conflict (id) do nothing`.execute(tx)
}

async function putRefusals(
  tx: Tx,
  refusals: readonly Refusal[],
  { org, at }: { readonly org: OrganisationOf; readonly at: number },
): Promise<void> {
  for (const refusal of refusals) {
    const { group, edge, reason, rows, firstAt, lastAt } = refusal
    await sql`
      insert into history_refusals (org_id, group_id, edge, reason, count, first_at, last_at, refused_at)
      values (${org(group)}, ${group}, ${edge}, ${reason}, ${rows}, ${new Date(firstAt)}, ${new Date(lastAt)}, ${new Date(at)})`.execute(
      tx,
    )
  }
}

interface MarkRow {
  readonly group_id: string
  readonly edge: string
  readonly epoch: string
  readonly ranges: string
}

const markOf = ({ group_id: group, edge, epoch, ranges }: MarkRow): RangeMark => ({
  group,
  edge,
  epoch: BigInt(epoch),
  ranges,
})

async function readMarks(tx: Tx): Promise<RangeMark[]> {
  const { rows } = await sql<MarkRow>`
    select group_id, edge, epoch, ranges from history_marks order by 1, 2, 3`.execute(tx)
  return rows.map(markOf)
}

interface GapRow extends Omit<MarkRow, 'ranges'> {
  readonly id: string
  readonly device: string | null
  readonly first_offset: string
  readonly last_offset: string
  readonly count: string
  readonly cause: string
  readonly first_time: number | null
  readonly last_time: number | null
  readonly recorded_at: number
}

async function readGaps(tx: Tx): Promise<StoredGap[]> {
  const { rows } = await sql<GapRow>`select * from history_gaps order by recorded_at, id`.execute(tx)
  return rows.map((row) => ({
    id: row.id,
    group: row.group_id,
    edge: row.edge,
    epoch: BigInt(row.epoch),
    device: row.device,
    first: BigInt(row.first_offset),
    last: BigInt(row.last_offset),
    count: BigInt(row.count),
    cause: row.cause,
    firstTime: row.first_time,
    lastTime: row.last_time,
    recordedAt: row.recorded_at,
  }))
}

/** What retention removed before it was stored; what the engine removes later, it removes without a record. */
async function readDeletions(tx: Tx): Promise<Deletion[]> {
  const { rows } = await sql<{ refused_at: Date; first_at: Date; last_at: Date; count: string }>`
    select refused_at, first_at, last_at, count from history_refusals where reason = 'older' order by refused_at, id`.execute(
    tx,
  )
  return rows.map((row) => ({
    ...{ deletedAt: row.refused_at.getTime(), level: 'raw', class: 0, rows: Number(row.count) },
    ...{ firstAt: row.first_at.getTime(), lastAt: row.last_at.getTime() },
  }))
}
