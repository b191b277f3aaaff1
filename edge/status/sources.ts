import { X509Certificate } from 'node:crypto'
import { readFileSync, statfsSync } from 'node:fs'
import type { Acquisition } from '#edge/acquisition/acquisition.ts'
import type { EdgeConfig } from '#edge/config.ts'
import type { AnyDriver, Protocol } from '#edge/drivers/driver.ts'
import type { Journal } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import type { RunningConfiguration, Uplink } from '#edge/uplink/index.ts'
import type { WriteDesk } from '#edge/writes/index.ts'
import type { GapList } from './gap-list.ts'
import { type JournalRoom, roomLeft } from './room.ts'
import type { StatusSources } from './snapshot.ts'
import type { StartCheck } from './start-check.ts'

/** The parts of a running agent that the page tells of. */
export interface AgentParts {
  readonly config: EdgeConfig
  readonly clock: { now(): number }
  readonly startedAt: number
  readonly clockOffsetMs: () => number
  readonly pageFingerprint: string | undefined
  /** Undefined for an agent whose configuration nobody manages. */
  readonly configuration: () => RunningConfiguration | undefined
  readonly model: EdgeModel
  readonly journal: Journal
  readonly gaps: GapList
  readonly uplink: Uplink
  readonly acquisition: Acquisition
  readonly protocols: ReadonlyMap<string, Protocol>
  readonly drivers: ReadonlyMap<string, AnyDriver>
  readonly reach: StartCheck
  readonly desk: WriteDesk
}

const MB = 1024 * 1024

/** What the page tells, asked of the parts when somebody looks. */
export function statusSources(parts: AgentParts): StatusSources {
  const { config, clock, startedAt, model, journal, gaps, uplink, acquisition, protocols, drivers, reach, desk } = parts
  return {
    model,
    drivers,
    startedAt,
    configuration: parts.configuration,
    profiles: config.profiles,
    addresses: config.addresses,
    data: config.data,
    devices: acquisition.status,
    lanes: () => [...protocols.values()].flatMap((protocol) => protocol.lanes()),
    journal: () => journal.status(),
    gaps: () => gaps.latest(),
    room: () => roomOf(parts),
    uplink: () => uplink.status(),
    certificateUntil: () => expiryOf(config.mqtt.certFile),
    troubles: () => reach.troubles(),
    writes: (most) => desk.recent(most),
    writeCounts: () => desk.counts(),
    now: clock.now,
    clockOffsetMs: parts.clockOffsetMs,
    pageFingerprint: parts.pageFingerprint,
  }
}

function roomOf({ config, clock, startedAt, journal }: AgentParts): JournalRoom {
  const { sizeBytes, samples, counters } = journal.status()
  const seconds = Math.max(1, (clock.now() - startedAt) / 1000)
  return roomLeft({
    ...{ sizeBytes, samples },
    acceptedPerSecond: counters.accepted / seconds,
    mostBytes: config.journal.maxMb * MB,
    freeBytes: freeBytesOf(config.data),
    minFreeBytes: config.journal.minFreeMb * MB,
  })
}

function freeBytesOf(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return undefined
  }
}

/** A renewal replaces the file: it is read each time. */
function expiryOf(certFile: string | undefined): number | undefined {
  if (certFile === undefined) return undefined
  try {
    return new X509Certificate(readFileSync(certFile)).validToDate.getTime()
  } catch {
    return undefined
  }
}
