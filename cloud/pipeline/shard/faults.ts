import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { EdgeFault, EdgeSessionStatus } from '../contract.ts'
import { toleratedFaults } from '../host/tolerances.ts'
import type { EdgeShard } from './edge-shard.ts'
import type { DeviceState } from './tag-state.ts'

type Profiles = ReadonlyMap<string, DeviceProfile>

/** What is wrong with an edge, each with its code, the parts of its sentence, and the sentence in English with the next step. */
export function faultsOf(shard: EdgeShard, status: EdgeSessionStatus, profiles: Profiles): EdgeFault[] {
  return [...sessionFaults(shard, status, profiles), ...setAsideFaults(shard)]
}

function sessionFaults(shard: EdgeShard, status: EdgeSessionStatus, profiles: Profiles): EdgeFault[] {
  const edge = `${shard.ref.group}/${shard.ref.edge}`
  switch (status) {
    case 'never':
      return [
        {
          code: 'edge.never-connected',
          params: { edge },
          detail: `${edge} has not connected yet; enrol the box with a one-time code, or start its agent with this user name and its secret`,
        },
      ]
    case 'offline':
      return [
        {
          code: 'edge.offline',
          params: { edge },
          detail: `${edge} is not connected; check the power of the box and its network. It keeps its samples and sends them later`,
        },
      ]
    case 'stale': {
      const detail = `${edge} is connected and says nothing; check the load and the log of the box`
      return [{ code: 'edge.silent', params: { edge }, detail }]
    }
    case 'online':
      return [...shard.devices.values()]
        .flatMap((device) => deviceFaults(device, edge, profiles))
        .concat(toleratedFaults(shard))
  }
}

function setAsideFaults({ ref, setAside }: EdgeShard): EdgeFault[] {
  if (!setAside) return []
  const { count, error } = setAside
  const [edge, at] = [`${ref.group}/${ref.edge}`, new Date(setAside.at).toISOString()]
  const detail =
    `The cloud could not take ${count} payloads of ${edge}, the last at ${at} (${error}): a fault of Andon, not of the box. ` +
    `Alarms of them may be missing. They are kept in set_aside_payloads; report it with the cloud's log`
  return [{ code: 'edge.payload-set-aside', params: { edge, count, at, error }, detail }]
}

function deviceFaults({ device, profile, isOnline }: DeviceState, edge: string, profiles: Profiles): EdgeFault[] {
  const faults: EdgeFault[] = []
  if (!isOnline) {
    const detail = `${device} does not answer ${edge}; check its power, its address and the cable`
    faults.push({ code: 'device.offline', params: { edge, device }, detail })
  }
  if (profile !== null && !profiles.has(profile)) {
    const detail = `${device} names the profile ${profile}, which the cloud does not have: it has no alarms. Add the file`
    faults.push({ code: 'device.unknown-profile', params: { edge, device, profile }, detail })
  }
  return faults
}
