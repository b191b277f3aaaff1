import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database, Tx } from '#cloud/platform/database/database.ts'
import type { PlatformTables } from '#cloud/platform/database/tables.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import { emit } from '#cloud/platform/outbox/emit.ts'
import type { EdgeRef, EdgeRegistrationInput, GapQuery, GapRecord } from '../contract.ts'
import type { StoredGap } from '../historian/historian.ts'
import { type BornRows, type Change, writeChanges } from './changes.ts'
import type { Checkpoint, EdgeShard, SetAside, Waiting } from './edge-shard.ts'
import type { EdgesTable, GapsTable, PipelineTables } from './tables.ts'
import { type DeviceState, TagState } from './tag-state.ts'

/** An edge as the table holds it. */
export type EdgeRow = Omit<EdgesTable, 'created_at' | 'disconnected_at' | 'owned_until'>

/** A tag that a birth names, before it has its key. */
export interface NewTag {
  readonly path: string
  readonly tag: string
  readonly type: string
  readonly unit: string | null
}

export interface DeviceRow {
  readonly id: string
  readonly edge_id: string
  readonly device: string
  readonly profile: string | null
  readonly status: 'online' | 'offline'
  readonly born_at: Date | null
}

export interface TagRow extends NewTag {
  readonly key: number
  readonly id: string
  readonly device_id: string
}

/** What a restarted pipeline finds. */
export interface Found {
  readonly edges: readonly (EdgeRow & { readonly owned_until: Date | null })[]
  readonly sessions: ReadonlyMap<string, Checkpoint>
  readonly devices: readonly DeviceRow[]
  readonly tags: readonly TagRow[]
  /** By edge. */
  readonly setAside: ReadonlyMap<string, SetAside>
}

/** All SQL of the machine side's own tables; each call is one transaction of andon_system. */
export interface PipelineStore {
  /** All edges, or those with these ids. */
  load(ids?: readonly string[]): Promise<Found>
  /** @throws DomainError when the group belongs to another organisation. */
  register(input: EdgeRegistrationInput, at: Date): Promise<EdgeRow>
  /**
   * Writes what happened to edges, in order. A birth makes its device and the tags that are new, renews type and unit of the
   * others, and answers all of them, at its index.
   */
  recordChanges(changes: readonly Change[]): Promise<(BornRows | undefined)[]>
  isRegistered(edge: EdgeRef): Promise<boolean>
  saveSession(shard: EdgeShard, at: Date): Promise<void>
  /** Writes gaps that are not there yet and tells each of them once. */
  recordGaps(gaps: readonly StoredGap[], orgOf: (group: string) => string | undefined): Promise<GapRecord[]>
  gaps(query: GapQuery): Promise<GapRecord[]>
  gapCounts(): Promise<{ group: string; edge: string; count: number }[]>
  /** Keeps the bytes of a payload that could not be taken, for whoever mends the fault. */
  keepPayload(shard: EdgeShard, message: Waiting, why: { readonly at: Date; readonly error: string }): Promise<void>
}

export interface DeviceBirth {
  readonly device: string
  readonly profile: string | null
  readonly tags: readonly NewTag[]
  /** False for a rebirth, which is no news. */
  readonly isNews: boolean
}

/** Opens the tables of the machine side. */
export function pipelineStore(db: Database): PipelineStore {
  const run = <R>(work: (tx: Own) => Promise<R>) => db.asSystem((tx) => work(tx.withTables<PipelineTables>()))
  const recordChanges = async (changes: readonly Change[]) => {
    const { born, saved } = await run((tx) => writeChanges(tx, changes))
    for (const [shard, mark] of saved) shard.savedMark = mark
    return born
  }
  return {
    load: (ids) => run((tx) => load(tx, ids)),
    register: (input, at) => run((tx) => register(tx, input, at)),
    recordChanges,
    isRegistered: ({ group, edge }) =>
      run(async (tx) => {
        const query = tx.selectFrom('edges').select('id').where('group_id', '=', group).where('edge', '=', edge)
        return (await query.executeTakeFirst()) !== undefined
      }),
    saveSession: async (shard, at) => void (await recordChanges([{ kind: 'saved', shard, at }])),
    recordGaps: (gaps, orgOf) => run((tx) => recordGaps(tx, gaps, orgOf)),
    gaps: (query) => run((tx) => readGaps(tx, query)),
    gapCounts: () => run(countGaps),
    keepPayload: (shard, message, why) => run((tx) => keepPayload(tx, shard, message, why)),
  }
}

type Own = Transaction<PlatformTables & PipelineTables>

const EDGE_COLUMNS = [
  'id',
  'org_id',
  'group_id',
  'edge',
  'name',
  'secret_hash',
  'connected_at',
  'last_message_at',
] as const

async function load(tx: Own, ids: readonly string[] | undefined): Promise<Found> {
  const wanted = (column: string) =>
    ids ? sql<boolean>`${sql.ref(column)} = any (${ids}::uuid[])` : sql<boolean>`true`
  const sessions = await tx.selectFrom('edge_sessions').selectAll().where(wanted('edge_id')).execute()
  return {
    setAside: await loadSetAside(tx, wanted),
    edges: await tx
      .selectFrom('edges')
      .select([...EDGE_COLUMNS, 'owned_until'])
      .where(wanted('id'))
      .execute(),
    devices: await tx
      .selectFrom('devices')
      .select(['id', 'edge_id', 'device', 'profile', 'status', 'born_at'])
      .where(wanted('edge_id'))
      .execute(),
    tags: await tx
      .selectFrom('tags as t')
      .innerJoin('devices as d', 'd.id', 't.device_id')
      .select(['t.key', 't.id', 't.device_id', 't.path', 't.tag', 't.type', 't.unit'])
      .where(wanted('d.edge_id'))
      .execute(),
    sessions: new Map(
      sessions.map((row) => [
        row.edge_id,
        {
          bdSeq: row.bd_seq,
          epoch: row.epoch,
          first: row.first_offset ?? '1',
          newest: row.last_offset ?? '0',
          isOnline: row.is_online,
          births: row.births,
        },
      ]),
    ),
  }
}

/** The newest of each edge within a week, and how many there are. */
async function loadSetAside(tx: Own, wanted: (column: string) => RawBuilder<boolean>): Promise<Found['setAside']> {
  const rows = await tx
    .selectFrom('set_aside_payloads')
    .select(['edge_id', 'at', 'error', sql<string>`count(*) over (partition by edge_id)`.as('count')])
    .distinctOn('edge_id')
    .where(wanted('edge_id'))
    .where(sql<boolean>`at > now() - interval '7 days'`)
    .orderBy('edge_id')
    .orderBy('at', 'desc')
    .execute()
  return new Map(
    rows.map(({ edge_id, at, error, count }) => {
      const kept = Number(count)
      return [edge_id, { count: kept, kept, at: at.getTime(), error }]
    }),
  )
}

async function keepPayload(
  tx: Own,
  shard: EdgeShard,
  { message, device, payload }: Waiting,
  why: { readonly at: Date; readonly error: string },
): Promise<void> {
  const owner = { id: newId(), org_id: shard.org, edge_id: shard.id }
  // A name may hold what no text of PostgreSQL can.
  const named = device === undefined ? null : device.replaceAll('\u0000', '')
  const error = why.error.replaceAll('\u0000', '').slice(0, 1000)
  await tx
    .insertInto('set_aside_payloads')
    .values({ ...owner, at: why.at, message, device: named, error, payload: Buffer.from(payload) })
    .execute()
}

async function register(tx: Own, input: EdgeRegistrationInput, at: Date): Promise<EdgeRow> {
  const { org, group, edge, secretHash } = input
  const owner = { group_id: group, org_id: org }
  await tx
    .insertInto('edge_groups')
    .values(owner)
    .onConflict((oc) => oc.doNothing())
    .execute()
  const row = await tx
    .selectFrom('edge_groups')
    .select('org_id')
    .where('group_id', '=', group)
    .executeTakeFirstOrThrow()
  if (row.org_id !== org) {
    throw new DomainError(
      'conflict',
      'edge.group-taken',
      `The group ${group} belongs to another organisation; choose another name`,
    )
  }
  const name = input.name ?? edge
  return tx
    .insertInto('edges')
    .values({ id: newId(), ...owner, edge, name, secret_hash: secretHash, created_at: at })
    .onConflict((oc) => oc.columns(['group_id', 'edge']).doUpdateSet({ name, secret_hash: secretHash }))
    .returning(EDGE_COLUMNS)
    .executeTakeFirstOrThrow()
}

async function recordGaps(
  tx: Own,
  gaps: readonly StoredGap[],
  orgOf: (group: string) => string | undefined,
): Promise<GapRecord[]> {
  const recorded: GapRecord[] = []
  for (const gap of gaps) {
    const org = orgOf(gap.group)
    const row = org === undefined ? undefined : await putGap(tx, org, gap)
    if (row) recorded.push(row)
  }
  return recorded
}

async function putGap(tx: Own, org: string, gap: StoredGap): Promise<GapRecord | undefined> {
  const time = (at: number | null) => (at === null ? null : new Date(at))
  const row = await tx
    .insertInto('gaps')
    .values({
      id: gap.id,
      org_id: org,
      group_id: gap.group,
      edge: gap.edge,
      device: gap.device,
      epoch: gap.epoch,
      first_offset: gap.first,
      last_offset: gap.last,
      count: gap.count,
      cause: gap.cause,
      first_at: time(gap.firstTime),
      last_at: time(gap.lastTime),
      recorded_at: new Date(gap.recordedAt),
    })
    .onConflict((oc) => oc.column('id').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) return undefined
  const { group, edge, device, cause } = gap
  const data = {
    gapId: gap.id,
    group,
    edge,
    device,
    cause,
    count: gap.count.toString(),
    from: gap.firstTime,
    to: gap.lastTime,
  }
  await emit(tx as unknown as Tx, { org, type: 'gap.recorded', topics: ['edges'], at: new Date(gap.recordedAt), data })
  return gapRecord(row)
}

interface GapRow extends Omit<GapsTable, 'epoch' | 'first_offset' | 'last_offset' | 'count'> {
  readonly first_offset: string
  readonly last_offset: string
  readonly count: string
}

const gapRecord = (row: GapRow): GapRecord => ({
  id: row.id,
  group: row.group_id,
  edge: row.edge,
  device: row.device,
  first: BigInt(row.first_offset),
  last: BigInt(row.last_offset),
  count: BigInt(row.count),
  cause: row.cause,
  firstTime: row.first_at?.getTime() ?? null,
  lastTime: row.last_at?.getTime() ?? null,
  recordedAt: row.recorded_at.getTime(),
})

async function readGaps(tx: Own, query: GapQuery): Promise<GapRecord[]> {
  let found = tx.selectFrom('gaps').selectAll().where('org_id', '=', query.org)
  if (query.group !== undefined) found = found.where('group_id', '=', query.group)
  if (query.edge !== undefined) found = found.where('edge', '=', query.edge)
  if (query.device !== undefined)
    found = found.where((eb) => eb.or([eb('device', '=', query.device ?? ''), eb('device', 'is', null)]))
  if (query.from !== undefined) found = found.where(sql`coalesce(last_at, recorded_at)`, '>=', new Date(query.from))
  if (query.to !== undefined) found = found.where(sql`coalesce(first_at, recorded_at)`, '<', new Date(query.to))
  if (query.after !== undefined) {
    const at = new Date(query.after.recordedAt)
    const { id } = query.after
    found = found.where((eb) =>
      eb.or([eb('recorded_at', '<', at), eb.and([eb('recorded_at', '=', at), eb('id', '>', id)])]),
    )
  }
  const rows = await found
    .orderBy('recorded_at', 'desc')
    .orderBy('id')
    .limit(query.limit ?? 100)
    .execute()
  return rows.map(gapRecord)
}

async function countGaps(tx: Own): Promise<{ group: string; edge: string; count: number }[]> {
  const rows = await tx
    .selectFrom('gaps')
    .select((eb) => ['group_id', 'edge', eb.fn.countAll<string>().as('count')])
    .groupBy(['group_id', 'edge'])
    .execute()
  return rows.map((row) => ({ group: row.group_id, edge: row.edge, count: Number(row.count) }))
}

/** Puts a found device's tag into the shard's own form. */
export const tagState = ({ type, ...row }: TagRow, device: DeviceState): TagState =>
  new TagState({ ...row, type: type as TagState['type'] }, device)
