import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { BAD } from '#shared/contracts/sample.ts'
import type { DeviceStatus, EdgeSessionStatus, EdgeStatus, TagLimit, TagStatus } from '../contract.ts'
import { toleratedFaults } from '../host/tolerances.ts'
import type { EdgeShard } from './edge-shard.ts'
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
    faults: [...faultsOf(shard, status, profiles), ...setAsideFaults(shard)],
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

function faultsOf(shard: EdgeShard, status: EdgeSessionStatus, profiles: Profiles): Fault[] {
  const name = `${shard.ref.group}/${shard.ref.edge}`
  if (status === 'never') {
    return [
      {
        code: 'edge.never-connected',
        detail: `${name} has not connected yet; start the edge agent with this user name and its secret`,
      },
    ]
  }
  if (status === 'offline') {
    return [
      {
        code: 'edge.offline',
        detail: `${name} is not connected; check the power of the box and its network. It keeps its samples and sends them later`,
      },
    ]
  }
  if (status === 'stale') {
    return [
      { code: 'edge.silent', detail: `${name} is connected and says nothing; check the load and the log of the box` },
    ]
  }
  return [...shard.devices.values()]
    .flatMap((device) => deviceFaults(device, name, profiles))
    .concat(toleratedFaults(shard))
}

type Fault = EdgeStatus['faults'][number]

function setAsideFaults({ ref, setAside }: EdgeShard): Fault[] {
  if (!setAside) return []
  const { count, at, error } = setAside
  const detail =
    `The cloud could not take ${count} payloads of ${ref.group}/${ref.edge}, the last at ${new Date(at).toISOString()} ` +
    `(${error}): a fault of Andon, not of the box. Alarms of them may be missing. They are kept in set_aside_payloads; report it with the cloud's log`
  return [{ code: 'edge.payload-set-aside', detail }]
}

function deviceFaults({ device, profile, isOnline }: DeviceState, edge: string, profiles: Profiles): Fault[] {
  const faults: Fault[] = []
  if (!isOnline) {
    const detail = `${device} does not answer ${edge}; check its power, its address and the cable`
    faults.push({ code: 'device.offline', detail })
  }
  if (profile !== null && !profiles.has(profile)) {
    const detail = `${device} names the profile ${profile}, which the cloud does not have: it has no alarms. Add the file`
    faults.push({ code: 'device.unknown-profile', detail })
  }
  return faults
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
