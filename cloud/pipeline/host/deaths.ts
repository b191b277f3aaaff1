import type { EdgeShard } from '../shard/edge-shard.ts'
import { type HostContext, RESTORED_GRACE_MS, STALE_AFTER_MS } from './host-context.ts'

/** Ends the session: every device of the edge is offline and every value stale. */
export function endSession(host: HostContext, shard: EdgeShard): void {
  const { session } = shard
  if (!session.isOnline) return
  const now = host.clock()
  session.isOnline = false
  session.restoredAt = null
  for (const device of shard.devices.values()) device.isOnline = false
  shard.detection.onStale(now)
  host.live.publish(shard, shard.tags())
  host.later(() => host.store.sessionEnded(shard, new Date(now)))
}

/** Ends one device; its values stay, stale. */
export function deviceDeath(host: HostContext, shard: EdgeShard, name: string): void {
  const device = shard.devices.get(name)
  if (!device?.isOnline) return
  const now = host.clock()
  device.isOnline = false
  shard.detection.onStale(now, name)
  host.live.publish(shard, device.tags.values())
  host.later(() => host.store.deviceDied(shard, device, new Date(now)))
}

/**
 * Notices silence. Only an edge with a journal promises a message every second; others report by exception and are
 * known to be gone by their death alone.
 */
export function watchSilence(host: HostContext, shard: EdgeShard, now: number): void {
  const { session } = shard
  if (!session.isOnline) return
  if (session.restoredAt !== null && now - session.restoredAt > RESTORED_GRACE_MS) {
    endSession(host, shard)
    return
  }
  const heardAt = session.lastMessageAt ?? session.connectedAt ?? now
  if (!shard.journal || session.isSilent || now - heardAt <= STALE_AFTER_MS) return
  session.isSilent = true
  shard.detection.onStale(now)
  host.live.publish(shard, shard.tags())
}
