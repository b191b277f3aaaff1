import type { DeviceStatus } from '#edge/acquisition/device.ts'
import { countFaults } from '#edge/acquisition/tag-faults.ts'
import type { AnyDriver, LaneStatus, LossKind } from '#edge/drivers/driver.ts'
import type { JournalStatus } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import type { CommandOutcome, RunningConfiguration, UplinkStatus } from '#edge/uplink/index.ts'
import type { WriteRecord } from '#edge/writes/index.ts'
import type { ConfiguredAddress } from '#shared/config/addresses.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import type { Trouble, TroubleKind } from '#shared/reach/probe.ts'
import type { JournalRoom } from './room.ts'
import { faultOf } from './trouble-list.ts'

/** Where the page's facts come from. Everything is asked for only when somebody looks. */
export interface StatusSources {
  readonly model: EdgeModel
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly devices: () => readonly DeviceStatus[]
  readonly lanes: () => readonly LaneStatus[]
  readonly journal: () => JournalStatus
  readonly uplink: () => UplinkStatus
  /** Addresses of edge.yaml that did not answer after the start, nor since. */
  readonly troubles: () => readonly Trouble[]
  /** Gaps told to the cloud since the start, the newest first, at most some hundred. */
  readonly gaps: () => readonly GapRecord[]
  /** How much the journal may still take, as of now. */
  readonly room: () => JournalRoom
  /** When the certificate by which the cloud knows this box expires, ms since 1970; undefined when it has none. */
  readonly certificateUntil: () => number | undefined
  /** Of the certificate of this page, beyond loopback. */
  readonly pageFingerprint: string | undefined
  /** The configuration that runs; undefined when nobody manages it. */
  readonly configuration: () => RunningConfiguration | undefined
  /** Drivers of the devices, by name, for what a person asks of one. */
  readonly drivers: ReadonlyMap<string, AnyDriver>
  /** Addresses of edge.yaml. */
  readonly addresses: readonly ConfiguredAddress[]
  /** The data directory of this edge. */
  readonly data: string
  /** The newest commands first. */
  readonly writes: (most: number) => readonly WriteRecord[]
  /** Commands settled since the start, by result. */
  readonly writeCounts: () => Readonly<Record<CommandOutcome['status'], number>>
  /** Gateway time, ms since 1970. */
  readonly now: () => number
  /** What is added to the machine's clock because the cloud has told that it is wrong, in ms. */
  readonly clockOffsetMs: () => number
  /** When this program started, ms since 1970. */
  readonly startedAt: number
}

export interface DeviceSnapshot {
  readonly device: string
  readonly profile: string
  readonly protocol: string
  readonly state: DeviceStatus['state']
  readonly since: number
  readonly error?: string
  readonly lossKind?: LossKind
  readonly failures: number
  readonly lastReadAt?: number
  readonly overruns: number
  readonly read: number
  readonly reported: number
  readonly refused: number
  readonly tags: number
  /** Tags that are bad although the device answers. */
  readonly badTags: number
  /** Tags of which the device says that it does not measure them: no fault. */
  readonly notMeasured: number
}

/** An address of edge.yaml that does not answer. */
export interface FaultSnapshot {
  /** `/etc/andon/edge.yaml:12` */
  readonly at: string
  /** `devices[2].modbus.host` */
  readonly path: string
  readonly kind: TroubleKind
  /** In English, as `andon check` tells it. */
  readonly found: string
  readonly fix: string
}

/** The state of everything but the tags, as plain JSON. */
export interface EdgeSnapshot {
  readonly group: string
  readonly edge: string
  readonly at: number
  readonly startedAt: number
  readonly memoryBytes: number
  readonly faults: readonly FaultSnapshot[]
  readonly lanes: readonly LaneStatus[]
  readonly devices: readonly DeviceSnapshot[]
  /** Offsets and the epoch as decimal strings. */
  readonly journal: Readonly<Record<string, unknown>>
  readonly uplink: Readonly<Record<string, unknown>>
  readonly room: JournalRoom
  readonly clockOffsetMs: number
  readonly certificateUntil?: number
}

/** Takes the state of everything at this moment. */
export function takeSnapshot(sources: StatusSources): EdgeSnapshot {
  const { model, now } = sources
  return {
    group: model.group,
    edge: model.edge,
    at: now(),
    startedAt: sources.startedAt,
    memoryBytes: process.memoryUsage.rss(),
    faults: sources.troubles().map(faultOf),
    lanes: sources.lanes(),
    devices: sources.devices().map((device) => deviceSnapshot(sources, device)),
    journal: withoutBigints(sources.journal()),
    uplink: withoutBigints(sources.uplink()),
    room: sources.room(),
    clockOffsetMs: sources.clockOffsetMs(),
    ...until(sources.certificateUntil()),
  }
}

const until = (certificateUntil: number | undefined) => (certificateUntil === undefined ? {} : { certificateUntil })

function deviceSnapshot({ model }: StatusSources, { faults, ...status }: DeviceStatus): DeviceSnapshot {
  const tags = model.devices.find(({ device }) => device === status.device)?.tags.length ?? 0
  const { bad: badTags, notMeasured } = countFaults(faults)
  return { ...status, tags, badTags, notMeasured }
}

function withoutBigints(status: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(status).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value])
  return Object.fromEntries(entries)
}
