import type { EdgeReport } from '#shared/contracts/edge-report.ts'
import type { DeviceStatus } from '../acquisition/device.ts'
import { countFaults } from '../acquisition/tag-faults.ts'
import type { LaneStatus } from '../drivers/driver.ts'
import type { JournalStatus } from '../journal/index.ts'
import type { UplinkStatus } from '../uplink/index.ts'

/** What a report is made of. */
export interface ReportSources {
  readonly now: number
  readonly startedAt: number
  readonly devices: readonly DeviceStatus[]
  readonly lanes: readonly LaneStatus[]
  readonly journal: JournalStatus
  readonly journalMaxBytes: number
  readonly uplink: UplinkStatus
  readonly management: Pick<EdgeReport, 'configuration' | 'certificate'>
}

const MOST_DEVICES = 200
const MOST_LANES = 100
const URGENCY = { lost: 0, connecting: 1, answers: 2 } as const

/** What a box tells of itself; of many devices those with faults. */
export function reportOf(sources: ReportSources): EdgeReport {
  const { now, startedAt, journal, uplink, management } = sources
  const devices = sources.devices.toSorted((a, b) => URGENCY[a.state] - URGENCY[b.state])
  const leftOut = Math.max(0, devices.length - MOST_DEVICES) + Math.max(0, sources.lanes.length - MOST_LANES)
  const { depth, sizeBytes, oldestAt, counters } = journal
  return {
    at: now,
    startedAt,
    memoryBytes: process.memoryUsage.rss(),
    ...management,
    journal: {
      ...{ depth, sizeBytes, maxBytes: sources.journalMaxBytes },
      ...{ oldestAt: oldestAt ?? null, discarded: counters.discarded },
    },
    uplink: { connects: uplink.connects, resent: uplink.resent, backlog: Number(uplink.backlog) },
    lanes: sources.lanes.slice(0, MOST_LANES).map(laneOf),
    devices: devices.slice(0, MOST_DEVICES).map(deviceOf),
    leftOut,
  }
}

const cut = (text: string): string => text.slice(0, 500)

const laneOf = (lane: LaneStatus): EdgeReport['lanes'][number] => ({
  ...{ lane: cut(lane.lane), isOpen: lane.isOpen, requests: lane.requests, timeouts: lane.timeouts },
  ...{ overruns: lane.overruns ?? 0, waiting: lane.waiting ?? 0, roundTripMs: lane.roundTripMs },
})

const deviceOf = ({ device, protocol, state, since, error, lossKind, faults, overruns }: DeviceStatus) => ({
  ...{ device, protocol, state, since, overruns },
  error: error === undefined ? null : cut(error),
  ...(lossKind === undefined ? {} : { lossKind }),
  badTags: countFaults(faults).bad,
})
