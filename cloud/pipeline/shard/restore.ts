import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import type { Detection } from '../detection/index.ts'
import type { Historian } from '../historian/historian.ts'
import { EdgeShard } from './edge-shard.ts'
import { JournalState } from './journal-state.ts'
import type { Shards } from './shards.ts'
import { type EdgeRow, type Found, type PipelineStore, tagState } from './store.ts'
import { type DeviceState, deviceState } from './tag-state.ts'

export interface RestoreOptions {
  readonly store: PipelineStore
  readonly historian: Pick<Historian, 'marks' | 'last'>
  readonly detection: Pick<Detection, 'edge' | 'takeOn'>
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly shards: Shards
  readonly clock: () => number
  readonly log: Log
}

/** Makes the shard of an edge that has no state yet. */
export function openShard(row: EdgeRow, detection: Pick<Detection, 'edge'>): EdgeShard {
  const ref = { group: row.group_id, edge: row.edge }
  const watching = detection.edge({ org: row.org_id, ...ref })
  const { id, org_id: org, name, secret_hash: secretHash } = row
  const shard = new EdgeShard({ ref, id, org, name, secretHash, detection: watching })
  shard.session.lastMessageAt = row.last_message_at?.getTime() ?? null
  return shard
}

/** A shard as it was, but for the newest values, which history may take a while to tell. */
export interface Restored {
  readonly shard: EdgeShard
  /** Until when its last owner had it for sure; null when it had none, or none that others would succeed. */
  readonly ownedUntil: number | null
}

/** Rebuilds all shards, or those of these edges, as they were: devices and tags, committed ranges, sessions with their aliases. */
export async function restoreShards(options: RestoreOptions, ids?: readonly string[]): Promise<Restored[]> {
  const { store, historian, detection, shards, clock } = options
  const found = await store.load(ids)
  if (ids)
    await detection.takeOn(found.edges.map(({ org_id, group_id, edge }) => ({ org: org_id, group: group_id, edge })))
  const restored = found.edges.map((row) => ({
    shard: openShard(row, detection),
    ownedUntil: row.owned_until?.getTime() ?? null,
  }))
  const byEdge = new Map(restored.map(({ shard }) => [`${shard.ref.group}/${shard.ref.edge}`, shard]))
  for (const mark of await historian.marks()) {
    const { ranges, ...name } = mark
    const journals = byEdge.get(`${name.group}/${name.edge}`)?.journals
    journals?.set(name.epoch, new JournalState(name, RangeSet.parse(ranges)))
  }
  const byId = new Map(restored.map(({ shard }) => [shard.id, shard]))
  restoreTags(shards, byId, found)
  bindAlarms(options, byId.values())
  for (const [id, saved] of found.sessions) byId.get(id)?.restore(saved, clock())
  for (const { shard } of restored) shard.setAside = found.setAside.get(shard.id)
  for (const { shard } of restored) shards.add(shard)
  return restored
}

/** Samples may come before the next birth, read by the aliases of before the restart: their alarms must stand by then. */
function bindAlarms({ profiles, clock }: RestoreOptions, shards: Iterable<EdgeShard>): void {
  const devices = [...shards].flatMap((shard) => [...shard.devices.values()].map((state) => ({ shard, state })))
  for (const { shard, state } of devices) {
    const profile = state.profile === null ? undefined : profiles.get(state.profile)
    if (profile) shard.detection.bind(state.device, profile)
    if (!state.isOnline) shard.detection.onStale(clock(), state.device)
  }
}

function restoreTags(shards: Shards, byId: ReadonlyMap<string, EdgeShard>, found: Found): void {
  const devices = new Map<string, { shard: EdgeShard; state: DeviceState }>()
  for (const row of found.devices) {
    const shard = byId.get(row.edge_id)
    if (!shard) continue
    const { id, device, profile } = row
    const bornAt = row.born_at?.getTime() ?? null
    const state = deviceState({ id, device, profile }, row.status === 'online', bornAt)
    shard.devices.set(device, state)
    devices.set(id, { shard, state })
  }
  for (const row of found.tags) {
    const owner = devices.get(row.device_id)
    if (!owner) continue
    const tag = tagState(row, owner.state)
    owner.state.tags.set(row.tag, tag)
    shards.index(owner.shard, tag)
  }
}

/** What no message waits for: the newest stored values, and the holes that people were told of. */
export async function restoreView(
  options: Pick<RestoreOptions, 'store' | 'historian' | 'log'>,
  shards: readonly EdgeShard[],
): Promise<void> {
  await restoreGaps(options, shards)
  await restoreValues(options, shards)
}

/** The newest stored values, so that a screen shows them, stale, before the edge speaks. Slow history holds up no start. */
async function restoreValues(
  { historian, log }: Pick<RestoreOptions, 'historian' | 'log'>,
  shards: readonly EdgeShard[],
): Promise<void> {
  const tags = new Map(shards.flatMap((shard) => [...shard.tags()].map((tag) => [tag.key, tag] as const)))
  if (tags.size === 0) return
  try {
    for (const { tag, value, quality, sourceAt } of await historian.last([...tags.keys()])) {
      const known = tags.get(tag)
      // What came meanwhile is newer.
      if (known?.sourceAt === null) known.show(typed(value, known.type), quality, sourceAt)
    }
  } catch (error) {
    log.warn({ err: error }, 'The newest stored values could not be read; they come with the next births')
  }
}

/** History may hold a 64-bit integer as a number, or its digits as text. */
function typed(value: Scalar, type: ScalarType): Scalar {
  const isWide = type === 'int64' || type === 'uint64'
  return isWide && (typeof value === 'string' || Number.isInteger(value)) ? BigInt(value as string | number) : value
}

async function restoreGaps({ store }: Pick<RestoreOptions, 'store'>, shards: readonly EdgeShard[]): Promise<void> {
  const byEdge = new Map(shards.map((shard) => [`${shard.ref.group}/${shard.ref.edge}`, shard]))
  for (const { group, edge, count } of await store.gapCounts()) {
    const shard = byEdge.get(`${group}/${edge}`)
    if (!shard) continue
    shard.gapCount = count
    const [last] = await store.gaps({ org: shard.org, group, edge, limit: 1 })
    shard.lastGap = last ?? null
  }
}
