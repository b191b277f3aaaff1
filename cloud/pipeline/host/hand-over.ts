import { setImmediate } from 'node:timers/promises'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { unnumberedGap } from './gaps.ts'
import type { HostContext } from './host-context.ts'
import { giveUpCommands } from './writes.ts'

/** A process renews every second and commits within less: what came this long before its last renewal is stored. */
const SURELY_STORED_MS = 2000

/** An edge that another process had and whose samples nobody sends again. Times in ms since 1970. */
export interface Succession {
  readonly shard: EdgeShard
  /** Until when its last owner had it for sure. */
  readonly ownedUntil: number
  /** When messages began to come here. */
  readonly at: number
}

/** Of edges that were restored, those that were online without a journal: what they said meanwhile is lost. */
export function successions(
  restored: readonly { readonly shard: EdgeShard; readonly ownedUntil: number | null }[],
  at: number,
): Succession[] {
  return restored.flatMap(({ shard, ownedUntil }) =>
    ownedUntil !== null && shard.session.isOnline && !shard.journal ? [{ shard, ownedUntil, at }] : [],
  )
}

/** Records what such an edge said while nobody had it as a hole; its newest stored values are in place. */
export function recordTakeOver(host: HostContext, { shard, ownedUntil, at }: Succession): void {
  const newest = Math.max(0, ...[...shard.tags()].map(({ sourceAt }) => sourceAt ?? 0).filter((time) => time <= at))
  const from = Math.max(newest, ownedUntil - SURELY_STORED_MS)
  if (from >= at) return
  host.writer.batch.addGap(unnumberedGap(shard, { cause: 'take-over', from, to: at, count: 0n, now: at }))
  host.writer.changed()
}

/** Ends what is under way of edges whose messages no longer come: births that wait, requests, commands. */
export async function windUp(host: HostContext, shards: readonly EdgeShard[]): Promise<void> {
  while (shards.some(({ waiting }) => waiting)) {
    await host.changes.settled()
    await setImmediate()
  }
  for (const shard of shards) {
    host.rebirths.settle(shard)
    giveUpCommands(host, shard)
  }
}

/** Writes down what a successor goes on from, and shows the values as stale to who looks at them here. */
export async function handOver(host: HostContext, shards: readonly EdgeShard[]): Promise<void> {
  const at = new Date(host.clock())
  for (const shard of shards) host.changes.tell({ kind: 'saved', shard, at })
  await host.changes.settled()
  for (const shard of shards) {
    shard.session.isSilent = true
    host.live.publish(shard, shard.tags())
  }
}
