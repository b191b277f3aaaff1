import { createHash } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { asJson } from '#cloud/platform/database/database.ts'
import type { PlatformTables } from '#cloud/platform/database/tables.ts'
import { newId } from '#cloud/platform/id.ts'
import type { EdgeShard } from './edge-shard.ts'
import type { DeviceBirth, DeviceRow, TagRow } from './store.ts'
import type { PipelineTables } from './tables.ts'

/** Something that happened to an edge and is to be written down. */
export type Change =
  /** Its session began; `isNew` unless the same session was born again. */
  | { readonly kind: 'began'; readonly shard: EdgeShard; readonly at: Date; readonly isNew: boolean }
  | { readonly kind: 'ended'; readonly shard: EdgeShard; readonly at: Date; readonly lastMessageAt: Date | null }
  | { readonly kind: 'born'; readonly shard: EdgeShard; readonly at: Date; readonly birth: DeviceBirth }
  | { readonly kind: 'died'; readonly shard: EdgeShard; readonly at: Date; readonly device: string }
  /** What a restarted host must know may have changed. */
  | { readonly kind: 'saved'; readonly shard: EdgeShard; readonly at: Date }

/** What a birth became in the tables. */
export interface BornRows {
  readonly device: DeviceRow
  readonly tags: TagRow[]
}

type Own = Transaction<PlatformTables & PipelineTables>

/** Last state of a device after a row of changes. */
interface DeviceChange {
  readonly shard: EdgeShard
  readonly device: string
  profile?: string | null
  bornAt?: Date
  diedAt: Date | null
}

interface EdgeChange {
  connectedAt: Date | null
  disconnectedAt: Date | null
  lastMessageAt: Date | null
}

/** Changes of many edges, folded to what the tables show in the end. */
export interface Folded {
  readonly edges: ReadonlyMap<string, EdgeChange>
  readonly devices: ReadonlyMap<string, DeviceChange>
  readonly shards: ReadonlyMap<EdgeShard, Date>
}

/** Folds changes in their order. */
export function foldChanges(changes: readonly Change[]): Folded {
  const fold = new Fold()
  for (const change of changes) fold.add(change)
  return fold
}

class Fold implements Folded {
  readonly edges = new Map<string, EdgeChange>()
  readonly devices = new Map<string, DeviceChange>()
  readonly shards = new Map<EdgeShard, Date>()

  add(change: Change): void {
    const { kind, shard, at } = change
    if (kind !== 'died') this.shards.set(shard, at)
    switch (kind) {
      case 'began':
        if (change.isNew) Object.assign(this.#edge(shard), { connectedAt: at, lastMessageAt: at })
        return
      case 'ended':
        Object.assign(this.#edge(shard), { disconnectedAt: at, lastMessageAt: change.lastMessageAt })
        for (const device of this.devices.values()) if (device.shard === shard) device.diedAt = at
        return
      case 'born': {
        const { device, profile } = change.birth
        Object.assign(this.#device(shard, device), { profile, bornAt: at, diedAt: null })
        return
      }
      case 'died':
        this.#device(shard, change.device).diedAt = at
        return
      case 'saved':
    }
  }

  #edge(shard: EdgeShard): EdgeChange {
    const known = this.edges.get(shard.id) ?? { connectedAt: null, disconnectedAt: null, lastMessageAt: null }
    this.edges.set(shard.id, known)
    return known
  }

  #device(shard: EdgeShard, device: string): DeviceChange {
    const key = `${shard.id}/${device}`
    const known: DeviceChange = this.devices.get(key) ?? { shard, device, diedAt: null }
    this.devices.set(key, known)
    return known
  }
}

/**
 * Writes changes of many edges in a few statements. Answers, by index, what births became. A checkpoint that says what is
 * stored already is not written; `saved` are those that were, to be noted once the transaction has committed.
 */
export async function writeChanges(
  tx: Own,
  changes: readonly Change[],
): Promise<{ readonly born: (BornRows | undefined)[]; readonly saved: ReadonlyMap<EdgeShard, string> }> {
  const folded = foldChanges(changes)
  await writeEdges(tx, folded)
  await endDevices(tx, changes, folded)
  const devices = await bearDevices(tx, folded)
  const tags = await putTags(tx, changes, devices)
  const saved = await saveSessions(tx, folded)
  await tellChanges(tx, changes)
  const born = changes.map((change) => {
    const device = change.kind === 'born' ? devices.get(`${change.shard.id}/${change.birth.device}`) : undefined
    if (change.kind !== 'born' || !device) return undefined
    return { device, tags: change.birth.tags.flatMap(({ path }) => tags.get(path) ?? []) }
  })
  return { born, saved }
}

async function writeEdges(tx: Own, { edges }: Folded): Promise<void> {
  if (edges.size === 0) return
  const all = [...edges]
  const column = (key: keyof EdgeChange) => all.map(([, change]) => change[key])
  await sql`
    update edges set
      connected_at = coalesce(v.connected_at, edges.connected_at),
      disconnected_at = coalesce(v.disconnected_at, edges.disconnected_at),
      last_message_at = coalesce(v.last_message_at, edges.last_message_at)
    from unnest(${all.map(([id]) => id)}::uuid[], ${column('connectedAt')}::timestamptz[],
      ${column('disconnectedAt')}::timestamptz[], ${column('lastMessageAt')}::timestamptz[])
      as v (id, connected_at, disconnected_at, last_message_at)
    where edges.id = v.id
  `.execute(tx)
}

/** Every device of an edge that went is offline; those of its next session are born after this. */
async function endDevices(tx: Own, changes: readonly Change[], { devices }: Folded): Promise<void> {
  const ended = new Map(changes.flatMap((change) => (change.kind === 'ended' ? [[change.shard.id, change.at]] : [])))
  if (ended.size > 0) {
    await sql`
      update devices set status = 'offline', died_at = v.at
      from unnest(${[...ended.keys()]}::uuid[], ${[...ended.values()]}::timestamptz[]) as v (edge_id, at)
      where devices.edge_id = v.edge_id and devices.status = 'online'
    `.execute(tx)
  }
  const died = [...devices.values()].filter(({ bornAt, diedAt }) => bornAt === undefined && diedAt !== null)
  if (died.length === 0) return
  await sql`
    update devices set status = 'offline', died_at = v.at
    from unnest(${died.map(({ shard }) => shard.id)}::uuid[], ${died.map(({ device }) => device)}::text[],
      ${died.map(({ diedAt }) => diedAt)}::timestamptz[]) as v (edge_id, device, at)
    where devices.edge_id = v.edge_id and devices.device = v.device
  `.execute(tx)
}

async function bearDevices(tx: Own, { devices }: Folded): Promise<Map<string, DeviceRow>> {
  const born = [...devices.values()].filter(({ bornAt }) => bornAt !== undefined)
  if (born.length === 0) return new Map()
  const { rows } = await sql<DeviceRow>`
    insert into devices (id, org_id, edge_id, device, profile, status, born_at, died_at)
    select id, org_id, edge_id, device, profile, case when died_at is null then 'online' else 'offline' end, born_at, died_at
    from unnest(${born.map(() => newId())}::uuid[], ${born.map(({ shard }) => shard.org)}::uuid[],
      ${born.map(({ shard }) => shard.id)}::uuid[], ${born.map(({ device }) => device)}::text[],
      ${born.map(({ profile }) => profile ?? null)}::text[], ${born.map(({ bornAt }) => bornAt ?? null)}::timestamptz[],
      ${born.map(({ diedAt }) => diedAt)}::timestamptz[])
      as v (id, org_id, edge_id, device, profile, born_at, died_at)
    on conflict (edge_id, device) do update set profile = excluded.profile, status = excluded.status,
      born_at = excluded.born_at, died_at = coalesce(excluded.died_at, devices.died_at)
    returning id, edge_id, device, profile, status, born_at
  `.execute(tx)
  return new Map(rows.map((row) => [`${row.edge_id}/${row.device}`, row]))
}

/** Tags of all births, each path once: a statement cannot write one row twice. */
async function putTags(
  tx: Own,
  changes: readonly Change[],
  devices: ReadonlyMap<string, DeviceRow>,
): Promise<Map<string, TagRow>> {
  const byPath = new Map(
    changes.flatMap((change) => {
      if (change.kind !== 'born') return []
      const device = devices.get(`${change.shard.id}/${change.birth.device}`)?.id ?? null
      return change.birth.tags.map(
        (tag) => [tag.path, { ...tag, device, org: change.shard.org, at: change.at }] as const,
      )
    }),
  )
  const tags = [...byPath.values()]
  if (tags.length === 0) return new Map()
  const { rows } = await sql<TagRow>`
    insert into tags (id, org_id, device_id, path, tag, type, unit, created_at)
    select * from unnest(${tags.map(() => newId())}::uuid[], ${tags.map(({ org }) => org)}::uuid[],
      ${tags.map(({ device }) => device)}::uuid[], ${tags.map(({ path }) => path)}::text[],
      ${tags.map(({ tag }) => tag)}::text[], ${tags.map(({ type }) => type)}::text[],
      ${tags.map(({ unit }) => unit)}::text[], ${tags.map(({ at }) => at)}::timestamptz[])
    on conflict (path) do update set type = excluded.type, unit = excluded.unit
    returning key, id, device_id, path, tag, type, unit
  `.execute(tx)
  return new Map(rows.map((row) => [row.path, row]))
}

async function saveSessions(tx: Own, { shards }: Folded): Promise<Map<EdgeShard, string>> {
  const saved = new Map<EdgeShard, string>()
  const rows = [...shards].flatMap(([shard, at]) => {
    const { births, ...rest } = shard.checkpoint()
    const json = JSON.stringify(births)
    const mark = createHash('sha1').update(JSON.stringify(rest)).update(json).digest('base64')
    if (mark === shard.savedMark) return []
    saved.set(shard, mark)
    return [{ ...rest, json, at, edge: shard.id, org: shard.org }]
  })
  if (rows.length === 0) return saved
  await sql`
    insert into edge_sessions (edge_id, org_id, bd_seq, epoch, first_offset, last_offset, births, is_online, at)
    select * from unnest(${rows.map(({ edge }) => edge)}::uuid[], ${rows.map(({ org }) => org)}::uuid[],
      ${rows.map(({ bdSeq }) => bdSeq)}::integer[], ${rows.map(({ epoch }) => epoch)}::numeric[],
      ${rows.map(({ epoch, first }) => (epoch === null ? null : first))}::numeric[],
      ${rows.map(({ epoch, newest }) => (epoch === null ? null : newest))}::numeric[],
      ${rows.map(({ json }) => json)}::jsonb[], ${rows.map(({ isOnline }) => isOnline)}::boolean[],
      ${rows.map(({ at }) => at)}::timestamptz[])
    on conflict (edge_id) do update set bd_seq = excluded.bd_seq, epoch = excluded.epoch,
      first_offset = excluded.first_offset, last_offset = excluded.last_offset, births = excluded.births,
      is_online = excluded.is_online, at = excluded.at
  `.execute(tx)
  return saved
}

const EVENTS = {
  began: 'edge.connected',
  ended: 'edge.disconnected',
  born: 'device.born',
  died: 'device.died',
} as const

/** Tells what is news, in its order. */
async function tellChanges(tx: Own, changes: readonly Change[]): Promise<void> {
  const rows = changes.flatMap((change) => {
    const { kind, shard, at } = change
    if (kind === 'saved' || (kind === 'began' && !change.isNew) || (kind === 'born' && !change.birth.isNews)) return []
    const data = {
      ...{ edgeId: shard.id, group: shard.ref.group, edge: shard.ref.edge },
      ...(kind === 'born' && { device: change.birth.device, profile: change.birth.profile }),
      ...(kind === 'died' && { device: change.device }),
    }
    return [{ id: newId(), org_id: shard.org, type: EVENTS[kind], topics: ['edges'], at, data: asJson(data) }]
  })
  if (rows.length > 0) await tx.insertInto('outbox').values(rows).execute()
}
