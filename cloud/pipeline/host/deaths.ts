import { BD_SEQ } from '#shared/sparkplug/metric-names.ts'
import { type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { type HostContext, RESTORED_GRACE_MS, STALE_AFTER_MS } from './host-context.ts'
import { tolerate } from './tolerances.ts'

/** The death of another session than the present one is late news, for the broker tells it when it likes. */
export function nodeDeath(host: HostContext, shard: EdgeShard, payload: Payload): void {
  const { session } = shard
  const told = deathOf(shard, payload)
  if (told === undefined) tolerate(host, shard, 'ndeath-without-bdseq')
  else if (told.isByAlias) tolerate(host, shard, 'bdseq-by-alias')
  if (told === undefined || session.bdSeq === null || told.bdSeq === session.bdSeq) endSession(host, shard)
  else host.metrics.count('deaths_of_older_sessions_total', 1)
}

/** Reads the bdSeq of an NDEATH: by name, or by the alias that the NBIRTH gave it. */
function deathOf(
  shard: EdgeShard,
  payload: Payload,
): { readonly bdSeq: number; readonly isByAlias: boolean } | undefined {
  const alias = shard.bornMetric(undefined, BD_SEQ)?.alias
  for (let i = 0; i < payload.count; i++) {
    const isNamed = payload.name(i) === BD_SEQ
    if (!isNamed && (alias === null || payload.alias(i)?.toString() !== alias)) continue
    const bdSeq = bdSeqAt(payload, i)
    if (bdSeq !== undefined) return { bdSeq, isByAlias: !isNamed }
  }
  return undefined
}

/** The rules allow 255; senders count on, and a table holds so much. */
const LARGEST_BD_SEQ = 2 ** 31 - 1

/** The bdSeq at an index, whatever integer type it was sent as; undefined when it is no number. */
export function bdSeqAt(payload: Payload, index: number): number | undefined {
  for (const type of ['int64', 'int32'] as const) {
    try {
      const value = Number(payload.valueAs(index, type) ?? Number.NaN)
      return value >= 0 && value <= LARGEST_BD_SEQ ? value : undefined
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error
    }
  }
  return undefined
}

/** Ends the session: every device of the edge is offline and every value stale. */
export function endSession(host: HostContext, shard: EdgeShard): void {
  const { session } = shard
  if (!session.isOnline) return
  const now = host.clock()
  session.isOnline = false
  session.restoredAt = null
  shard.order.reset()
  shard.early = undefined
  host.rebirths.settle(shard)
  for (const device of shard.devices.values()) device.isOnline = false
  shard.detection.onStale(now)
  host.live.publish(shard, shard.tags())
  const lastMessageAt = session.lastMessageAt === null ? null : new Date(session.lastMessageAt)
  host.changes.tell({ kind: 'ended', shard, at: new Date(now), lastMessageAt })
}

/**
 * Ends one device, at the time its DDEATH tells (tck-id-operational-behavior-edge-node-termination-host-action-ddeath-*);
 * its values stay, stale.
 */
export function deviceDeath(host: HostContext, shard: EdgeShard, name: string, toldAt: number | undefined): void {
  const device = shard.devices.get(name)
  if (!device?.isOnline) return
  const now = host.clock()
  const at = toldAt !== undefined && toldAt <= LATEST_MS ? toldAt : now
  device.isOnline = false
  shard.detection.onStale(now, name)
  host.live.publish(shard, device.tags.values())
  host.changes.tell({ kind: 'died', shard, at: new Date(at), device: name })
}

/** The way to an outside broker is lost: nothing is known of any edge any more, and every value is stale. */
export function loseSight(host: HostContext, now: number): void {
  for (const shard of host.shards) {
    const { session } = shard
    if (!session.isOnline || session.isSilent) continue
    session.isSilent = true
    shard.detection.onStale(now)
    host.live.publish(shard, shard.tags())
  }
}

/** The way is there again. Deaths may have been missed: a session that says nothing ends, one without a heartbeat is asked. */
export function regainSight(host: HostContext, now: number): void {
  for (const shard of host.shards) {
    if (!shard.session.isOnline) continue
    shard.session.restoredAt = now
    shard.order.reset()
    if (shard.journal) shard.detection.mayHaveMissed(shard.journal)
    else host.rebirths.want(shard, 'connection-regained')
  }
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
