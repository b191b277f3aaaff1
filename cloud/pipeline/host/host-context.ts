import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Log } from '#shared/log/log.ts'
import type { Broker } from '../broker/broker.ts'
import type { PipelineMetrics } from '../contract.ts'
import type { HistoryWriter } from '../historian/writer.ts'
import type { Speaker } from '../lease/speaker.ts'
import type { LiveCache } from '../shard/live.ts'
import type { Shards } from '../shard/shards.ts'
import type { PipelineStore } from '../shard/store.ts'
import type { DeviceState } from '../shard/tag-state.ts'
import type { ChangeBook } from './change-book.ts'
import type { RebirthDesk, RebirthLimits } from './rebirths.ts'

/** What the host's parts work with. */
export interface HostContext {
  readonly broker: Pick<Broker, 'publish' | 'refuse' | 'holdState' | 'releaseState'>
  readonly shards: Shards
  readonly live: LiveCache
  readonly writer: HistoryWriter
  readonly store: PipelineStore
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics: PipelineMetrics
  /** Writes to the database, one after the other, each repeated for a while; rejects when it stays in vain. */
  readonly record: <T>(work: () => Promise<T>) => Promise<T>
  /** As record(), for what nobody waits for. */
  readonly later: (work: () => Promise<unknown>) => void
  /** A device was born, perhaps with tags that nobody knew. */
  readonly onBorn?: (device: DeviceState) => void
  readonly limits: HostLimits
  readonly rebirths: RebirthDesk
  readonly changes: ChangeBook
}

/** What the host is made of by whoever starts it. */
export interface HostParts extends Omit<HostContext, 'limits' | 'rebirths' | 'changes' | 'broker'> {
  readonly broker: HostContext['broker'] & Pick<Broker, 'yieldState' | 'watchState'>
  /** Where several processes could speak for the host; absent: this one does. */
  readonly speaker?: Speaker | undefined
  readonly limits?: Partial<HostLimits>
}

/** How patient the host is. */
export interface HostLimits {
  /** A message that came early waits this long for the missing one (tck-id-operational-behavior-host-reordering-param); 0: not at all. */
  readonly reorderMs: number
  readonly rebirths: RebirthLimits
  /** A command that is not answered for this long is given up. */
  readonly commandTimeoutMs: number
}

export const DEFAULT_LIMITS: HostLimits = {
  reorderMs: 2000,
  rebirths: { perSecond: 100, burst: 50, firstPauseMs: 5000, longestPauseMs: 300_000 },
  commandTimeoutMs: 10_000,
}

/** An Andon edge sends at least every second; one that is silent for this long shows stale values. */
export const STALE_AFTER_MS = 3000
export const ACK_EVERY_MS = 2000
/** Acknowledgements are repeated to edges that sent samples within this time. */
export const ACK_ACTIVE_MS = 30_000
/** A session that a restarted host took up ends when its edge says nothing for this long. */
export const RESTORED_GRACE_MS = 20_000
/** Messages of one edge that may wait behind a birth; later ones are dropped, and sent again by the edge. */
export const MAX_WAITING = 5000
/** Device births of one edge that may wait for the node's. */
export const MAX_EARLY = 500
