import type { Broker } from './broker/broker.ts'
import type { Detection } from './detection/index.ts'
import type { HistoryWriter } from './historian/writer.ts'
import { successions } from './host/hand-over.ts'
import type { Host } from './host/host.ts'
import type { Hands } from './lease/division.ts'
import type { EdgeShard } from './shard/edge-shard.ts'
import { type RestoreOptions, restoreShards, restoreView } from './shard/restore.ts'

export interface AtWorkOptions extends RestoreOptions {
  readonly detection: Detection
  readonly broker: Broker
  readonly host: Host
  readonly writer: HistoryWriter
  /** Tells people of gaps in history that they were not told of yet. */
  readonly tellGaps: (shards: readonly EdgeShard[]) => Promise<void>
}

/** Takes edges on and lets them go while the pipeline works. */
export function edgesAtWork(options: AtWorkOptions): Hands {
  const { shards, detection } = options
  return {
    held: () => new Set([...shards].map(({ id }) => id)),
    take: (ids) => take(options, ids),
    async letGo(ids) {
      const wanted = new Set(ids)
      const leaving = [...shards].filter(({ id }) => wanted.has(id))
      await letGo(options, leaving)
      for (const shard of leaving) shards.forget(shard)
      await detection.applyActions().catch(() => undefined)
    },
  }
}

/** Everything a message needs stands before the first one comes; what people look at follows. */
async function take(options: AtWorkOptions, ids: readonly string[]): Promise<void> {
  const { broker, host, detection, clock, log } = options
  const restored = await restoreShards(options, ids)
  const shards = restored.map(({ shard }) => shard)
  try {
    await Promise.all(shards.map(({ ref }) => broker.subscribeEdge(ref)))
  } catch (error) {
    // Nobody hears them: they are taken on again, from the beginning.
    await letGo(options, shards)
    for (const shard of shards) options.shards.forget(shard)
    throw error
  }
  const taken = successions(restored, clock())
  for (const one of taken) host.succeed(one)
  await detection.applyActions()
  const follow = async () => {
    await options.tellGaps(shards)
    await restoreView(options, shards)
    for (const one of taken) host.recordTakeOver(one)
  }
  follow().catch((err: unknown) => log.error({ err }, 'What people see of edges that were taken on is not complete'))
}

/** Nothing more is heard, then what was heard is judged and stored, then the session is written for the successor. */
async function letGo(options: AtWorkOptions, leaving: readonly EdgeShard[]): Promise<void> {
  const { broker, host, shards, detection, writer } = options
  await Promise.all(leaving.map(({ ref }) => broker.unsubscribeEdge(ref)))
  await host.windUp(leaving)
  for (const shard of leaving) shards.hide(shard)
  await detection.letGo(leaving.map((shard) => shard.detection.edge))
  await writer.flushed()
  await host.handOver(leaving)
}
