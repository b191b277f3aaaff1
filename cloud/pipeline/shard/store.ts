import { sql, type Transaction } from 'kysely'
import { asJson, type Database, type Tx } from '#cloud/platform/database/database.ts'
import type { PlatformTables } from '#cloud/platform/database/tables.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import { emit } from '#cloud/platform/outbox/emit.ts'
import type { EdgeRegistrationInput, GapQuery, GapRecord } from '../contract.ts'
import type { StoredGap } from '../historian/historian.ts'
import type { Checkpoint, EdgeShard } from './edge-shard.ts'
import type { EdgesTable, GapsTable, PipelineTables } from './tables.ts'
import { type DeviceState, TagState } from './tag-state.ts'

/** An edge as the table holds it. */
export type EdgeRow = Omit<EdgesTable, 'created_at' | 'disconnected_at'>

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
  readonly edges: readonly EdgeRow[]
  readonly sessions: ReadonlyMap<string, Checkpoint>
  readonly devices: readonly DeviceRow[]
  readonly tags: readonly TagRow[]
}

/** All SQL of the machine side's own tables; each call is one transaction of andon_system. */
export interface PipelineStore {
  load(): Promise<Found>
  /** @throws DomainError when the group belongs to another organisation. */
  register(input: EdgeRegistrationInput, at: Date): Promise<EdgeRow>
  /** Makes the device and the tags that are new, renews type and unit of the others, and answers all of them. */
  born(shard: EdgeShard, birth: DeviceBirth): Promise<{ device: DeviceRow; tags: TagRow[] }>
  sessionBegan(shard: EdgeShard, at: Date, isNew: boolean): Promise<void>
  sessionEnded(shard: EdgeShard, at: Date): Promise<void>
  deviceDied(shard: EdgeShard, device: DeviceState, at: Date): Promise<void>
  saveSession(shard: EdgeShard, at: Date): Promise<void>
  /** Writes gaps that are not there yet and tells each of them once. */
  recordGaps(gaps: readonly StoredGap[], orgOf: (group: string) => string | undefined): Promise<GapRecord[]>
  gaps(query: GapQuery): Promise<GapRecord[]>
  gapCounts(): Promise<{ group: string; edge: string; count: number }[]>
}

export interface DeviceBirth {
  readonly device: string
  readonly profile: string | null
  readonly tags: readonly NewTag[]
  readonly at: Date
  /** False for a rebirth, which is no news. */
  readonly isNews: boolean
}

/** Opens the tables of the machine side. */
export function pipelineStore(db: Database): PipelineStore {
  const run = <R>(work: (tx: Own) => Promise<R>) => db.asSystem((tx) => work(tx.withTables<PipelineTables>()))
  return {
    load: () => run(load),
    register: (input, at) => run((tx) => register(tx, input, at)),
    born: (shard, birth) => run((tx) => recordBirth(tx, shard, birth)),
    sessionBegan: (shard, at, isNew) => run((tx) => beginSession(tx, shard, { at, isNew })),
    sessionEnded: (shard, at) => run((tx) => endSession(tx, shard, at)),
    deviceDied: (shard, device, at) => run((tx) => recordDeath(tx, shard, { device, at })),
    saveSession: (shard, at) => run((tx) => saveSession(tx, shard, at)),
    recordGaps: (gaps, orgOf) => run((tx) => recordGaps(tx, gaps, orgOf)),
    gaps: (query) => run((tx) => readGaps(tx, query)),
    gapCounts: () => run(countGaps),
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

async function load(tx: Own): Promise<Found> {
  const sessions = await tx.selectFrom('edge_sessions').selectAll().execute()
  return {
    edges: await tx.selectFrom('edges').select(EDGE_COLUMNS).execute(),
    devices: await tx
      .selectFrom('devices')
      .select(['id', 'edge_id', 'device', 'profile', 'status', 'born_at'])
      .execute(),
    tags: await tx.selectFrom('tags').select(['key', 'id', 'device_id', 'path', 'tag', 'type', 'unit']).execute(),
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

const tell = (tx: Own, shard: EdgeShard, event: { type: string; at: Date; data?: Record<string, string | null> }) =>
  emit(tx as unknown as Tx, {
    org: shard.org,
    type: event.type,
    topics: ['edges'],
    at: event.at,
    data: { edgeId: shard.id, group: shard.ref.group, edge: shard.ref.edge, ...event.data },
  })

async function recordBirth(
  tx: Own,
  shard: EdgeShard,
  birth: DeviceBirth,
): Promise<{ device: DeviceRow; tags: TagRow[] }> {
  const changed = { profile: birth.profile, status: 'online', born_at: birth.at } as const
  const device = await tx
    .insertInto('devices')
    .values({ id: newId(), org_id: shard.org, edge_id: shard.id, device: birth.device, ...changed })
    .onConflict((oc) => oc.columns(['edge_id', 'device']).doUpdateSet(changed))
    .returning(['id', 'edge_id', 'device', 'profile', 'status', 'born_at'])
    .executeTakeFirstOrThrow()
  const tags: TagRow[] = []
  for (let from = 0; from < birth.tags.length; from += TAGS_A_STATEMENT) {
    tags.push(
      ...(await putTags(tx, shard.org, {
        device: device.id,
        at: birth.at,
        tags: birth.tags.slice(from, from + TAGS_A_STATEMENT),
      })),
    )
  }
  await saveSession(tx, shard, birth.at)
  if (birth.isNews) {
    await tell(tx, shard, { type: 'device.born', at: birth.at, data: { device: birth.device, profile: birth.profile } })
  }
  return { device, tags }
}

/** A statement takes at most 65,535 parameters, eight a tag. */
const TAGS_A_STATEMENT = 2000

function putTags(
  tx: Own,
  org: string,
  given: { device: string; at: Date; tags: readonly NewTag[] },
): Promise<TagRow[]> {
  return tx
    .insertInto('tags')
    .values(
      given.tags.map((tag) => ({ id: newId(), org_id: org, device_id: given.device, created_at: given.at, ...tag })),
    )
    .onConflict((oc) =>
      oc.column('path').doUpdateSet({ type: (eb) => eb.ref('excluded.type'), unit: (eb) => eb.ref('excluded.unit') }),
    )
    .returning(['key', 'id', 'device_id', 'path', 'tag', 'type', 'unit'])
    .execute()
}

async function beginSession(tx: Own, shard: EdgeShard, { at, isNew }: { at: Date; isNew: boolean }): Promise<void> {
  await saveSession(tx, shard, at)
  if (!isNew) return
  await tx.updateTable('edges').set({ connected_at: at, last_message_at: at }).where('id', '=', shard.id).execute()
  await tell(tx, shard, { type: 'edge.connected', at })
}

async function endSession(tx: Own, shard: EdgeShard, at: Date): Promise<void> {
  await saveSession(tx, shard, at)
  const last = shard.session.lastMessageAt
  const ended = { disconnected_at: at, last_message_at: last === null ? null : new Date(last) }
  await tx.updateTable('edges').set(ended).where('id', '=', shard.id).execute()
  await tx
    .updateTable('devices')
    .set({ status: 'offline', died_at: at })
    .where('edge_id', '=', shard.id)
    .where('status', '=', 'online')
    .execute()
  await tell(tx, shard, { type: 'edge.disconnected', at })
}

async function recordDeath(
  tx: Own,
  shard: EdgeShard,
  { device, at }: { device: DeviceState; at: Date },
): Promise<void> {
  await tx.updateTable('devices').set({ status: 'offline', died_at: at }).where('id', '=', device.id).execute()
  await tell(tx, shard, { type: 'device.died', at, data: { device: device.device } })
}

async function saveSession(tx: Own, shard: EdgeShard, at: Date): Promise<void> {
  const { bdSeq, epoch, first, newest, isOnline, births } = shard.checkpoint()
  const row = {
    bd_seq: bdSeq,
    epoch,
    first_offset: epoch === null ? null : first,
    last_offset: epoch === null ? null : newest,
    births: asJson(births),
    is_online: isOnline,
    at,
  }
  await tx
    .insertInto('edge_sessions')
    .values({ edge_id: shard.id, org_id: shard.org, ...row })
    .onConflict((oc) => oc.column('edge_id').doUpdateSet(row))
    .execute()
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
