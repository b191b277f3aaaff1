import type { Kysely, Transaction } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { Pipeline, PipelineMetrics } from './contract.ts'

export { hashEdgeSecret } from './broker/secret.ts'
export type * from './contract.ts'
export type {
  AlarmFilter,
  AlarmLogLine,
  AlarmPointStatus,
  DetectionQueries,
  MachineStateChanged,
  MachineStateInterval,
  OccurrenceStatus,
} from './detection/contract.ts'

/** An outbox row of the machine side; the platform's outbox writes it in the caller's transaction. */
export interface PipelineEvent {
  readonly org: string
  readonly type: string
  readonly topics: readonly string[]
  readonly causeId?: string
  readonly at: Date
  readonly data: Readonly<Record<string, unknown>>
}

export interface PipelineOptions {
  /** A pool that works as andon_system. */
  readonly db: Kysely<unknown>
  /** Writes one event in the transaction given. */
  readonly emit: (tx: Transaction<unknown>, event: PipelineEvent) => Promise<void>
  /** History lives in the folder `history` below it. */
  readonly dataDir: string
  /** Folder of device profiles, by default `devices/profiles`. */
  readonly profilesDir: string
  /** Where the embedded broker listens; port 0 picks a free one. */
  readonly mqtt: { readonly host: string; readonly port: number }
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics?: PipelineMetrics
}

/** Opens history, restores the shards, starts the host and then the broker; throws when a port is taken or a file is missing. */
export declare function startPipeline(options: PipelineOptions): Promise<Pipeline>
