import { ACK_OFFSET, EPOCH, REBIRTH } from '#shared/sparkplug/metric-names.ts'
import { encodePayload, type OutgoingMetric } from '#shared/sparkplug/payload.ts'
import { formatTopic } from '#shared/sparkplug/topics.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { HostContext } from './host-context.ts'
import { wantsTypes } from './writes.ts'

/** Asks the edge to be born again, as soon as that is its turn; `reason` is a constant in kebab-case. */
export function askRebirth(host: HostContext, shard: EdgeShard, reason: string): void {
  host.rebirths.want(shard, reason)
}

/** Sends a rebirth request, by name and without a datatype; one that is repeated has it, for senders of before 3.0. */
export function sendRebirth(
  host: HostContext,
  shard: EdgeShard,
  { reason, isRepeat }: { readonly reason: string; readonly isRepeat: boolean },
): void {
  const now = host.clock()
  host.metrics.count('rebirths_asked_total', 1, { reason })
  host.log.info({ ...shard.ref, reason, isRepeat }, 'Asked an edge to be born again')
  const isTyped = isRepeat || wantsTypes(shard)
  command(host, shard, [{ name: REBIRTH, type: 'boolean', isTyped, timestamp: now, value: true }])
}

/** The offset up to which both history and detection have everything; undefined for an edge without a journal. */
export function acknowledgeable(shard: EdgeShard): bigint | undefined {
  const { journal, detection } = shard
  if (!journal) return undefined
  const stored = journal.committedEnd()
  const judged = detection.mark(journal.epoch, journal.first)
  if (stored < judged) return stored
  return judged
}

/** Sends the cumulative acknowledgement; unless `isRepeat`, only when it has moved. */
export function acknowledge(host: HostContext, shard: EdgeShard, isRepeat: boolean): void {
  const { journal, session } = shard
  const end = acknowledgeable(shard)
  if (!journal || end === undefined || !session.isOnline) return
  if (!isRepeat && end <= session.acknowledged) return
  const now = host.clock()
  session.acknowledged = end
  session.acknowledgedAt = now
  command(host, shard, [
    { name: EPOCH, type: 'uint64', timestamp: now, value: journal.epoch },
    { name: ACK_OFFSET, type: 'uint64', timestamp: now, value: end },
  ])
}

/** NCMD at QoS 0, without a sequence number (tck-id-payloads-ncmd-*). */
function command(host: HostContext, shard: EdgeShard, metrics: readonly OutgoingMetric[]): void {
  const topic = formatTopic({ message: 'NCMD', ...shard.ref })
  const payload = Buffer.from(encodePayload({ timestamp: host.clock(), metrics }))
  host.broker.publish(topic, payload, { qos: 0, retain: false }).catch((error: Error) => {
    host.log.warn({ err: error, ...shard.ref }, 'A command did not leave the broker')
  })
}
