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
  readonly historian: Historian
  readonly detection: Detection
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly shards: Shards
  readonly clock: () => number
  readonly log: Log
}

/** Makes the shard of an edge that has no state yet. */
export function openShard(row: EdgeRow, detection: Detection): EdgeShard {
  const ref = { group: row.group_id, edge: row.edge }
  const watching = detection.edge({ org: row.org_id, ...ref })
  const { id, org_id: org, name, secret_hash: secretHash } = row
  const shard = new EdgeShard({ ref, id, org, name, secretHash, detection: watching })
  shard.session.lastMessageAt = row.last_message_at?.getTime() ?? null
  return shard
}

/** Rebuilds every shard as it was: devices and tags, committed ranges, sessions with their aliases, newest values. */
export async function restoreShards(options: RestoreOptions): Promise<void> {
  const { store, historian, detection, shards, clock } = options
  const found = await store.load()
  for (const row of found.edges) shards.add(openShard(row, detection))
  for (const mark of await historian.marks()) {
    const committed = RangeSet.parse(mark.ranges)
    shards.get(mark)?.journals.set(mark.epoch, new JournalState(mark.epoch, committed))
  }
  const byId = new Map([...shards].map((shard) => [shard.id, shard]))
  restoreTags(shards, byId, found)
  bindAlarms(options)
  for (const [id, saved] of found.sessions) byId.get(id)?.restore(saved, clock())
  await restoreValues(options)
  await restoreGaps(options)
}

/** Samples may come before the next birth, read by the aliases of before the restart: their alarms must stand by then. */
function bindAlarms({ shards, profiles, clock }: RestoreOptions): void {
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

/** The newest stored values, so that a screen shows them, stale, before the edge speaks. Slow history holds up no start. */
async function restoreValues({ historian, shards, log }: RestoreOptions): Promise<void> {
  const tags = new Map([...shards].flatMap((shard) => [...shard.tags()].map((tag) => [tag.key, tag] as const)))
  if (tags.size === 0) return
  try {
    for (const { tag, value, quality, sourceAt } of await historian.last([...tags.keys()])) {
      const known = tags.get(tag)
      known?.show(typed(value, known.type), quality, sourceAt)
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

async function restoreGaps({ store, shards }: RestoreOptions): Promise<void> {
  for (const { group, edge, count } of await store.gapCounts()) {
    const shard = shards.get({ group, edge })
    if (!shard) continue
    shard.gapCount = count
    const [last] = await store.gaps({ org: shard.org, group, edge, limit: 1 })
    shard.lastGap = last ?? null
  }
}
