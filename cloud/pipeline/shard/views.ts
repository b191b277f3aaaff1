import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { BAD } from '#shared/contracts/sample.ts'
import type { DeviceStatus, EdgeSessionStatus, EdgeStatus, TagLimit, TagStatus } from '../contract.ts'
import type { EdgeShard } from './edge-shard.ts'
import { faultsOf } from './faults.ts'
import type { EdgeRow } from './store.ts'
import { type DeviceState, liveValue, type TagState } from './tag-state.ts'

type Profiles = ReadonlyMap<string, DeviceProfile>

/** An edge as people see it; `acknowledged` is what the host could acknowledge now. */
export function edgeStatus(shard: EdgeShard, acknowledged: bigint | undefined, profiles: Profiles): EdgeStatus {
  const { session, journal } = shard
  const devices = [...shard.devices.values()]
  const depth = journal === undefined || acknowledged === undefined ? 0n : journal.newest - acknowledged
  const status = sessionStatus(shard)
  return {
    ...shard.ref,
    id: shard.id,
    org: shard.org,
    name: shard.name,
    status,
    connectedAt: session.isOnline ? session.connectedAt : null,
    lastMessageAt: session.lastMessageAt,
    journalDepth: depth > 0n ? depth : 0n,
    gapCount: shard.gapCount,
    lastGap: shard.lastGap,
    report: shard.report,
    deviceCount: devices.length,
    tagCount: devices.reduce((sum, device) => sum + device.tags.size, 0),
    faults: faultsOf(shard, status, profiles),
  }
}

/** An edge of which no more is at hand than that it is registered: another process has it, and tells the rest. */
export function registeredStatus(row: EdgeRow): EdgeStatus {
  const lastMessageAt = row.last_message_at?.getTime() ?? null
  return {
    ...{ group: row.group_id, edge: row.edge, id: row.id, org: row.org_id, name: row.name },
    ...{ status: lastMessageAt === null ? 'never' : 'offline', connectedAt: null, lastMessageAt },
    ...{ journalDepth: 0n, gapCount: 0, lastGap: null, report: null, deviceCount: 0, tagCount: 0, faults: [] },
  }
}

function sessionStatus({ session }: EdgeShard): EdgeSessionStatus {
  if (session.isOnline) return session.isSilent ? 'stale' : 'online'
  return session.lastMessageAt === null ? 'never' : 'offline'
}

/** A device as people see it. */
export function deviceStatus(shard: EdgeShard, device: DeviceState): DeviceStatus {
  const tags = [...device.tags.values()]
  return {
    ...shard.ref,
    id: device.id,
    org: shard.org,
    device: device.device,
    profile: device.profile,
    status: shard.isSilent && device.isOnline ? 'stale' : device.isOnline ? 'online' : 'offline',
    bornAt: device.bornAt,
    tagCount: tags.length,
    badTagCount: tags.filter((tag) => tag.sourceAt !== null && tag.quality === BAD).length,
  }
}

/** A tag with what its profile says about it. */
export function tagStatus(shard: EdgeShard, tag: TagState, profiles: Profiles): TagStatus {
  const profile = tag.device.profile === null ? undefined : profiles.get(tag.device.profile)
  const definition = profile?.tags.find((candidate) => candidate.tag === tag.tag) ?? null
  return {
    ...shard.ref,
    id: tag.id,
    org: shard.org,
    key: tag.key,
    path: tag.path,
    device: tag.device.device,
    tag: tag.tag,
    type: tag.type,
    unit: tag.unit ?? definition?.unit ?? null,
    name: definition?.name ?? { en: tag.tag, 'zh-CN': tag.tag },
    definition,
    limits: limitsOf(profile, tag.tag),
    live: liveValue(tag, shard.isSilent),
  }
}

function limitsOf(profile: DeviceProfile | undefined, tag: string): TagLimit[] {
  const alarms = profile?.alarms?.filter((alarm) => alarm.tag === tag) ?? []
  return alarms.flatMap(({ condition, priority }) =>
    condition.kind === 'limit'
      ? condition.levels.map((level) => ({
          level: level.level,
          setpoint: level.setpoint,
          priority: level.priority ?? priority,
        }))
      : [],
  )
}
