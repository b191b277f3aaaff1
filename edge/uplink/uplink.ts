import type { Clock, Journal } from '#edge/journal/journal.ts'
import type { EdgeModel } from '#edge/model.ts'
import type { Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import type { UplinkConfig } from './config.ts'
import type { Redial } from './connection.ts'
import type { UplinkTiming } from './timing.ts'

/** A value to be written to a tag, as the host asked. */
export interface TagWrite {
  readonly tag: string
  readonly type: ScalarType
  readonly value: Scalar
  /** What the host believes to be there now; another value there refuses the write. */
  readonly expected?: Scalar
}

/** A configuration that the host sends down. */
export interface ConfigurationAsk {
  readonly version: number
  readonly hash: string
  readonly signature: string
  readonly replaces: string
  /** Undefined: it is to be fetched. */
  readonly document: string | undefined
  /** Nothing is changed, only the faults told. */
  readonly isDryRun: boolean
}

/** The configuration that runs, as the NBIRTH tells it. */
export interface RunningConfiguration {
  /** Undefined: not a version of the cloud's. */
  readonly version: number | undefined
  /** SHA-256, hexadecimal. */
  readonly hash: string
  readonly signature: string | undefined
}

/** What the births and the status of an edge node tell of it. */
export interface NodeFacts {
  readonly configuration: () => RunningConfiguration
  /** JSON by shared/contracts/edge-report.ts. */
  readonly report: () => string
  /** Grows when the report holds news that cannot wait. */
  readonly news?: () => number
  /** Called after the first births of each connection. */
  readonly onLinked?: () => void
}

/** A command of the host: values to write to a device, or a document for the node. */
export interface EdgeCommand {
  /** UUID under which it is answered; undefined when a third-party host sent none, then nobody is answered. */
  readonly id: string | undefined
  /** Undefined for a command to the node. */
  readonly device: string | undefined
  readonly writes: readonly TagWrite[]
  /** JSON by shared/contracts/alarm-command.ts. */
  readonly alarmCommand?: string
  readonly configuration?: ConfigurationAsk
}

/** How a command ended. */
export interface CommandOutcome {
  readonly status: 'done' | 'refused' | 'failed'
  readonly error?: string
  /** By which a screen words `error` in the language of its reader. */
  readonly code?: string
  readonly params?: Readonly<Record<string, string | number>>
}

/** State of the connection to the host, for the local status page and metrics. */
export interface UplinkStatus {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'closed'
  /** When the state began, ms since 1970. */
  readonly since: number
  /** The broker that is, or is to be, connected. */
  readonly server: string
  /** Why the last connection ended, in plain words. */
  readonly lastError: string | undefined
  readonly connects: number
  readonly lastAckAt: number | undefined
  readonly acknowledged: bigint
  /** Samples accepted and not acknowledged. */
  readonly depth: number
  /** Samples sent in this connection and not acknowledged. */
  readonly inFlight: number
  /** Samples that wait to be sent as backlog. */
  readonly backlog: bigint
  readonly sent: number
  readonly resent: number
  readonly births: number
  readonly refusedMessages: number
}

export interface Uplink {
  status(): UplinkStatus
  /** Publishes NDEATH and closes the connection. The journal stays open. */
  close(): Promise<void>
}

/** What the uplink works with. `startUplink(options)` connects, and keeps connecting, until close(). */
export interface UplinkOptions {
  readonly config: UplinkConfig
  readonly model: EdgeModel
  readonly journal: Journal
  readonly clock: Clock
  readonly log: Log
  /** Carries out a command; without it every command is refused. A throw answers `failed` with the error's message. */
  readonly onCommand?: (command: EdgeCommand) => Promise<CommandOutcome>
  /** What the node tells of itself; without it configuration and status are announced without a value. */
  readonly facts?: NodeFacts | undefined
  readonly timing?: Partial<UplinkTiming>
  readonly redial?: Redial | undefined
}
