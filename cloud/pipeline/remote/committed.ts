import type { Database } from '#cloud/platform/database/database.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import type { DetectionEdge, EdgeDetection } from '../detection/contract.ts'
import { restoreShards } from '../shard/restore.ts'
import { createShards, type Shards } from '../shard/shards.ts'
import { pipelineStore } from '../shard/store.ts'

/** Edges whose process cannot be asked, as the tables tell them: devices, tags, sessions, without values. */
export type CommittedEdges = (ids: readonly string[]) => Promise<Shards>

/** Reads them once for as long as the same edges are asked for within a few seconds. */
export function committedEdges(
  db: Database,
  profiles: ReadonlyMap<string, DeviceProfile>,
  clock: () => number,
): CommittedEdges {
  const store = pipelineStore(db)
  let last: { readonly key: string; readonly until: number; readonly shards: Promise<Shards> } | undefined
  const read = async (ids: readonly string[]) => {
    const shards = createShards()
    const detection = { edge: unwatched, takeOn: async () => undefined }
    const historian = { marks: async () => [], last: async () => [] }
    await restoreShards({ store, historian, detection, profiles, shards, clock, log: silentLog }, ids)
    return shards
  }
  return (ids) => {
    const key = ids.join()
    if (last?.key !== key || clock() > last.until) last = { key, until: clock() + KEEP_MS, shards: read(ids) }
    return last.shards
  }
}

const KEEP_MS = 5000

/** Nothing is judged here. */
const unwatched = (edge: DetectionEdge): EdgeDetection => ({
  edge,
  bind: () => undefined,
  onBirth: () => undefined,
  tag: () => -1,
  onSamples: () => undefined,
  onColumns: () => undefined,
  onAlarmEvent: () => undefined,
  onGap: () => undefined,
  onEventTime: () => undefined,
  onBacklog: () => undefined,
  onSession: () => undefined,
  mayHaveMissed: () => undefined,
  onStale: () => undefined,
  onFresh: () => undefined,
  mark: (_, from) => from - 1n,
})
